"""Statistics on evaluation rows: pass@k with intervals, counts of verdicts, paired differences.

pass@k is the chance that at least one of k completions is correct. Its unbiased estimate from n
completions of which c are correct is 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, 2107.03374).

Intervals are percentiles of a bootstrap that resamples problems, not completions: completions of
one problem resemble one another, so a problem is the unit of evidence. A group whose problems all
have one value therefore gets an interval of width zero; read it together with its n.

A completion that the checker failed on says nothing about the model: it is counted apart, in
`verifier_errors`, and is no part of n.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

Phase = Literal["before", "sft", "during", "after"]
PHASES: tuple[Phase, ...] = get_args(Phase)
GroupBy = Literal["phase", "step", "domain", "source", "bucket"]
Group = tuple[str | int | None, ...]

RESAMPLES = 2_000
BLOCK = 2_000_000
"""Most problems drawn at once, resamples times problems: bounds the memory of a bootstrap."""


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """How the completions of one problem were judged at one step: a line of evaluations.jsonl."""

    phase: Phase
    step: int
    """Steps of reinforcement learning done; 0 before it, and after SFT too."""
    uid: str
    domain: str
    source: str
    bucket: str | None
    n: int
    """Judged completions: correct + wrong + no_answer + truncated."""
    correct: int
    wrong: int
    no_answer: int
    truncated: int
    verifier_errors: int
    """Completions that the checker failed on; not part of `n`."""

    def __post_init__(self) -> None:
        judged = self.correct + self.wrong + self.no_answer + self.truncated
        if self.n != judged:
            raise ValueError(
                "n must be correct + wrong + no_answer + truncated (verifier errors are counted "
                f"apart), but got n={self.n} and {judged} for uid={self.uid!r}"
            )
        if self.phase not in PHASES:
            raise ValueError(f"phase must be one of {PHASES}, but got phase={self.phase!r}")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """A row from a line's JSON object; `ValueError` names the keys it lacks."""
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in values]:
            raise ValueError(f"an evaluation row must have {names}, but got no {missing}")
        return cls(**{name: values[name] for name in names})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems with its 95% interval; all NaN where no problem has n >= k."""

    mean: float
    low: float
    high: float
    n_problems: int
    """Problems that the mean is over: those with at least k judged completions."""


@dataclass(frozen=True, slots=True)
class Summary:
    """pass@k of one group of rows, and how its completions were judged."""

    group: Group
    """The values of `by`, in its order."""
    k: int
    pass_at_k: Estimate
    n_problems: int
    """All problems of the group, those with fewer than k completions among them."""
    n_samples: int
    """Judged completions."""
    correct: int
    wrong: int
    no_answer: int
    truncated: int
    verifier_errors: int


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased chance in [0, 1] that one of k completions is correct; NaN where n < k.

    Raises `ValueError` unless 0 <= c <= n and k >= 1.
    """
    if not 0 <= c <= n:
        raise ValueError(f"correct completions must be between 0 and n, but got {c=} with {n=}")
    if k < 1:
        raise ValueError(f"k must be at least 1, but got {k=}")
    return math.nan if n < k else 1.0 - math.comb(n - c, k) / math.comb(n, k)


def summarise(
    rows: Sequence[EvaluationRow], k: int, by: Sequence[GroupBy] = (), seed: int = 0
) -> list[Summary]:
    """One summary a group, in the order in which the groups first occur; `by=()` is one group.

    Raises `ValueError` where a group holds a problem twice: rows of several steps cannot be
    averaged as though they were several problems.
    """
    return [_summary(group, members, k, seed) for group, members in grouped(rows, by).items()]


def paired_difference(
    before: Iterable[EvaluationRow], after: Iterable[EvaluationRow], k: int, seed: int = 0
) -> Estimate:
    """Mean of pass@k after minus before, over the problems that have both.

    Pairing takes the differences between problems out of the interval, which makes it much
    narrower than the two intervals side by side suggest.
    """
    first, second = _values(before, k), _values(after, k)
    shared = sorted(first.keys() & second.keys())
    return bootstrap_mean([second[uid] - first[uid] for uid in shared], seed, f"difference:{k}")


def grouped(
    rows: Iterable[EvaluationRow], by: Sequence[GroupBy]
) -> dict[Group, list[EvaluationRow]]:
    """Rows by the values of some of their fields."""
    groups: dict[Group, list[EvaluationRow]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, name) for name in by), []).append(row)
    return groups


def _summary(group: Group, rows: Sequence[EvaluationRow], k: int, seed: int) -> Summary:
    values = _values(rows, k)
    estimate = bootstrap_mean([values[uid] for uid in sorted(values)], seed, json.dumps([group, k]))
    return Summary(
        group=group,
        k=k,
        pass_at_k=estimate,
        n_problems=len(rows),
        n_samples=sum(row.n for row in rows),
        correct=sum(row.correct for row in rows),
        wrong=sum(row.wrong for row in rows),
        no_answer=sum(row.no_answer for row in rows),
        truncated=sum(row.truncated for row in rows),
        verifier_errors=sum(row.verifier_errors for row in rows),
    )


def _values(rows: Iterable[EvaluationRow], k: int) -> dict[str, float]:
    """pass@k by uid, for the problems with at least k completions."""
    values: dict[str, float] = {}
    for row in rows:
        if row.uid in values:
            raise ValueError(
                f"a group must hold each problem once, but got uid={row.uid!r} twice "
                "(evaluate one step at a time, or group by step)"
            )
        values[row.uid] = pass_at_k(row.n, row.correct, k)
    return {uid: value for uid, value in values.items() if not math.isnan(value)}


def bootstrap_mean(values: Sequence[float], seed: int, name: str) -> Estimate:
    """Mean and 2.5th and 97.5th percentile of the means of resampled problems.

    The generator comes from the seed and the group's own name, so one group's interval does not
    depend on which other groups are asked for.
    """
    if not values:
        return Estimate(math.nan, math.nan, math.nan, 0)
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8]))
    table = np.asarray(values, dtype=np.float64)
    size = max(1, BLOCK // len(table))
    means: list[NDArray[np.float64]] = []
    for start in range(0, RESAMPLES, size):
        shape = (min(size, RESAMPLES - start), len(table))
        means.append(table[generator.integers(0, len(table), shape)].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float(table.mean()), float(low), float(high), len(table))
