"""Sequential training: the problems one after another, as they stand or sorted by a column.

No paper; the plainest baseline beside `mixed`. A file that somebody sorted is trained on in that
order, as verl does with `data.shuffle=False`; with `shuffle` each pass has an order of its own, as
with `data.shuffle=True`. Assumption: the order means something. Nothing is learned from rewards,
and no batch looks different under another seed, but for `shuffle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from curricula.base import Curriculum, Item
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows


class Sequential(PoolScheduler):
    """One problem after another, from the top again at the end."""

    kind: Literal["sequential"] = "sequential"
    by: str | None = None
    """`pass_rate` or a label to sort by, lowest first; None keeps the order of the problems."""
    descending: bool = False
    """Highest first: by pass rate, from easy to hard."""
    shuffle: bool = False
    """Another order in each pass instead."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.scored(pool) if self.by == "pass_rate" else self.chosen(pool)
        return SequentialCurriculum(chosen, steps, seed, self._ordered(chosen, rows), self.shuffle)

    def _ordered(self, pool: Pool, rows: Rows) -> Rows:
        rows = rows[np.argsort(pool.places[rows], kind="stable")]
        if self.by is None:
            return rows
        keys = self._keys(pool, rows)
        return rows[np.argsort(-keys if self.descending else keys, kind="stable")]

    def _keys(self, pool: Pool, rows: Rows) -> Rows:
        """Places of each row's value among all values; raises `ValueError` where one has none."""
        if self.by == "pass_rate":
            return np.unique(pool.pass_rates[rows], return_inverse=True)[1].astype(np.int32)
        assert self.by is not None
        column = pool.column(self.by, "curriculum.by")
        codes = column.codes[rows]
        if (codes < 0).any():
            raise ValueError(
                f"curriculum.by must be a label of every problem, but {int((codes < 0).sum())} of "
                f"{len(rows)} have no {self.by!r}; curriculum.where can leave them out"
            )
        numbers = all(isinstance(value, int | float) for value in column.values)
        order = sorted(column.values, key=None if numbers else str)
        ranks = {value: rank for rank, value in enumerate(order)}
        keys: Rows = np.array([ranks[column.values[code]] for code in codes], np.int32)
        return keys


class SequentialCurriculum(DrawingCurriculum):
    """A place in a fixed order, or a deck."""

    def __init__(self, pool: Pool, steps: int, seed: int, rows: Rows, shuffle: bool) -> None:
        super().__init__(pool, steps, seed)
        self.rows = rows
        self.deck = Deck(rows, seed, "sequential") if shuffle else None
        self.position = 0

    @property
    def stage(self) -> str:
        return "sequential"

    def draw(self, count: int) -> Rows:
        count = min(count, len(self.rows))
        if self.deck is not None:
            return self.deck.draw_different(count)
        places = (self.position + np.arange(count)) % len(self.rows)
        self.position = (self.position + count) % len(self.rows)
        drawn: Rows = self.rows[places]
        return drawn

    def state(self) -> dict[str, Any]:
        return {"position": self.position, "deck": self.deck.state() if self.deck else None}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.position = state["position"]
        if self.deck is not None:
            self.deck.restore(state["deck"])
