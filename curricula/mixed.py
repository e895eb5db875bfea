"""Mixed training: every problem of the pool from the first step on, shuffled; the baseline.

No paper; this is what "vanilla" means wherever curricula are compared. Assumption: none about
difficulty. Passes are without replacement; with `weights` the domains (or buckets, sources, values
of a label) keep their shares of each batch whatever their sizes, and the shares may be ramps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.mix import Mix, Shares
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import mean_reward


class Mixed(PoolScheduler, Shares):
    """Shuffle everything."""

    kind: Literal["mixed"] = "mixed"

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        mix = Mix(chosen, rows, self, steps, seed, "mixed")
        return MixedCurriculum(chosen, steps, seed, mix)


class MixedCurriculum(DrawingCurriculum):
    """Draws from one mix to the end."""

    def __init__(self, pool: Pool, steps: int, seed: int, mix: Mix) -> None:
        super().__init__(pool, steps, seed)
        self.mix = mix

    @property
    def stage(self) -> str:
        return "mixed"

    def draw(self, count: int) -> Rows:
        return self.mix.draw(count, self.step, self.turn)

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        if (reward := mean_reward(outcomes)) is not None:
            self.mix.observe(reward)

    def state(self) -> dict[str, Any]:
        return {"mix": self.mix.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.mix.restore(state["mix"])
