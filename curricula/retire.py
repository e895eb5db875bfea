"""Retirement: what has been mastered is hardly drawn any more, around any curriculum.

A problem whose last `groups` groups all had a mean reward of `above` or more is retired: when the
inner curriculum draws it, another is drawn in its place, but with probability `revisit` it stays,
so that what was forgotten is noticed: one weaker group, and it is back. No one paper: most recipes
drop what the first checkpoint solves once, before training, and for good.

Assumption: a solved problem teaches little. When nearly everything is mastered and `rounds` further
draws do not fill the batch, retired problems do: a batch is never short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Batch, Curriculum, Item, Outcome
from curricula.machinery.deck import generator
from curricula.machinery.packing import packed, unpacked
from curricula.machinery.pool import Pool
from curricula.machinery.signals import graded_rewards
from curricula.machinery.wrapper import Wrapper, WrappingCurriculum

_LONGEST = 127


class Retire(Wrapper):
    """Leave out what is mastered."""

    kind: Literal["retire"] = "retire"
    above: float = Field(0.9, gt=0)
    """Mean reward of a group from which it counts as mastered."""
    groups: int = Field(2, ge=1, le=_LONGEST)
    """Such groups in a row after which a problem is retired."""
    revisit: float = Field(0.02, ge=0, le=1)
    """Probability of drawing a retired problem nevertheless."""
    rounds: int = Field(8, ge=0)
    """Further draws that a batch may need."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        columns = Pool.of(pool)
        return RetireCurriculum(self.wraps.build(columns, steps, seed), columns, seed, self)


class RetireCurriculum(WrappingCurriculum):
    """Remembers how often in a row each problem was mastered."""

    def __init__(self, inner: Curriculum, pool: Pool, seed: int, settings: Retire) -> None:
        super().__init__(inner)
        self.pool, self.seed, self.settings = pool, seed, settings
        self.streaks = np.zeros(len(pool), np.int8)
        self.turn = 0

    def next_batch(self, size: int) -> Batch | None:
        batch = super().next_batch(size)
        return batch and Batch(batch.step, batch.stage, self._filled(batch.uids, size))

    def more(self, count: int) -> tuple[str, ...]:
        return self._filled(super().more(count), count)

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        further = super().refill(outcomes)
        return self._filled(further, len(further)) if further else further

    def selects(self) -> bool:
        return self.inner.selects()  # a refill is changed here, but not begun

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            row, rewards = self.pool.row_of(outcome.uid), graded_rewards(outcome)
            if row is not None and rewards:
                good = fmean(rewards) >= self.settings.above
                self.streaks[row] = min(_LONGEST, int(self.streaks[row]) + 1) if good else 0
        super().observe(outcomes)

    def own_state(self) -> dict[str, Any]:
        return {"streaks": packed(self.streaks), "turn": self.turn}

    def restore_own(self, state: Mapping[str, Any]) -> None:
        self.streaks, self.turn = unpacked(state["streaks"], np.int8), state["turn"]

    def own_metrics(self) -> dict[str, float]:
        return {"curriculum/retired": float((self.streaks >= self.settings.groups).mean())}

    def _filled(self, uids: tuple[str, ...], size: int) -> tuple[str, ...]:
        """`uids` with the retired among them replaced."""
        self.turn += 1
        rng = generator(self.seed, "retire", self.turn)
        kept: dict[str, None] = {}
        retired: dict[str, None] = {}
        repeated: list[str] = []
        for round_ in range(self.settings.rounds + 1):
            for uid in uids:
                if uid in kept or uid in retired:
                    repeated.append(uid)
                    continue
                row = self.pool.row_of(uid)
                mastered = row is not None and self.streaks[row] >= self.settings.groups
                out = mastered and rng.random() >= self.settings.revisit
                (retired if out else kept)[uid] = None
            missing = size - len(kept)
            if missing <= 0 or round_ == self.settings.rounds:
                break
            uids = self.inner.more(missing)
        return (*kept, *retired, *repeated)[:size]
