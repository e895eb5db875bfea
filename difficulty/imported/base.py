"""Pass rates that others measured: another model, prompt, decoding or checker, and marked as such.

They put problems into buckets without a completion of one's own, and stand beside one's own in
`curricle drift`. What is missing is missing, never 0. Whoever measured did not tell wrong answers
from missing or truncated ones, so every failure stands as wrong, and no filter sees a truncation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from difficulty.pass_rate import PassRate
from difficulty.store.counted_rows import least_n
from domains.base import Settings
from domains.problem import Problem


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one problem."""

    rate: float
    """In [0, 1]."""
    n: int | None = None
    """Completions behind it, where that is known of this problem."""


@dataclass(frozen=True, slots=True)
class ImportedRates:
    """The pass rates of a problem set, with their origin."""

    rates: list[PassRate]
    """In the problems' order; n = 0 where there is none."""
    source: str
    """Who measured."""
    model: str
    """Whose rates they are."""
    missing: int
    """Problems without a rate."""
    zeros: int
    """Those of them with a rate of exactly 0.0 that was taken as missing."""

    @property
    def origin(self) -> str:
        """In a few words, to stand beside every rate."""
        return f"{self.source}, {self.model}"


class Imported(Settings, ABC):
    """Settings that say where others' pass rates are."""

    samples: int | None = Field(None, ge=1)
    """Completions behind each rate. None is what the source says, or else the least number that
    all its rates can come from."""
    zero_is_missing: bool = False
    """Whether a rate of exactly 0.0 says that nothing was measured."""

    @property
    @abstractmethod
    def origin(self) -> tuple[str, str]:
        """(source, model)."""

    @abstractmethod
    def measured(self, problems: Sequence[Problem]) -> list[Measured | None]:
        """What is known of each problem, in their order.

        Raises `ValueError` when nothing is known of any, or a rate is outside [0, 1].
        """

    def read(self, problems: Sequence[Problem]) -> ImportedRates:
        """The pass rates of all problems."""
        found = self.measured(problems)
        zeros = 0
        if self.zero_is_missing:
            zeros = sum(1 for one in found if one and one.rate == 0)
            found = [None if one and one.rate == 0 else one for one in found]
        bare = {one.rate for one in found if one and one.n is None}
        n_of_bare = self.samples or least_n(sorted(bare))
        rates = [
            _as_counts(problem, one, n_of_bare)
            for problem, one in zip(problems, found, strict=True)
        ]
        missing = sum(1 for rate in rates if rate.n == 0)
        return ImportedRates(rates, *self.origin, missing, zeros)


def _as_counts(problem: Problem, one: Measured | None, n_of_bare: int) -> PassRate:
    n = 0 if one is None else n_of_bare if one.n is None else one.n
    correct = round(one.rate * n) if one else 0
    return PassRate(problem.uid, problem.domain, correct, n - correct, 0, 0, 0)
