"""Replay: a share of each batch for problems that were trained on a while ago, around any
curriculum.

The usual guard against forgetting (Rolnick et al. 2019, arXiv:1811.11682, experience replay), on
prompts instead of transitions: replayed prompts are rolled out by the policy of today. A problem
may come back when `gap` steps have passed since its last outcome and its last group was good
enough.

Assumption: what was learnt once is lost when it is not practised, and a random part of it stands
for all. Where we differ: nothing is stored but the step of each problem's last outcome.
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


class Replay(Wrapper):
    """Come back to what was trained on."""

    kind: Literal["replay"] = "replay"
    share: float = Field(0.2, gt=0, lt=1)
    """Of each batch, as soon as there is enough to replay."""
    gap: int = Field(10, ge=1)
    """Steps since a problem's last outcome."""
    at_least: float = 0.0
    """Least mean reward of its last group; above 0, only what was solved is replayed."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        columns = Pool.of(pool)
        return ReplayCurriculum(self.wraps.build(columns, steps, seed), columns, seed, self)


class ReplayCurriculum(WrappingCurriculum):
    """Remembers when each problem was last trained on."""

    def __init__(self, inner: Curriculum, pool: Pool, seed: int, settings: Replay) -> None:
        super().__init__(inner)
        self.pool, self.seed, self.settings = pool, seed, settings
        self.last = np.zeros(len(pool), np.int32)
        """Step of the last outcome; 0 where there is none that may be replayed."""
        self.step = 0
        self.replayed = 0

    def next_batch(self, size: int) -> Batch | None:
        asked = round(size * self.settings.share)
        latest = self.step + 1 - self.settings.gap
        rows = np.flatnonzero((self.last > 0) & (self.last <= latest))
        count = min(asked, len(rows))
        batch = super().next_batch(size - count)
        if batch is None:
            return None
        rng = generator(self.seed, "replay", self.step + 1)
        again = rng.choice(rows, min(2 * size, len(rows)), replace=False)
        # What the inner curriculum has just drawn itself need not be drawn again.
        others = [u for u in self.pool.uids_of(again) if u not in batch.uids][:count]
        missing = size - len(batch.uids) - len(others)
        further = super().more(missing) if missing else ()
        self.step, self.replayed = batch.step, len(others)
        return Batch(batch.step, batch.stage, (*batch.uids, *further, *others))

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            row, rewards = self.pool.row_of(outcome.uid), graded_rewards(outcome)
            if row is not None and rewards:
                self.last[row] = self.step if fmean(rewards) >= self.settings.at_least else 0
        super().observe(outcomes)

    def own_state(self) -> dict[str, Any]:
        return {"last": packed(self.last), "step": self.step}

    def restore_own(self, state: Mapping[str, Any]) -> None:
        self.last, self.step = unpacked(state["last"], np.int32), state["step"]

    def own_metrics(self) -> dict[str, float]:
        return {"curriculum/replayed": float(self.replayed)}
