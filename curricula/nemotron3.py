"""Nemotron 3's curriculum: a Gaussian over pass rates that drifts from easy to hard, domain by
domain (NVIDIA 2025, Nemotron 3 Nano, arXiv:2512.20848, section 3.2.2).

Problems that the first checkpoint always solves are dropped; domains keep a fixed share of each
batch; within a domain the pass rates of a batch follow a Gaussian whose mean falls linearly over
the training; when progress stalls the pool is profiled anew and the curriculum begins again.

Assumption: harder problems can be learnt from in time, and the speed is known beforehand. No code
is published and the report prints neither means nor width: the axis of its figure goes from about
.7 to .4. Ours: each place of a batch draws its own target from the Gaussian and takes the nearest
problem not drawn yet, or from anew where all within a width of it have been; a posterior mean is
never exactly 1, so what is dropped is what lies above `keep_below`; a domain that would lose every
problem keeps them. Profiling anew is a part of a `sequence` that follows a second scoring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item
from curricula.machinery.deck import apportion
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.names import UnknownName
from curricula.machinery.nearest import NearestDeck
from curricula.machinery.pool import Pool, Rows


class Nemotron3(PoolScheduler):
    """Move a Gaussian over pass rates from easy to hard."""

    kind: Literal["nemotron3"] = "nemotron3"
    start: float = Field(0.7, ge=0, le=1)
    """Mean pass rate that is aimed at first."""
    end: float = Field(0.4, ge=0, le=1)
    """And at last."""
    width: float = Field(0.15, gt=0)
    """Standard deviation of the aimed pass rates."""
    keep_below: float = Field(0.94, gt=0, le=1)
    """Problems with a higher posterior mean are dropped (8 right of 8 is about .94)."""
    shares: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Domain: its share of each batch; empty for shares by size. One left out is not drawn."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.scored(pool)
        groups = chosen.groups(rows, "domain", "curriculum")
        for domain in self.shares:
            if domain not in groups:
                raise UnknownName("curriculum.shares", domain, groups)
        drawn_from = {d: m for d, m in groups.items() if self.shares.get(d, not self.shares)}
        if not drawn_from:
            raise ValueError(f"curriculum.shares must be above 0 once, but got {self.shares}")
        unsolved = {d: m[chosen.pass_rates[m] <= self.keep_below] for d, m in drawn_from.items()}
        kept = {d: m if len(m) else drawn_from[d] for d, m in unsolved.items()}
        shares = {domain: self.shares.get(domain, float(len(m))) for domain, m in kept.items()}
        return Nemotron3Curriculum(chosen, steps, seed, self, kept, shares)

    def mean(self, progress: float) -> float:
        """The aimed pass rate when `progress` in [0, 1] of the training is done."""
        return self.start + (self.end - self.start) * progress


class Nemotron3Curriculum(DrawingCurriculum):
    """Draws each place's target pass rate, then the nearest problem."""

    def __init__(
        self,
        pool: Pool,
        steps: int,
        seed: int,
        settings: Nemotron3,
        groups: Mapping[str, Rows],
        shares: Mapping[str, float],
    ) -> None:
        super().__init__(pool, steps, seed)
        self.settings, self.shares = settings, dict(shares)
        rates = pool.pass_rates
        self.decks = {n: NearestDeck(rows, rates[rows]) for n, rows in groups.items()}

    @property
    def mean(self) -> float:
        return self.settings.mean(max(0, self.step - 1) / max(1, self.steps - 1))

    def draw(self, count: int) -> Rows:
        rng = self.generator()
        drawn = [np.zeros(0, np.int32)]
        for name, n in apportion(self.shares, count, rng).items():
            aimed = np.clip(rng.normal(self.mean, self.settings.width, n), 0, 1)
            drawn.append(self.decks[name].draw(aimed, self.settings.width, rng))
        together = np.concatenate(drawn)
        return together[rng.permutation(len(together))]

    def state(self) -> dict[str, Any]:
        return {"decks": {name: deck.state() for name, deck in self.decks.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name, deck in self.decks.items():
            deck.restore(state["decks"][name])

    def metrics(self) -> dict[str, float]:
        return {"curriculum/target_pass_rate": self.mean}
