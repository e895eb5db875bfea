"""Reversible pools: easy, normal and hard, drawn with different weights, and back again (prime-rl).

A problem's pool is where its current pass rate lies; a problem of pool i is drawn with weight w_i:
hard (up to .25) .2, normal (up to .75) 1, easy .2, unseen 1. Nothing is thrown away: what gets hard
or easy comes back when it changes.

Assumption: pass rates in the middle teach most, and the rest is worth a fifth of the looks. In the
published code (PrimeIntellect-ai/prime-rl, src/prime_rl/orchestrator/curriculum/samplers/pool.py):
the pool follows from the mean of the *latest* group alone, so one unlucky group of eight moves a
problem to a fifth; every single draw makes a list of N weights; draws are with replacement; it
refuses pools whose weights come to 0 in the middle of a run. Ours: the mean of a faded belief
(curricula/machinery/beliefs.py); without replacement, a problem being passed over with probability
1 - w / max w; the batch is filled whatever happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.beliefs import BelievingCurriculum
from curricula.machinery.drawing import PoolScheduler
from curricula.machinery.pool import Pool, Rows
from domains.base import Settings


class Part(Settings):
    """One pool."""

    up_to: float = Field(ge=0, le=1)
    """Largest expected pass rate in it."""
    weight: float = Field(ge=0)


class Pools(PoolScheduler):
    """Draw the middle more often, and let problems move."""

    kind: Literal["pools"] = "pools"
    pools: dict[str, Part] = Field(
        {
            "hard": Part(up_to=0.25, weight=0.2),
            "normal": Part(up_to=0.75, weight=1.0),
            "easy": Part(up_to=1.0, weight=0.2),
        },
        min_length=1,
    )
    """In order of rising pass rate; the last holds all above too."""
    unseen: float = Field(1.0, ge=0)
    """Weight of a problem without outcomes and without a measured pass rate."""
    keep: float = Field(0.5, ge=0, le=1)
    """Share of the old evidence that stays when new comes."""
    prior_weight: float = Field(4.0, ge=0)
    """Rollouts that the pass rate measured before training counts as."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        ends = [part.up_to for part in self.pools.values()]
        if any(b <= a for a, b in pairwise(ends)):
            raise ValueError(f"pools must have rising `up_to`, but got {ends}")
        if max([self.unseen, *(part.weight for part in self.pools.values())]) <= 0:
            raise ValueError("pools must have at least one weight above 0")
        return self

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return PoolsCurriculum(chosen, steps, seed, self, rows)


class PoolsCurriculum(BelievingCurriculum):
    """Passes over problems according to the pool they are in."""

    def __init__(self, pool: Pool, steps: int, seed: int, settings: Pools, rows: Rows) -> None:
        super().__init__(
            pool, steps, seed, rows, "pools",
            keep=settings.keep, prior_weight=settings.prior_weight,
        )  # fmt: skip
        self.measured = ~np.isnan(pool.pass_rates) & (settings.prior_weight > 0)
        parts = settings.pools.values()
        self.names = (*settings.pools, "unseen")
        self.ends = np.array([part.up_to for part in parts][:-1])
        self.weights = np.array([*(part.weight for part in parts), settings.unseen])
        self.trained_on = np.zeros(len(pool), bool)
        self.trained_on[rows] = True
        self.sizes = self._count(rows)
        """Problems in each pool."""

    def draw(self, count: int) -> Rows:
        rng = self.generator()
        chances = self.weights / self.weights.max()
        return self.deck.draw_where(
            count, lambda rows: rng.random(len(rows)) < chances[self.part_of(rows)]
        )

    def part_of(self, rows: Rows) -> NDArray[np.int64]:
        """The index of each row's pool, shape (rows,); the last one is unseen."""
        part = np.searchsorted(self.ends, self.beliefs.mean(rows), "left")
        known = self.beliefs.seen[rows] | self.measured[rows]
        return np.where(known, part, len(self.names) - 1)

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        moved = np.unique(np.array(rows, np.int32))
        moved = moved[self.trained_on[moved]]
        self.sizes -= self._count(moved)
        super().learn(rows, outcomes)
        self.sizes += self._count(moved)

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.sizes = self._count(self.deck.rows)

    def metrics(self) -> dict[str, float]:
        pairs = zip(self.names, self.sizes, strict=True)
        return {f"curriculum/pool/{name}": float(size) for name, size in pairs}

    def _count(self, rows: Rows) -> NDArray[np.int64]:
        return np.bincount(self.part_of(rows), minlength=len(self.names))
