"""DUMP: an upper-confidence bandit over distributions (Wang et al. 2025, arXiv:2504.09710).

Arms are the distributions that the data were made from (sources, sizes, domains). Score of arm c:
mean |A| over its last `window` rollouts + sqrt(2 ln(N + 1) / (n_c + 1)), with n_c rollouts of c out
of N; arms are drawn with probability ~ exp(score / tau).

Assumption: as SEC's, and that an arm that was hardly tried deserves to be. In the published code
(ZhentingWang/DUMP, verl/utils/curriculum_learning.py): success is `reward >= 3` under a comment
that says 1, the scale of one project's rewards, beside a second rate that does use 1; the Beta
counts they feed are never used; problems are drawn with replacement; every error while sampling is
swallowed up to a hundred times and a batch may then be short; `__len__` says batches and returns
rows. Ours needs no success test, draws without replacement within a pass, and saves its windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, sqrt
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.arms import Arms, Values, softmax
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import absolute_advantage


class DUMP(PoolScheduler):
    """Draw from where advantages are large or little is known."""

    kind: Literal["dump"] = "dump"
    arms: tuple[str, ...] = Field(("domain", "bucket"), min_length=1)
    """Columns whose values make an arm: domain, source, bucket, a label, or several."""
    window: int = Field(300, ge=1)
    """Rollouts of an arm that its mean |A| is taken over."""
    temperature: float = Field(0.1, gt=0)
    """tau."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        arms = Arms(chosen, rows, self.arms, seed, "dump")
        return DUMPCurriculum(chosen, steps, seed, arms, self)


class DUMPCurriculum(DrawingCurriculum):
    """Keeps a window of groups for every arm."""

    def __init__(self, pool: Pool, steps: int, seed: int, arms: Arms, settings: DUMP) -> None:
        super().__init__(pool, steps, seed)
        self.arms, self.settings = arms, settings
        self.counts = [0] * len(arms)
        """Rollouts seen of each arm."""
        self.windows: list[list[tuple[float, int]]] = [[] for _ in range(len(arms))]
        """(mean |A|, rollouts) of each arm's last groups, the newest last."""

    @property
    def scores(self) -> Values:
        total = log(sum(self.counts) + 1)
        means = [
            sum(mean * n for mean, n in window) / max(1, sum(n for _, n in window))
            for window in self.windows
        ]
        pairs = zip(means, self.counts, strict=True)
        return np.array([mean + sqrt(2 * total / (n + 1)) for mean, n in pairs])

    def draw(self, count: int) -> Rows:
        probabilities = softmax(self.scores, self.settings.temperature)
        return self.arms.draw(probabilities, count, self.generator())

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        for row, outcome in zip(rows, outcomes, strict=True):
            arm, advantage = int(self.arms.arm_of[row]), absolute_advantage(outcome)
            if arm < 0 or advantage is None:
                continue
            self.counts[arm] += len(outcome.rewards)
            self.windows[arm] = self._last([*self.windows[arm], (advantage, len(outcome.rewards))])

    def state(self) -> dict[str, Any]:
        return {
            "counts": list(self.counts),
            "windows": list(self.windows),
            "arms": self.arms.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.counts = list(state["counts"])
        self.windows = [[(mean, n) for mean, n in window] for window in state["windows"]]
        self.arms.restore(state["arms"])

    def metrics(self) -> dict[str, float]:
        return {
            **self.arms.metrics("score", self.scores),
            **self.arms.metrics("share", softmax(self.scores, self.settings.temperature)),
        }

    def _last(self, groups: list[tuple[float, int]]) -> list[tuple[float, int]]:
        """The newest groups that make up a window of rollouts; the oldest is counted in part."""
        left, kept = self.settings.window, []
        for mean, n in reversed(groups):
            if left <= 0:
                break
            kept.append((mean, min(n, left)))
            left -= n
        return kept[::-1]
