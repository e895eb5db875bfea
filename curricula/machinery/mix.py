"""Decks by the value of a column, drawn in fixed or changing shares.

Without weights and quotas it is one deck over everything, so every problem comes once a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from curricula.machinery.deck import Deck, apportion, generator
from curricula.machinery.names import UnknownName
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.ramps import Amount, Constant, Name, RunningAmounts
from domains.base import Settings


class Shares(Settings):
    """How a batch is split."""

    over: str = "domain"
    """The column that `weights` and `quotas` are about: domain, source, bucket or a label."""
    weights: dict[Name, Amount] = Field(default_factory=dict)
    """Value of that column: weight in each batch; empty for shares by size. A weight may be a ramp.
    A value that is left out is not drawn."""
    quotas: dict[Name, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Value of that column: this many prompts of every batch. The weights share the rest."""


class Mix:
    """Decks that share each batch."""

    def __init__(
        self,
        pool: Pool,
        rows: Rows,
        shares: Shares,
        steps: int,
        seed: int,
        name: str,
        universe: Rows | None = None,
    ) -> None:
        """`universe`: a value found there but not in `rows` is left out instead of refused."""
        self.seed, self.name = seed, name
        groups = {"": rows}
        if shares.weights or shares.quotas:
            groups = pool.groups(rows, shares.over, "curriculum.over")
            known = groups if universe is None else pool.groups(universe, shares.over, "")
            for value in (*shares.weights, *shares.quotas):
                if value not in known:
                    place = "curriculum.weights and .quotas"
                    raise UnknownName(place, value, known)
        self.quotas = {v: n for v, n in shares.quotas.items() if v in groups}
        asked: dict[str, Amount] = {v: w for v, w in shares.weights.items() if v in groups}
        if not shares.weights or (universe is not None and not asked and not self.quotas):
            asked = {v: Constant(value=len(m)) for v, m in groups.items() if v not in self.quotas}
        self.weights = RunningAmounts(asked, steps)
        drawn_from = [v for v in groups if v in self.quotas or (v in asked and asked[v].most > 0)]
        self.decks = {v: Deck(groups[v], seed, f"{name}/{v}") for v in drawn_from}
        if not self.decks:
            raise ValueError(
                f"curriculum.weights must be above 0 for at least one value, but got "
                f"weights={shares.weights}"
            )

    def draw(self, count: int, step: int, turn: int) -> Rows:
        """`count` rows for a step; `turn` tells draws of one step apart."""
        rng = generator(self.seed, "mix", self.name, turn)
        places = self._places(count, step, rng)
        drawn = np.concatenate([self.decks[value].draw(n) for value, n in places.items()])
        return drawn[rng.permutation(len(drawn))]

    def observe(self, reward: float) -> None:
        """Tell the mean reward of a batch, for ramps that wait for plateaus."""
        self.weights.observe(reward)

    def state(self) -> dict[str, Any]:
        decks = {value: deck.state() for value, deck in self.decks.items()}
        return {"decks": decks, "weights": self.weights.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        for value, deck in self.decks.items():
            deck.restore(state["decks"][value])
        self.weights.restore(state["weights"])

    def _places(self, count: int, step: int, rng: np.random.Generator) -> dict[str, int]:
        fixed = dict(self.quotas)
        if sum(fixed.values()) > count or (fixed and not self.weights.amounts):
            return apportion(fixed, count, rng)
        weights = {v: w for v, w in self.weights.at(step).items() if v in self.decks}
        if not sum(weights.values()):  # every ramp is at 0
            weights = dict.fromkeys(weights, 1.0)
        shared = apportion(weights, count - sum(fixed.values()), rng) if weights else {}
        return {v: fixed.get(v, 0) + shared.get(v, 0) for v in self.decks}
