"""What is believed of each problem's pass rate while it changes under training.

Beta(a, b) for every problem, in two float32 arrays. A group of n rollouts with s right moves it to
a <- keep a + (1 - keep) a0 + s and b <- keep b + (1 - keep) b0 + n - s: old evidence fades, since
the policy that gave it is gone, and the prior comes back in its place (Qu et al. 2025,
arXiv:2507.04632).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.base import Outcome
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum
from curricula.machinery.packing import packed, packed_flags, unpacked, unpacked_flags
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import graded_rewards, successes

Numbers = NDArray[np.float32]


class Beliefs:
    """Beta parameters of every problem of a pool."""

    def __init__(self, pool: Pool, keep: float, prior_weight: float) -> None:
        """`prior_weight`: pseudo-rollouts that the pass rate measured before training counts as."""
        self.keep = np.float32(keep)
        self.rates = np.nan_to_num(pool.pass_rates, nan=0.5).astype(np.float32)
        self.weight = np.where(np.isnan(pool.pass_rates), 0, prior_weight).astype(np.float32)
        self.right, self.wrong = self._prior(slice(None))
        self.seen = np.zeros(len(pool), bool)
        """Which problems have had outcomes in this training."""

    def mean(self, rows: Rows) -> Numbers:
        """Expected pass rate, shape (rows,)."""
        means: Numbers = self.right[rows] / (self.right[rows] + self.wrong[rows])
        return means

    def sample(self, rows: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
        """A pass rate drawn from each belief, shape (rows,)."""
        return rng.beta(self.right[rows], self.wrong[rows])

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Take groups into account; those that no verifier could judge say nothing."""
        for row, outcome in zip(rows, outcomes, strict=True):
            rewards = graded_rewards(outcome)
            if not rewards:
                continue
            prior_right, prior_wrong = self._prior(row)
            right, fade = np.float32(successes(rewards)), np.float32(1) - self.keep
            wrong = np.float32(len(rewards)) - right
            self.right[row] = self.keep * self.right[row] + fade * prior_right + right
            self.wrong[row] = self.keep * self.wrong[row] + fade * prior_wrong + wrong
            self.seen[row] = True

    def state(self) -> dict[str, str]:
        """Only the problems that have had outcomes take any room."""
        pairs = {"right": self.right[self.seen], "wrong": self.wrong[self.seen]}
        return {"seen": packed_flags(self.seen), **{n: packed(a) for n, a in pairs.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.seen = unpacked_flags(state["seen"], len(self.seen))
        self.right, self.wrong = self._prior(slice(None))
        self.right[self.seen] = unpacked(state["right"], np.float32)
        self.wrong[self.seen] = unpacked(state["wrong"], np.float32)

    def _prior(self, rows: int | slice) -> tuple[Numbers, Numbers]:
        """One pseudo-rollout each way, and those of the measured rate."""
        rate, weight = self.rates[rows], self.weight[rows]
        one = np.float32(1)
        return np.asarray(one + weight * rate), np.asarray(one + weight * (one - rate))


class BelievingCurriculum(DrawingCurriculum):
    """Draws from one deck by what it believes of each problem; `draw` is the scheduler's own."""

    def __init__(
        self,
        pool: Pool,
        steps: int,
        seed: int,
        rows: Rows,
        name: str,
        *,
        keep: float,
        prior_weight: float,
    ) -> None:
        """`rows`: the problems to train on; `name` tells the deck's order from others'."""
        super().__init__(pool, steps, seed)
        self.deck = Deck(rows, seed, name)
        self.beliefs = Beliefs(pool, keep, prior_weight)

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        self.beliefs.learn(rows, outcomes)

    def state(self) -> dict[str, Any]:
        return {"deck": self.deck.state(), "beliefs": self.beliefs.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.deck.restore(state["deck"])
        self.beliefs.restore(state["beliefs"])
