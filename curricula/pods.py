"""PODS: of n rollouts train on the m whose rewards vary most (Xu et al. 2025, arXiv:2504.13818),
around any curriculum.

The subset of m with the largest variance is always the i lowest and m - i highest rewards for some
i (their Theorem 1), so sorting and m + 1 sums find it in O(n log n); for 0/1 rewards it is half
right and half wrong where there are enough of both.

Assumption: generating is cheap against updating, and contrast is what an update learns from; the
trainer can train on some rollouts of a group (it calls `choose`). In the published code
(YixuanEvenXu/pods, trainer/maxvargrpo_trainer.py): the variance of each of the m + 1 subsets is
computed anew, O(n m); advantages are normalised over the chosen rollouts only, which the trainer
decides, not we. Ours: prefix sums; ties broken by the order of the rollouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from curricula.base import Choice, Curriculum, Item, Outcome
from curricula.machinery.wrapper import Wrapper, WrappingCurriculum


class PODS(Wrapper):
    """Train on the rollouts that differ most."""

    kind: Literal["pods"] = "pods"
    keep: int = Field(4, ge=2)
    """m: rollouts of each group to train on."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        return PODSCurriculum(self.wraps.build(pool, steps, seed), self.keep)


class PODSCurriculum(WrappingCurriculum):
    """Narrows the inner curriculum's choice."""

    def __init__(self, inner: Curriculum, keep: int) -> None:
        super().__init__(inner)
        self.keep = keep

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        choices = self.inner.choose(outcomes)
        pairs = zip(choices, outcomes, strict=True)
        return tuple(most_varied(choice, outcome.rewards, self.keep) for choice, outcome in pairs)


def most_varied(choice: Choice, rewards: Sequence[float], keep: int) -> Choice:
    """The `keep` of the chosen rollouts with the largest variance of rewards, in their order."""
    if len(choice) <= keep:
        return choice
    values = np.array([rewards[i] for i in choice], float)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    lows = np.arange(keep + 1)  # how many of the lowest are taken
    variances = [_sums(ordered, lows, keep, power) / keep for power in (2, 1)]
    low = int(np.argmax(variances[0] - variances[1] ** 2))
    taken = np.concatenate([order[:low], order[len(order) - (keep - low) :]])
    return tuple(choice[i] for i in sorted(taken))


def _sums(ordered: np.ndarray, lows: np.ndarray, keep: int, power: int) -> np.ndarray:
    """Sums of powers over the `lows` lowest and `keep` - `lows` highest, shape as `lows`."""
    sums = np.concatenate([[0.0], np.cumsum(ordered**power)])
    return np.asarray(sums[lows] + sums[-1] - sums[len(ordered) - (keep - lows)])
