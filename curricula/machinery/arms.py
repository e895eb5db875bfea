"""The arms of a bandit: parts of the pool, each drawn from without replacement within a pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.base import Outcome
from curricula.machinery.deck import Deck
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import absolute_advantage

Values = NDArray[np.float64]
"""One number an arm, shape (arms,)."""

MISSING = "missing"
"""Names the part whose problems have no value in a column."""


class Arms:
    """Decks by the values of some columns, such as domain and bucket."""

    def __init__(self, pool: Pool, rows: Rows, columns: Sequence[str], seed: int, name: str):
        parts = self._parts(pool, rows, columns)
        self.names = tuple(sorted(parts))
        """Such as `math/easy`."""
        self.decks = [Deck(parts[n], seed, f"{name}/{n}") for n in self.names]
        self.arm_of = np.full(len(pool), -1, np.int32)
        """The arm of every row of the pool; -1 for those that are not trained on."""
        for arm, deck in enumerate(self.decks):
            self.arm_of[deck.rows] = arm

    def __len__(self) -> int:
        return len(self.names)

    def draw(self, probabilities: Values, count: int, rng: np.random.Generator) -> Rows:
        """`count` rows whose arms are drawn independently.

        An arm with fewer problems than places gives what it has and the others the rest.
        """
        sizes = np.array([len(deck) for deck in self.decks])
        left = probabilities.astype(float)
        places = np.zeros(len(sizes), int)
        while (missing := min(count, int(sizes.sum())) - int(places.sum())) > 0:
            left = np.where(places < sizes, left, 0.0)
            if left.sum() <= 0:
                left = (places < sizes).astype(float)
            places = np.minimum(places + rng.multinomial(missing, left / left.sum()), sizes)
        drawn = [d.draw_different(int(n)) for d, n in zip(self.decks, places, strict=True)]
        together = np.concatenate(drawn)
        return together[rng.permutation(len(together))]

    def advantages(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> dict[int, float]:
        """Mean |advantage| of the prompts of each arm that has outcomes; zeros count."""
        found: dict[int, list[float]] = defaultdict(list)
        for row, outcome in zip(rows, outcomes, strict=True):
            advantage = absolute_advantage(outcome)
            if self.arm_of[row] >= 0 and advantage is not None:
                found[int(self.arm_of[row])].append(advantage)
        return {arm: fmean(values) for arm, values in found.items()}

    def state(self) -> list[Any]:
        return [deck.state() for deck in self.decks]

    def restore(self, state: Sequence[Any]) -> None:
        for deck, position in zip(self.decks, state, strict=True):
            deck.restore(position)

    def metrics(self, figure: str, values: Values) -> Mapping[str, float]:
        pairs = zip(self.names, values, strict=True)
        return {f"curriculum/{figure}/{name}": float(value) for name, value in pairs}

    @staticmethod
    def _parts(pool: Pool, rows: Rows, columns: Sequence[str]) -> dict[str, Rows]:
        parts = {"": rows}
        for name in columns:
            column = pool.column(name, "curriculum.arms")
            split: dict[str, Rows] = {}
            for prefix, members in parts.items():
                codes = column.codes[members]
                for code in np.unique(codes):
                    value = column.names[code] if code >= 0 else MISSING
                    split[f"{prefix}/{value}".strip("/")] = members[codes == code]
            parts = split
        return parts


def softmax(scores: Values, temperature: float) -> Values:
    """exp(score / temperature), normalised; safe for any scores."""
    weights = np.exp((scores - scores.max()) / temperature)
    return np.asarray(weights / weights.sum(), float)
