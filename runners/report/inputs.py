"""What a page is made from: the files of a run's folder or of a transfer search's, as records.

A run may be at any point of its life, so every file but `config.json` may be missing. A last line
that was cut off by a kill is left out; any other line that does not fit is an error that names
file and line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from runners.evaluation.summary import PHASES, EvaluationRow, Phase

T = TypeVar("T")


class Record(BaseModel):
    """A JSON object of which we read a part."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class PoolRow(Record):
    """A scored problem of the training pool: a line of pool.jsonl."""

    uid: str
    domain: str
    source: str
    bucket: str | None = None
    pass_rate: float | None = None
    """Posterior mean in [0, 1]."""
    n: int
    correct: int
    wrong: int
    no_answer: int
    truncated: int
    verifier_errors: int

    def as_evaluation(self) -> EvaluationRow:
        """The same counts as an evaluation row, so that one summary serves both."""
        return EvaluationRow(
            "before", 0, self.uid, self.domain, self.source, self.bucket, self.n, self.correct,
            self.wrong, self.no_answer, self.truncated, self.verifier_errors,
        )  # fmt: skip


class CurriculumRow(Record):
    """What one step trained on: a line of training/curriculum.jsonl."""

    step: int
    stage: str
    uids: tuple[str, ...]
    rewards: tuple[float | None, ...] = ()
    """Mean reward of each prompt's rollouts, as `uids`; empty where the log does not tell."""


class Provenance(Record):
    """config.json: the resolved settings, and what they ran on."""

    config: dict[str, Any]
    versions: dict[str, Any] = {}
    git: str | None = None
    data: dict[str, Any] = {}

    @property
    def seed(self) -> int:
        """The config's own, for the bootstraps of the page."""
        seed = self.config.get("seed", 0)
        return seed if isinstance(seed, int) else 0


@dataclass(frozen=True)
class Run:
    """All that a run has written so far."""

    folder: Path
    provenance: Provenance
    summary: Mapping[str, Any]
    pool: tuple[PoolRow, ...]
    """The problems for reinforcement learning, with the pass rates its curriculum goes by."""
    evaluations: tuple[EvaluationRow, ...]
    curriculum: tuple[CurriculumRow, ...]
    metrics: tuple[Mapping[str, Any], ...]
    sft_data: Mapping[str, Any] = field(default_factory=dict)
    """sft/data.json: the examples of an SFT and what was left out; empty where there was none."""
    sft_metrics: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return str(
            self.summary.get("name") or self.provenance.config.get("name") or self.folder.name
        )

    @property
    def simulated(self) -> bool:
        """Whether a learner model was trained in place of the model."""
        trainer = self.provenance.config.get("trainer")
        return isinstance(trainer, Mapping) and trainer.get("kind") == "simulated"

    @property
    def domains(self) -> list[str]:
        """Every domain that occurs, sorted; a domain's place here is its colour."""
        return sorted({r.domain for r in self.pool} | {r.domain for r in self.evaluations})

    @property
    def buckets(self) -> list[str]:
        """Every bucket of the pool, from easy to hard: by falling mean pass rate."""
        rates: dict[str, list[float]] = {}
        for row in self.pool:
            if row.bucket is not None:
                rates.setdefault(row.bucket, []).append(row.pass_rate or 0.0)
        return sorted(rates, key=lambda name: (-sum(rates[name]) / len(rates[name]), name))

    @property
    def trained_domains(self) -> list[str]:
        """Domains of the problems trained on; those of the pool while nothing has been trained."""
        domain_of = {row.uid: row.domain for row in self.pool}
        uids = {uid for row in self.curriculum for uid in row.uids} or domain_of.keys()
        return sorted({domain_of[uid] for uid in uids if uid in domain_of})

    def phase(self, phase: Phase) -> list[EvaluationRow]:
        return [row for row in self.evaluations if row.phase == phase]

    def start(self) -> list[EvaluationRow]:
        """Of the model that reinforcement learning began with."""
        return self.phase("sft") or self.phase("before")

    def evaluations_by_step(self) -> list[EvaluationRow]:
        """One row a (step, problem): where two phases share a step, the later phase's."""
        latest: dict[tuple[int, str], EvaluationRow] = {}
        for row in sorted(self.evaluations, key=lambda row: PHASES.index(row.phase)):
            latest[row.step, row.uid] = row
        return list(latest.values())


class Ask(Record):
    """What a transfer search was asked for."""

    gain: float
    """Rise of the target's pass rate."""
    retention: float
    """Least source pass rate, as a share of what training on the source alone reaches."""
    confidence: float


class Base(Record):
    """Pass rates of the model that every trial starts from."""

    target: float
    source: float


class Trial(Record):
    """One training run of the search."""

    number: int
    n_target: int
    seed: int
    folder: str
    target_before: float | None = None
    target_after: float | None = None
    source_before: float | None = None
    source_after: float | None = None
    seconds: float | None = None
    state: str

    @property
    def gain(self) -> float | None:
        if self.target_before is None or self.target_after is None:
            return None
        return self.target_after - self.target_before


class CurvePoint(Record):
    """What the search estimates at one number of target problems."""

    n: int
    gain: float
    """Rise over the base model's pass rate; low and high bound its 95% interval."""
    gain_low: float
    gain_high: float
    retention: float | None = None
    """Source pass rate as a share of that at n = 0; None where that is 0."""
    retention_low: float | None = None
    retention_high: float | None = None
    p_success: float | None = None
    seeds: int


class Minimum(Record):
    """The answer: the smallest number of target problems that is enough."""

    reached: bool
    n: int | None = None
    low: int | None = None
    high: int | None = None
    """Ends of the 90% interval; None where they lie beyond `n_max`."""
    high_censored: bool = False
    """The interval's upper end lies beyond `n_max`."""
    n_max: int


class Transfer(Record):
    """transfer.json."""

    name: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    ask: Ask
    base: Base
    trials: tuple[Trial, ...]
    curve: tuple[CurvePoint, ...]
    minimum: Minimum | None
    """None while the search goes on."""

    def retention(self, trial: Trial) -> float | None:
        """The trial's source pass rate as a share of what the source alone reaches (mean at 0)."""
        alone = [t.source_after for t in self.trials if t.n_target == 0 and t.source_after]
        if trial.source_after is None or not alone:
            return None
        return trial.source_after * len(alone) / sum(alone)


def read_run(folder: Path) -> Run:
    """Read a run's folder. Raises `ValueError` where it is none or a file of it is broken."""
    training, sft = folder / "training", folder / "sft"
    summary, data = folder / "summary.json", sft / "data.json"
    pool = sft / "pool.jsonl" if (sft / "pool.jsonl").exists() else folder / "pool.jsonl"
    return Run(
        folder=folder,
        provenance=read_provenance(folder),
        summary=json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {},
        pool=tuple(_lines(pool, PoolRow.model_validate)),
        evaluations=_unique(_lines(folder / "evaluations.jsonl", EvaluationRow.from_json)),
        curriculum=tuple(_lines(training / "curriculum.jsonl", CurriculumRow.model_validate)),
        metrics=tuple(_lines(training / "metrics.jsonl", dict)),
        sft_data=json.loads(data.read_text(encoding="utf-8")) if data.exists() else {},
        sft_metrics=tuple(_lines(sft / "metrics.jsonl", dict)),
    )


def read_provenance(folder: Path) -> Provenance:
    path = folder / "config.json"
    if not path.exists():
        raise ValueError(f"a run's folder must hold config.json, but got folder={str(folder)!r}")
    return Provenance.model_validate_json(path.read_bytes())


def read_transfer(folder: Path) -> Transfer:
    """Read a transfer search's folder. Raises `ValueError` where it is none."""
    path = folder / "transfer.json"
    if not path.exists():
        raise ValueError(
            f"a transfer search's folder must hold transfer.json, but got folder={str(folder)!r}"
        )
    return Transfer.model_validate_json(path.read_bytes())


def _unique(rows: list[EvaluationRow]) -> tuple[EvaluationRow, ...]:
    """A resumed run may write an evaluation again: the last line of each problem counts."""
    return tuple({(row.phase, row.step, row.uid): row for row in rows}.values())


def _lines(path: Path, make: Callable[[Any], T]) -> list[T]:
    """A record a line. Split at newlines alone: a JSON string may hold other line separators."""
    if not path.exists():
        return []
    *whole, cut_off = path.read_text(encoding="utf-8").split("\n")
    records: list[T] = []
    for number, line in enumerate([*whole, cut_off] if _is_json(cut_off) else whole, start=1):
        try:
            records.append(make(json.loads(line)))
        except (ValueError, TypeError) as error:
            rule = "must be a JSON object with the fields of its file"
            raise ValueError(f"{path}:{number} {rule}, but got {line[:80]!r}: {error}") from error
    return records


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
