"""Interleaved training: parts of the pool take turns, prompt by prompt or batch by batch.

No one paper; interleaving is what spaced-practice studies oppose to blocks (Rohrer & Taylor 2007),
and what fixed domain weights do batch by batch. The turns are smooth weighted round robin: each
part gains its weight at every turn, the richest is drawn and pays the sum of the weights. So in any
W turns a part of weight w comes w W / sum(w) times to within one, evenly spread.

Assumption: none about difficulty; no part should rest for long. Where we differ from drawing a part
at random for each place: no runs, no droughts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.names import UnknownName
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.ramps import Name


class Interleaved(PoolScheduler):
    """Let parts take turns."""

    kind: Literal["interleaved"] = "interleaved"
    over: str = "domain"
    """The column whose values take turns: domain, source, bucket or a label."""
    weights: dict[Name, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Value: turns it gets; empty for equal turns. A value that is left out is not drawn."""
    turn: Literal["prompt", "batch"] = "prompt"
    """What a turn is: one place of a batch, or a whole batch."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        groups = chosen.groups(rows, self.over, "curriculum.over")
        for value in self.weights:
            if value not in groups:
                raise UnknownName("curriculum.weights", value, groups)
        weights = dict(self.weights) or dict.fromkeys(groups, 1.0)
        decks = {v: Deck(groups[v], seed, v) for v, weight in weights.items() if weight > 0}
        if not decks:
            raise ValueError(
                f"curriculum (kind interleaved) must have at least one part with a weight above "
                f"0, but got over={self.over!r}, weights={self.weights}"
            )
        return InterleavedCurriculum(chosen, steps, seed, decks, weights, self.turn == "batch")


class InterleavedCurriculum(DrawingCurriculum):
    """Draws from the deck whose turn it is."""

    def __init__(
        self,
        pool: Pool,
        steps: int,
        seed: int,
        decks: Mapping[str, Deck],
        weights: Mapping[str, float],
        whole_batches: bool,
    ) -> None:
        super().__init__(pool, steps, seed)
        self.decks, self.weights, self.whole_batches = dict(decks), dict(weights), whole_batches
        self.credit = dict.fromkeys(decks, 0.0)
        self.current = ""

    @property
    def stage(self) -> str:
        return self.current if self.whole_batches else "interleaved"

    def begin_step(self) -> None:
        if self.whole_batches:
            self.current = self._next()

    def draw(self, count: int) -> Rows:
        if self.whole_batches:
            return self.decks[self.current].draw(count)
        turns = np.array([self._next() for _ in range(count)])
        drawn = np.zeros(count, np.int32)
        for name, deck in self.decks.items():
            own = turns == name
            drawn[own] = deck.draw(int(own.sum()))
        return drawn

    def state(self) -> dict[str, Any]:
        decks = {name: deck.state() for name, deck in self.decks.items()}
        return {"decks": decks, "credit": dict(self.credit), "current": self.current}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.credit, self.current = dict(state["credit"]), state["current"]
        for name, deck in self.decks.items():
            deck.restore(state["decks"][name])

    def _next(self) -> str:
        """Whose turn it is, by smooth weighted round robin."""
        for name in self.decks:
            self.credit[name] += self.weights[name]
        richest = max(self.credit, key=self.credit.__getitem__)
        self.credit[richest] -= sum(self.weights[name] for name in self.decks)
        return richest
