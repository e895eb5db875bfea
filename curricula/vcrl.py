"""VCRL: keep the groups with a large variance of rewards, and a bank of them to come back to (Jiang
et al. 2025, arXiv:2509.19803).

With k of G rollouts right, s2 = k (G - k) / (G (G - 1)) and p = s2 / s2max, where s2max is its
largest value for that G. Groups with p < kappa (.3 for the first 20 steps, then .8) are dropped,
and prompts from a memory bank take their places; the bank keeps the prompts with the largest
priority P <- m P + (1 - m) p (m = .9), each coming back twice at most.

Assumption: the variance of one group tells where the frontier is. We know the algorithm and its
numbers from reviews of the paper; no code is published. Ours: a step is rolled out once, so prompts
of the bank take the places in the *next* batch that low groups wasted in this one; the trainer that
can choose leaves low groups out of the update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import variance
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Choice, Curriculum, Item, Outcome
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import graded_rewards


class VCRL(PoolScheduler):
    """Keep what varies, and come back to it."""

    kind: Literal["vcrl"] = "vcrl"
    first_kappa: float = Field(0.3, ge=0, le=1)
    """Least p of a group that is kept, in the first steps."""
    first_steps: int = Field(20, ge=0)
    kappa: float = Field(0.8, ge=0, le=1)
    """Least p of a group that is kept, after them."""
    momentum: float = Field(0.9, ge=0, le=1)
    """Weight of a prompt's old priority."""
    returns: int = Field(2, ge=0)
    """How often a prompt of the bank may come back."""
    bank: int = Field(256, ge=0)
    """Prompts that the bank holds."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return VCRLCurriculum(chosen, steps, seed, self, rows)


def normalised_variance(rewards: Sequence[float]) -> float:
    """p in [0, 1]: the unbiased variance over the largest that rewards in [0, 1] can have."""
    n = len(rewards)
    if n < 2:
        return 0.0
    half = n // 2
    return min(1.0, variance(rewards) / (half * (n - half) / (n * (n - 1))))


class VCRLCurriculum(DrawingCurriculum):
    """Draws from the deck and from the bank."""

    def __init__(self, pool: Pool, steps: int, seed: int, settings: VCRL, rows: Rows) -> None:
        super().__init__(pool, steps, seed)
        self.settings = settings
        self.deck = Deck(rows, seed, "vcrl")
        self.bank: dict[int, tuple[float, int]] = {}
        """Row: (priority, how often it came back)."""
        self.wasted = 0
        """Groups of the last step with too little variance."""

    @property
    def kappa(self) -> float:
        first = self.step <= self.settings.first_steps
        return self.settings.first_kappa if first else self.settings.kappa

    def draw(self, count: int) -> Rows:
        ready = [r for r, (_, came) in self.bank.items() if came < self.settings.returns]
        best = sorted(ready, key=lambda row: (-self.bank[row][0], row))[: min(self.wasted, count)]
        for row in best:
            priority, came = self.bank[row]
            self.bank[row] = (priority, came + 1)
        banked = np.array(best, np.int32)
        fresh = self.deck.draw_where(count - len(best), lambda rows: ~np.isin(rows, banked))
        return np.concatenate([fresh, banked])

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        everything = super().choose(outcomes)
        kept = [normalised_variance(graded_rewards(o)) >= self.kappa for o in outcomes]
        if not any(kept):  # a trainer needs something to train on
            return everything
        return tuple(c if k else () for c, k in zip(everything, kept, strict=True))

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        momentum = self.settings.momentum
        self.wasted = 0
        for row, outcome in zip(rows, outcomes, strict=True):
            rewards = graded_rewards(outcome)
            if not rewards:
                continue
            spread = normalised_variance(rewards)
            if spread < self.kappa:
                self.wasted += 1
            if row in self.bank:
                priority, came = self.bank[row]
                self.bank[row] = (momentum * priority + (1 - momentum) * spread, came)
            elif spread >= self.kappa:
                self.bank[row] = (spread, 0)
        used_up = [row for row, (_, came) in self.bank.items() if came >= self.settings.returns]
        for row in used_up:
            del self.bank[row]
        ordered = sorted(self.bank, key=lambda row: (-self.bank[row][0], row))
        for row in ordered[self.settings.bank :]:
            del self.bank[row]

    def state(self) -> dict[str, Any]:
        bank = [[row, *entry] for row, entry in sorted(self.bank.items())]
        return {"deck": self.deck.state(), "bank": bank, "wasted": self.wasted}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.deck.restore(state["deck"])
        self.bank = {row: (priority, came) for row, priority, came in state["bank"]}
        self.wasted = state["wasted"]

    def metrics(self) -> dict[str, float]:
        return {
            "curriculum/kappa": self.kappa,
            "curriculum/bank": float(len(self.bank)),
            "curriculum/wasted": float(self.wasted),
        }
