"""Drawing from a set without repeats within a pass.

A deck's order in its p-th pass is a permutation drawn from (seed, name, p) that is never written
down: it is a keyed bijection of 0..n-1, asked only for the places that are drawn. So a deck of a
million problems holds no shuffled copy, a new pass costs nothing, and its whole state is a pass
number and a position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from curricula.machinery.pool import Rows

_ROUNDS = 8


def generator(seed: int, *names: object) -> np.random.Generator:
    """A generator that belongs to a seed and a name, and to nothing else."""
    text = ":".join(map(str, (seed, *names)))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))


class Shuffle:
    """A random order of 0..n-1, by a Feistel network with cycle walking (Black & Rogaway 2002).

    Numbers below a·b >= n are split into two digits, which are mixed into each other with a keyed
    hash in eight rounds; what lands at n or above goes round again, at most 1 in sqrt(n) or so.
    """

    def __init__(self, size: int, keys: NDArray[np.uint64]) -> None:
        self.size = size
        left = isqrt(max(size - 1, 0)) + 1
        self.bases = (np.uint64(left), np.uint64(-(-size // left)))
        self.keys = keys

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """What stands at these places, shape as given."""
        found = self._once(places.astype(np.uint64))
        while (outside := found >= self.size).any():
            found[outside] = self._once(found[outside])
        return found.astype(np.int64)

    def _once(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        (left_base, right_base) = self.bases
        left, right = numbers // right_base, numbers % right_base
        for round_, key in enumerate(self.keys):
            if round_ % 2:
                left = (left + _hash(right, key) % left_base) % left_base
            else:
                right = (right + _hash(left, key) % right_base) % right_base
        return left * right_base + right


def _hash(numbers: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele et al. 2014)."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) ^ key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class Deck:
    """One shuffled set of rows, drawn again from the top in a new order after each pass."""

    def __init__(self, rows: Rows, seed: int, name: str) -> None:
        if not len(rows):
            raise ValueError(f"a deck must hold at least one problem, but {name!r} is empty")
        self.rows = rows
        self.seed, self.name = seed, name
        self.passes, self.position = 0, 0
        self._order = self._shuffled()

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, count: int) -> Rows:
        """The next `count` rows; a pass that ends is followed by the next one.

        None of them comes twice unless the deck holds fewer: what the new pass would repeat within
        one draw has had its turn in it.
        """
        drawn = self._next(count)
        if count > len(self.rows):
            return drawn
        drawn = unique(drawn)
        while len(drawn) < count:  # only where a pass ended inside the draw
            drawn = unique(np.concatenate([drawn, self._next(count - len(drawn))]))
        return drawn

    def draw_different(self, count: int) -> Rows:
        """The next `count` rows, none of them twice: at most the whole deck."""
        return self.draw(min(count, len(self.rows)))

    def draw_where(self, count: int, accept: Callable[[Rows], NDArray[np.bool_]]) -> Rows:
        """The next `count` rows that `accept` takes; what it refuses is passed over.

        After one deck's length of looking, the rest is made up of the first that were refused:
        a pool that nothing in it suits any more still fills its batches.
        """
        taken, refused, looked, ahead = self.rows[:0], self.rows[:0], 0, 4 * count
        while len(taken) < count and looked < len(self.rows):
            needed = count - len(taken)
            left_in_pass = len(self.rows) - self.position or len(self.rows)
            chunk = self._next(min(ahead, left_in_pass, len(self.rows) - looked))
            ahead *= 2
            good = accept(chunk)
            if good.sum() > needed:  # what lies behind the last one taken was not looked at
                used = int(np.flatnonzero(good)[needed - 1]) + 1
                self.position -= len(chunk) - used
                chunk, good = chunk[:used], good[:used]
            looked += len(chunk)
            taken = unique(np.concatenate([taken, chunk[good]]))
            if len(refused) < count:
                refused = np.concatenate([refused, chunk[~good][:count]])
        if len(taken) < count:
            taken = unique(np.concatenate([taken, refused]))
        return taken[:count]

    def state(self) -> list[int]:
        return [self.passes, self.position]

    def restore(self, state: Sequence[int]) -> None:
        self.passes, self.position = state
        self._order = self._shuffled()

    def _next(self, count: int) -> Rows:
        """The next `count` rows, whatever they repeat."""
        parts = [self.rows[:0]]
        while count > 0:
            if self.position == len(self.rows):
                self.passes, self.position = self.passes + 1, 0
                self._order = self._shuffled()
            end = min(self.position + count, len(self.rows))
            parts.append(self.rows[self._order[np.arange(self.position, end)]])
            count -= end - self.position
            self.position = end
        return np.concatenate(parts)

    def _shuffled(self) -> Shuffle:
        rng = generator(self.seed, "deck", self.name, self.passes)
        keys = rng.integers(0, 2**64, _ROUNDS, np.uint64, endpoint=False)
        return Shuffle(len(self.rows), keys)


def unique(rows: Rows) -> Rows:
    """The rows without repeats, in order of first appearance."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


def apportion(shares: Mapping[str, float], count: int, rng: np.random.Generator) -> dict[str, int]:
    """`count` places split by shares: right on average, never off by a whole place.

    Each name gets the whole part of its share; the places that remain go to names drawn with
    their fractional parts as probabilities. `shares` need not sum to one.
    """
    wanted = np.array(list(shares.values()), float)
    wanted *= count / wanted.sum()
    places = np.floor(wanted + 1e-9).astype(int)
    rest = count - int(places.sum())
    if rest:
        fractions = np.maximum(wanted - places, 0)
        places[rng.choice(len(places), rest, replace=False, p=fractions / fractions.sum())] += 1
    return dict(zip(shares, map(int, places), strict=True))
