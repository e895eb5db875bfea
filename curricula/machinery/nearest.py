"""A deck in order of difficulty: the nearest problem to a target that has not been drawn yet.

A neighbourhood that is used up begins again: when nothing within `reach` of a target is left, all
that lies within it may be drawn once more. So a target that stays where it is goes round and round
the problems there, instead of wandering off to the ends of the pool.

Neighbours that were taken are skipped by two arrays of pointers with path compression (union-find),
so a draw costs a few binary searches and hops however much of the pass is gone. Among problems of
equal difficulty, of which there are many, it is a random one. The state is one bit a problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curricula.machinery.packing import packed_flags, unpacked_flags
from curricula.machinery.pool import Rows


class NearestDeck:
    """Rows sorted by a number."""

    def __init__(self, rows: Rows, values: NDArray[np.float64]) -> None:
        """`values`: the number of each of `rows`, shape (rows,), none of them NaN."""
        order = np.argsort(values, kind="stable")
        self.rows, self.values = rows[order], values[order]
        self.taken = np.zeros(len(rows), bool)
        self.left = len(rows)
        self._up = np.arange(len(rows) + 1, dtype=np.int32)
        """Leads from a place to the first one left at it or above; len(rows) if there is none."""
        self._down = self._up.copy()
        """Leads from a place to one above the last left below it; 0 if there is none."""

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, targets: NDArray[np.float64], reach: float, rng: np.random.Generator) -> Rows:
        """For each target the nearest row left; none twice in one call while others are left."""
        drawn: list[int] = []
        for target, lot in zip(targets.tolist(), rng.random(len(targets)).tolist(), strict=True):
            if not self.left or abs(self.values[self._nearest(target)] - target) > reach:
                self._renew(target - reach, target + reach, drawn)
            place = self._like(self._nearest(target), lot)
            self._take(place)
            drawn.append(place)
        return self.rows[drawn]

    def state(self) -> str:
        return packed_flags(self.taken)

    def restore(self, state: str) -> None:
        self.taken = unpacked_flags(state, len(self.rows))
        self.left = int(len(self.rows) - self.taken.sum())
        count = len(self.rows)
        places = np.arange(count + 1, dtype=np.int32)
        up = np.where(np.append(self.taken, False), count, places)
        self._up = np.minimum.accumulate(up[::-1])[::-1].astype(np.int32)
        down = np.where(np.insert(self.taken, 0, False), 0, places)
        self._down = np.maximum.accumulate(down).astype(np.int32)

    def _take(self, place: int) -> None:
        self.taken[place] = True
        self._up[place], self._down[place + 1] = place + 1, place
        self.left -= 1

    def _renew(self, low: float, high: float, drawn: Sequence[int]) -> None:
        """Let everything from `low` to `high` be drawn again, but for what was `drawn` just now.

        Where nothing at all is left then, the same goes for the whole deck.
        """
        first = int(np.searchsorted(self.values, low, "left"))
        end = int(np.searchsorted(self.values, high, "right"))
        for start, stop in ((first, end), (0, len(self.rows))):
            self._release(start, stop)
            for place in drawn:
                if start <= place < stop and not self.taken[place]:
                    self._take(place)
            if self.left:
                return
        self._release(0, len(self.rows))

    def _release(self, first: int, end: int) -> None:
        """Put the places from `first` up to `end` back."""
        # Those outside that were taken may lead past the window: they lead to its edges now.
        below, above = _follow(self._down, first), _follow(self._up, end)
        self._up[below:first], self._down[end + 1 : above + 1] = first, end
        self._up[first:end] = np.arange(first, end, dtype=np.int32)
        self._down[first + 1 : end + 1] = np.arange(first + 1, end + 1, dtype=np.int32)
        self.left += int(self.taken[first:end].sum())
        self.taken[first:end] = False

    def _nearest(self, target: float) -> int:
        """The place of the nearest row that is left."""
        place = int(np.searchsorted(self.values, target))
        above, below = _follow(self._up, place), _follow(self._down, place) - 1
        if above == len(self.rows):
            return below
        if below < 0:
            return above
        return below if target - self.values[below] < self.values[above] - target else above

    def _like(self, place: int, lot: float) -> int:
        """One of the rows left that are as far along as this one; `lot` in [0, 1) says which."""
        value = self.values[place]
        first = int(np.searchsorted(self.values, value, "left"))
        end = int(np.searchsorted(self.values, value, "right"))
        spot = first + int(lot * (end - first))
        above = _follow(self._up, spot)
        return above if above < end else _follow(self._down, spot) - 1


def _follow(pointers: NDArray[np.int32], start: int) -> int:
    """The end of a chain of pointers, which is shortened on the way."""
    end = start
    while (following := int(pointers[end])) != end:
        end = following
    while start != end:
        following = int(pointers[start])
        pointers[start] = end
        start = following
    return end
