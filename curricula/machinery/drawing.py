"""The half of a curriculum that all of ours share: steps, uids, and the plain parts of the state.

A scheduler's own idea is then `draw` (which rows come next) and, where it learns, `learn`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curricula.base import Batch, Curriculum, Item, Outcome, Scheduler
from curricula.machinery.deck import generator
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.where import Where


class PoolScheduler(Scheduler):
    """Settings of a scheduler that draws from the pool itself."""

    where: Where = Where()
    """Which problems of the pool to train on; all that the method can use by default."""

    def chosen(self, items: Sequence[Item]) -> tuple[Pool, Rows]:
        """The pool in columns and the rows to train on. Raises `ValueError` where none matches."""
        pool = Pool.of(items)
        rows = self.where.rows(pool, "curriculum.where")
        if not len(rows):
            raise ValueError(
                f"curriculum.where must match at least one problem, but none of the pool's "
                f"{len(pool)} matches {self.where.model_dump(exclude_defaults=True)}"
            )
        return pool, rows

    def scored(self, items: Sequence[Item]) -> tuple[Pool, Rows]:
        """The same for methods that need a pass rate: problems without one are left out."""
        pool, rows = self.chosen(items)
        kept = rows[~np.isnan(pool.pass_rates[rows])]
        if not len(kept):
            raise ValueError(
                f"curriculum (kind {self.kind}) must have at least one problem with a pass rate, "
                f"but none of {len(rows)} has been scored"
            )
        return pool, kept


class DrawingCurriculum(Curriculum):
    """Draws rows of a pool for a number of steps."""

    def __init__(self, pool: Pool, steps: int, seed: int) -> None:
        self.pool, self.steps, self.seed = pool, steps, seed
        self.step = 0
        self.turn = 0
        """How often rows were drawn: once a step, and once for every refill."""

    @abstractmethod
    def draw(self, count: int) -> Rows:
        """The next `count` rows, or as many different ones as there are."""

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Learn from outcomes of this pool's problems; `rows` has the row of each."""

    def state(self) -> dict[str, Any]:
        """What changes besides step and turn, as JSON values."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a `state`."""

    @property
    def stage(self) -> str:
        """What the batch's stage is called."""
        return "all"

    def generator(self) -> np.random.Generator:
        """The generator of this turn."""
        return generator(self.seed, type(self).__name__, self.turn)

    def begin_step(self) -> None:
        """Called when a step begins, before its rows are drawn."""

    def next_batch(self, size: int) -> Batch | None:
        if self.step >= self.steps:
            return None
        self.step += 1
        self.begin_step()
        return Batch(self.step, self.stage, self.more(size))

    def more(self, count: int) -> tuple[str, ...]:
        self.turn += 1
        rows = self.draw(count)
        # Only where fewer problems can be drawn than a batch holds does it repeat some.
        return self.pool.uids_of(np.resize(rows, count) if len(rows) else rows)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        found = [(self.pool.row_of(outcome.uid), outcome) for outcome in outcomes]
        known = [(row, outcome) for row, outcome in found if row is not None]
        self.learn([row for row, _ in known], [outcome for _, outcome in known])

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "turn": self.turn, **self.state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.turn = state["step"], state["turn"]
        self.restore(state)
