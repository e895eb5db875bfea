"""How pass rates are measured, as a config says it: engine, number of completions, store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from difficulty.adaptive import Adaptive, AnySampling, Fixed, WidthTarget
from difficulty.buckets import Bucketing, Counts, Edges
from difficulty.engines import AnyEngine, Vllm
from difficulty.imported import AnyImported
from domains.base import Settings


class PredictRest(Settings):
    """Score a share of the problems; predict the others from text, labels and answer."""

    share: float = Field(0.1, gt=0, lt=1)
    """Share of the problems that is scored."""
    by_chance: float = Field(0.5, gt=0, le=1)
    """Share of the scored ones that chance picks, which keeps the predictor's intervals honest; the
    others are those whose bucket is then most doubtful."""


class DifficultySettings(Settings):
    """How pass rates are measured."""

    engine: AnyEngine = Vllm()
    sampling: AnySampling = Adaptive()
    """How many completions each problem gets. `samples: 16` in its place is short for
    `sampling: {kind: fixed, samples: 16}`. Without either it is adaptive, and fixed for buckets
    that are not cut at fixed pass rates."""
    predict: PredictRest | None = None
    """Score only a share and predict the rest; None scores every problem."""
    imported: AnyImported | None = None
    """Pass rates that others measured, taken instead of measuring: no engine is opened."""
    store: Path | None = None
    """Folder of the scores; None is `scores/` in the run's folder. Runs may share one."""

    @model_validator(mode="before")
    @classmethod
    def _samples_in_short(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        if "samples" in raw:
            if "sampling" in raw:
                raise ValueError(
                    "samples is short for sampling: {kind: fixed}, so only one of the two may be "
                    f"given, but got samples={raw['samples']} and sampling={raw['sampling']}"
                )
            others = {name: value for name, value in raw.items() if name != "samples"}
            return {**others, "sampling": {"kind": "fixed", "samples": raw["samples"]}}
        given = raw.get("sampling")
        if isinstance(given, dict) and "kind" not in given:
            return {**raw, "sampling": {"kind": "adaptive", **given}}
        return raw

    def check_buckets(self, buckets: Bucketing) -> None:
        """Raise `ValueError` for buckets that these completions cannot serve."""
        if self.imported:
            if self.predict:
                raise ValueError(
                    "difficulty.predict must be left out where difficulty.imported gives the rates"
                )
            return
        sampling = self.sampling
        if isinstance(buckets, Counts):
            if self.predict:
                raise ValueError(
                    "buckets must not be of kind counts with difficulty.predict: a predicted "
                    "problem has no counts"
                )
            if not isinstance(sampling, Fixed):
                raise ValueError(
                    "difficulty.sampling must be of kind fixed for buckets of kind counts, which "
                    "are k of one n, but got kind=adaptive"
                )
            most = max(high for _, high in buckets.counts.values())
            if most > sampling.samples:
                raise ValueError(
                    "buckets.counts must not ask more than difficulty.samples="
                    f"{sampling.samples} correct, but got {most}"
                )
        by_buckets = isinstance(sampling, Adaptive) and not isinstance(sampling.target, WidthTarget)
        if by_buckets and not isinstance(buckets, Edges):
            raise ValueError(
                "buckets must be of kind edges where difficulty.sampling decides by them, but got "
                f"buckets={buckets}; or give it target: {{kind: width}}"
            )


def fixed_unless_by_edges(raw: dict[str, Any]) -> dict[str, Any]:
    """A config's mapping, with fixed sampling where it says nothing and buckets have no edges."""
    buckets, difficulty = raw.get("buckets"), raw.get("difficulty", {})
    has_edges = not isinstance(buckets, dict) or buckets.get("kind", "edges") == "edges"
    if has_edges or not isinstance(difficulty, dict) or {"samples", "sampling"} & {*difficulty}:
        return raw
    return {**raw, "difficulty": {**difficulty, "sampling": {"kind": "fixed"}}}
