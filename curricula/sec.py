"""SEC: a bandit over parts of the pool, paid in absolute advantages (Chen et al. 2025,
arXiv:2505.14970, Self-Evolving Curriculum).

Arms are domains, buckets, or both. After a step Q_c <- (1 - lr) Q_c + lr mean|A| over the prompts
of arm c, zeros counted; each place of the next batch draws its arm with probability ~ exp(Q_c /
tau).

Assumption: a large mean |A| means that much is being learnt (for 0/1 rewards it is largest at a
pass rate of .5), and arms are alike inside. In the published code (read in Vincent-La/cofa, which
carries it, sec/verl/verl/utils/auto_curriculum/priority.py and dataloader.py): an arm without a
prompt in a step is updated with 0 instead of being left alone, so what is not drawn is forgotten at
the rate lr; exp(Q / tau) overflows for small tau; a refill of the arms starts when *any* arm is low
and refuses arms smaller than a batch; Q and the positions are not in the checkpoint, and the
generators are global. Ours: only arms with outcomes move, arms of any size, everything seeded and
saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.arms import Arms, Values, softmax
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows


class SEC(PoolScheduler):
    """Draw from where advantages are large."""

    kind: Literal["sec"] = "sec"
    arms: tuple[str, ...] = Field(("domain", "bucket"), min_length=1)
    """Columns whose values make an arm: domain, source, bucket, a label, or several."""
    rate: float = Field(0.5, gt=0, le=1)
    """lr: the weight of a new observation."""
    temperature: float = Field(0.4, gt=0)
    """tau; the published runs use .2 to 1."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return SECCurriculum(chosen, steps, seed, Arms(chosen, rows, self.arms, seed, "sec"), self)


class SECCurriculum(DrawingCurriculum):
    """Keeps a value Q for every arm."""

    def __init__(self, pool: Pool, steps: int, seed: int, arms: Arms, settings: SEC) -> None:
        super().__init__(pool, steps, seed)
        self.arms, self.settings = arms, settings
        self.values: Values = np.zeros(len(arms))

    @property
    def probabilities(self) -> Values:
        return softmax(self.values, self.settings.temperature)

    def draw(self, count: int) -> Rows:
        return self.arms.draw(self.probabilities, count, self.generator())

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        for arm, advantage in self.arms.advantages(rows, outcomes).items():
            self.values[arm] += self.settings.rate * (advantage - self.values[arm])

    def state(self) -> dict[str, Any]:
        return {"values": self.values.tolist(), "arms": self.arms.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.values = np.array(state["values"])
        self.arms.restore(state["arms"])

    def metrics(self) -> dict[str, float]:
        return {
            **self.arms.metrics("q", self.values),
            **self.arms.metrics("share", self.probabilities),
        }
