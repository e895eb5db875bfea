"""The whole of a YAML file as one settings record, and every mistake in it told at once.

Hand-written YAML in (`load_config`, with dotted overrides such as `trainer.steps=20`), resolved
JSON out. Relative paths are relative to the folder where the command runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from curricula import AnyScheduler, Mixed
from curricula.machinery.where import Where
from difficulty.buckets import AnyBucketing, Edges
from difficulty.engines import AnyEngine, Transformers
from difficulty.engines.base import Sampling
from difficulty.export import ExportSettings
from difficulty.prompts import PromptFormat
from difficulty.settings import DifficultySettings, fixed_unless_by_edges
from domains import AnyDomain
from domains.base import Settings
from runners.sft import AnySFT
from runners.tracking.trackers import TrackingSettings
from runners.trainers import AnyTrainer, LocalTrainer
from runners.verl.presets import fill_in


class EvaluationSettings(Settings):
    """What progress is measured on; none of it is ever trained on."""

    holdout: float = Field(0.2, ge=0, lt=1)
    """Share of `problems` that is kept for evaluation, by uid hash."""
    where: Where = Where()
    """Which of the held-out problems to use, such as `labels: {level: [2, 3]}`."""
    limit: int | None = Field(None, ge=1)
    """Most held-out problems of each domain, by uid hash."""
    problems: tuple[AnyDomain, ...] = ()
    """Further sets, such as benchmarks, used whole."""
    samples: int = Field(8, ge=1)
    """Completions of each problem."""
    k: tuple[int, ...] = (1, 4, 8)
    """The k of pass@k; none may be above `samples`."""
    every: int = Field(20, ge=0)
    """Training steps between evaluations; 0 evaluates before and after only."""
    engine: AnyEngine = Transformers()

    @model_validator(mode="after")
    def _k_within_samples(self) -> Self:
        if any(k < 1 or k > self.samples for k in self.k):
            raise ValueError(
                f"k must be between 1 and evaluation.samples={self.samples}, but got k={self.k}: "
                f"pass@k is undefined for k > n"
            )
        return self


class TransferSettings(Settings):
    """The search for the least target-domain data."""

    source: tuple[str, ...] = Field(min_length=1)
    """Domains that are trained on anyhow."""
    target: tuple[str, ...] = Field(min_length=1)
    """Domains of which as few problems as possible are added."""
    sizes: tuple[int, ...] = Field((4, 16, 64), min_length=2)
    """Numbers of target problems to try; smaller sets lie inside larger ones. 0 is always tried."""
    seeds: int = Field(3, ge=2)
    """Trainings at each size."""
    gain: float = Field(0.2, gt=0, le=1)
    """Asked rise of the target's pass@1 over the base model, in points of [0, 1]."""
    retention: float = Field(0.9, ge=0)
    """Least source pass@1, as a share of what training on the source alone reaches."""
    confidence: float = Field(0.9, gt=0.5, lt=1)
    """How sure the answer must be."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        both = {*self.source} & {*self.target}
        if both:
            raise ValueError(f"source and target must be different domains, but both hold {both}")
        if list(self.sizes) != sorted(set(self.sizes)) or self.sizes[0] < 1:
            raise ValueError(f"sizes must rise from 1 up, but got sizes={self.sizes}")
        return self


class RunConfig(Settings):
    """One run, from problems to report."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the run's folder."""
    out: Path = Path("runs")
    """Where run folders are made."""
    seed: int = Field(0, ge=0)
    """Everything drawn at random comes from this and the thing's own id."""
    model: str = "tiny"
    """`tiny` (embedded), a local model folder, or a Hugging Face id."""
    problems: tuple[AnyDomain, ...] = Field(min_length=1)
    """The pool: scored, bucketed, trained on, less what evaluation holds out."""
    prompt: PromptFormat = PromptFormat()
    decoding: Sampling = Sampling()
    """Shared by scoring, training and evaluation: a rate under other decoding is another rate."""
    difficulty: DifficultySettings = DifficultySettings()
    buckets: AnyBucketing = Edges()
    export: ExportSettings = ExportSettings()
    """What `curricle export` and `run` write the buckets as."""
    sft: AnySFT | None = None
    """Fine-tuning on worked answers before reinforcement learning; None starts from the model."""
    curriculum: AnyScheduler = Mixed()
    trainer: AnyTrainer = LocalTrainer()
    evaluation: EvaluationSettings = EvaluationSettings()
    transfer: TransferSettings | None = None
    """Only for `curricle transfer`."""
    tracking: TrackingSettings = TrackingSettings()

    @model_validator(mode="before")
    @classmethod
    def _default_kinds(cls, raw: Any) -> Any:
        """`trainer: {steps: 20}` is the default kind of trainer with twenty steps."""
        if not isinstance(raw, dict):
            return raw
        filled = dict(raw)
        for name in ("buckets", "curriculum", "trainer"):
            given = raw.get(name)
            if isinstance(given, dict) and "kind" not in given:
                filled[name] = {"kind": cls.model_fields[name].default.kind, **given}
        if isinstance(raw.get("sft"), dict) and "kind" not in raw["sft"]:
            filled["sft"] = {"kind": "file" if "path" in raw["sft"] else "rejection", **raw["sft"]}
        if isinstance(filled.get("trainer"), dict) and filled["trainer"]["kind"] == "verl":
            filled["trainer"] = fill_in(filled["trainer"], raw.get("model", "tiny"))
        return fixed_unless_by_edges(filled)

    @model_validator(mode="after")
    def _sampling_serves_buckets(self) -> Self:
        self.difficulty.check_buckets(self.buckets)
        return self

    @model_validator(mode="after")
    def _sft_has_weights_and_answers(self) -> Self:
        if self.sft is None or not self.sft.wanted:
            return self
        if self.trainer.kind == "simulated":
            raise ValueError(
                "sft must be left out with trainer.kind=simulated: a learner model has no weights"
            )
        if self.sft.kind == "rejection" and self.difficulty.imported:
            raise ValueError(
                "sft.kind=rejection must have completions of this model's own scoring, but "
                "difficulty.imported brings rates alone; bring answers with sft.kind=file"
            )
        return self

    @property
    def bucket_edges(self) -> tuple[float, ...]:
        """The pass rates between buckets that an adaptive plan decides by."""
        return self.buckets.edges if isinstance(self.buckets, Edges) else (0.0, 1.0)


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read, override and validate. Raises `ValueError` that lists every mistake with its path."""
    if not path.is_file():
        near = sorted(str(p) for p in Path("configs").rglob("*.yaml"))
        hint = f"; there are {', '.join(near)}" if near else ""
        raise ValueError(f"config must be a YAML file, but got {path} (no such file){hint}")
    try:
        raw = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be YAML, but it cannot be read: {error}") from None
    if not isinstance(raw, dict):
        raise ValueError(f"{path} must hold `key: value` lines, but got {type(raw).__name__}")
    for override in overrides:
        apply_override(raw, override)
    return validate(raw, str(path))


def validate(raw: dict[str, Any], place: str) -> RunConfig:
    """The settings of a parsed file; `place` opens each line of the message."""
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        lines = [f"{place}: {explain(e, RunConfig)}" for e in _own_errors(error.errors())]
        raise ValueError("\n".join(lines)) from None


def apply_override(raw: dict[str, Any], override: str) -> None:
    """Set one dotted key, as in `trainer.steps=20` or `problems.0.size=50`; values are YAML."""
    key, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.[\w-]+)*", key):
        raise ValueError(f"an override must look like trainer.steps=20, but got {override!r}")
    *parents, last = key.split(".")
    here: Any = raw
    for name in parents:
        here = here[_index(here, name, key)] if isinstance(here, list) else _child(here, name)
        if not isinstance(here, dict | list):
            raise ValueError(f"override {key} must name a setting, but {name!r} holds a value")
    value = yaml.safe_load(text)
    if isinstance(here, list):
        here[_index(here, last, key)] = value
    else:
        here[last] = value


def _child(here: dict[str, Any], name: str) -> Any:
    if here.get(name) is None:
        here[name] = {}
    return here[name]


def _index(here: list[Any], name: str, key: str) -> int:
    if not name.isdigit() or int(name) >= len(here):
        raise ValueError(f"override {key} must use an index below {len(here)}, but got {name!r}")
    return int(name)


def _own_errors(errors: Sequence[Any]) -> list[Any]:
    """Without those that only follow from another: a list is "too short" when its member fails."""
    places = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(
            len(p) > len(error["loc"]) and p[: len(error["loc"])] == error["loc"] for p in places
        )
    ]


def explain(error: Any, model: type[BaseModel]) -> str:
    """One line for one pydantic error: path, rule, value and the nearest known name."""
    location = [part for part in error["loc"] if not str(part).startswith("function-")]
    path = ".".join(str(part) for part in _without_tags(location, model)) or "config"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        _, records = _walk(location[:-1], model)
        if len(records) != 1:  # a scheduler from outside, whose settings only it knows
            return f"{path}: no such setting"
        known = list(records[0].model_fields)
        near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        return f"{path}: no such setting ({hint})"
    if error["type"] == "missing":
        return f"{path}: must be given"
    if error["type"] == "union_tag_invalid":
        tags = re.findall(r"'([^']+)'", error["ctx"]["expected_tags"])
        near = get_close_matches(error["ctx"]["tag"], tags, n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return (
            f"{path}.kind: must be one of {', '.join(tags)}, but got {error['ctx']['tag']!r}{hint}"
        )
    if error["type"] == "literal_error":
        choices = re.findall(r"'([^']+)'", error["ctx"]["expected"])
        near = get_close_matches(str(error["input"]), choices, n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return f"{path}: must be {error['ctx']['expected']}, but got {error['input']!r}{hint}"
    if error["type"] == "union_tag_not_found":
        return f"{path}.kind: must be given"
    if error["type"] == "value_error":
        return f"{path}: {message}"
    return f"{path}: {message[0].lower()}{message[1:]}, but got {error['input']!r}"


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """The settings records that an annotation may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_of(part)]


def _kind_of(model: type[BaseModel]) -> Any:
    return model.model_fields["kind"].default if "kind" in model.model_fields else None


def _walk(
    location: Sequence[Any], model: type[BaseModel]
) -> tuple[list[Any], list[type[BaseModel]]]:
    """(path without union tags, records that the location may be in)."""
    path: list[Any] = []
    models = [model]
    is_key = False
    for part in location:
        if is_key:  # of a mapping, whose records lie behind it
            path.append(part)
            is_key = False
            continue
        tagged = [m for m in models if _kind_of(m) == part]
        if tagged and len(models) > 1:
            models = tagged
            continue
        path.append(part)
        if isinstance(part, str):
            found = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [inner for annotation in found for inner in _models_of(annotation)]
            is_key = any(get_origin(annotation) is dict for annotation in found)
    return path, models


def _without_tags(location: Sequence[Any], model: type[BaseModel]) -> list[Any]:
    return _walk(location, model)[0]
