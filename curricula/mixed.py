"""Mixed training: every problem of the pool from the first step on, shuffled; the baseline.

No paper; this is what "vanilla" means wherever curricula are compared. Assumption: none about
difficulty. Passes are without replacement; with `weights` the domains keep a fixed share of each
batch whatever their sizes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from curricula.base import Batch, Curriculum, Item, Scheduler
from curricula.deck import Mix
from curricula.where import Where, unknown_name


class Mixed(Scheduler):
    """Shuffle everything."""

    kind: Literal["mixed"] = "mixed"
    where: Where = Where()
    """Which problems of the pool to train on; all by default."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Domain: weight in each batch; empty for shares by size. A domain left out is not drawn."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        items = self.where.select(pool, "curriculum.where")
        known = {item.domain for item in items}
        for domain in self.weights:
            if domain not in known:
                raise ValueError(unknown_name("curriculum.weights", domain, known))
        return MixedCurriculum(Mix(items, self.weights, seed, "mixed"), steps)


class MixedCurriculum(Curriculum):
    """Draws from one mix to the end."""

    def __init__(self, mix: Mix, steps: int) -> None:
        self.mix, self.steps, self.step = mix, steps, 0

    def next_batch(self, size: int) -> Batch | None:
        if self.step == self.steps:
            return None
        self.step += 1
        return Batch(self.step, "mixed", tuple(self.mix.draw(size, self.step)))

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "mix": self.mix.state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step = state["step"]
        self.mix.restore(state["mix"])
