"""Drawing from a set without repeats within a pass.

A deck's order in its p-th pass is a permutation drawn from (seed, name, p); its whole state is a
pass number and a position, so a checkpoint holds two integers a deck however large the pool is.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curricula.base import Item


def generator(seed: int, *names: object) -> np.random.Generator:
    """A generator that belongs to a seed and a name, and to nothing else."""
    text = ":".join(map(str, (seed, *names)))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))


class Deck:
    """One shuffled set of uids, drawn again from the top in a new order after each pass."""

    def __init__(self, uids: Sequence[str], seed: int, name: str) -> None:
        if not uids:
            raise ValueError(f"a deck must hold at least one problem, but {name!r} is empty")
        self.uids = sorted(uids)
        self.seed, self.name = seed, name
        self.passes, self.position = 0, 0
        self._order = self._shuffled()

    def draw(self, count: int) -> list[str]:
        """The next `count` uids; a pass that ends is followed by the next one."""
        drawn: list[str] = []
        while len(drawn) < count:
            if self.position == len(self.uids):
                self.passes, self.position = self.passes + 1, 0
                self._order = self._shuffled()
            taken = self._order[self.position : self.position + count - len(drawn)]
            drawn += [self.uids[i] for i in taken]
            self.position += len(taken)
        return drawn

    def state(self) -> list[int]:
        return [self.passes, self.position]

    def restore(self, state: Sequence[int]) -> None:
        self.passes, self.position = state
        self._order = self._shuffled()

    def _shuffled(self) -> np.ndarray:
        return generator(self.seed, "deck", self.name, self.passes).permutation(len(self.uids))


class Mix:
    """Decks by domain, drawn in the proportion of weights.

    Without weights it is one deck over everything, so every problem comes once a pass. With
    weights a batch gets the whole part of each domain's share, and the remaining places go to
    domains drawn with their fractional parts as probabilities: right on average, never far off.
    """

    def __init__(
        self, items: Sequence[Item], weights: Mapping[str, float], seed: int, name: str
    ) -> None:
        by_domain: dict[str, list[str]] = {}
        for item in items:
            by_domain.setdefault(item.domain if weights else "", []).append(item.uid)
        drawn_from = {d: u for d, u in by_domain.items() if not weights or weights.get(d, 0) > 0}
        if not drawn_from:
            raise ValueError(
                f"{name} must draw from at least one problem, but there are {len(items)} problems "
                f"and weights={dict(weights)}"
            )
        self.seed, self.name = seed, name
        self.decks = {d: Deck(u, seed, f"{name}/{d}") for d, u in sorted(drawn_from.items())}
        total = sum(weights.get(d, 0) for d in self.decks)
        self.shares = {d: weights.get(d, 0) / total if weights else 1.0 for d in self.decks}

    def draw(self, count: int, step: int) -> list[str]:
        """`count` uids for a step."""
        rng = generator(self.seed, "mix", self.name, step)
        wanted = np.array([self.shares[d] * count for d in self.decks])
        places = np.floor(wanted + 1e-9).astype(int)
        rest = count - int(places.sum())
        if rest:
            fractions = np.maximum(wanted - places, 0)
            chosen = rng.choice(
                len(places), size=rest, replace=False, p=fractions / fractions.sum()
            )
            places[chosen] += 1
        drawn = [
            uid
            for deck, n in zip(self.decks.values(), places, strict=True)
            for uid in deck.draw(int(n))
        ]
        return [drawn[i] for i in rng.permutation(len(drawn))]

    def state(self) -> dict[str, Any]:
        return {domain: deck.state() for domain, deck in self.decks.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        for domain, deck in self.decks.items():
            deck.restore(state[domain])
