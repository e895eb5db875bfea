"""A pool in columns: a million problems in a few dozen bytes each, beside their uids.

Curricula work on rows (places in the pool) and turn them into uids only for a batch. Rows are in
the order of the uids, so the order in which a pool was given changes nothing that is drawn.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from curricula.base import Item
from curricula.machinery.names import UnknownName
from domains.problem import Label

Rows = NDArray[np.int32]
"""Places in a pool, shape (problems,)."""

FIXED_COLUMNS = ("domain", "source", "bucket")


@dataclass(frozen=True)
class Column:
    """One value a problem, as codes into its different values; shape (problems,)."""

    values: tuple[Label, ...]
    """In the order in which the pool first showed them."""
    codes: NDArray[np.int32]
    """-1 where the problem has no value."""

    @classmethod
    def of(cls, values: Iterable[Label | None]) -> Column:
        known: dict[Label, int] = {}
        codes = [-1 if v is None else known.setdefault(v, len(known)) for v in values]
        return cls(tuple(known), np.array(codes, np.int32))

    @property
    def names(self) -> tuple[str, ...]:
        """The values as a config's keys write them."""
        return tuple(map(str, self.values))

    def matching(self, wanted: Callable[[Label], bool]) -> NDArray[np.bool_]:
        """Which problems have a value that is wanted, shape (problems,)."""
        answers = np.array([wanted(value) for value in self.values] + [False])
        return answers[self.codes]


class Pool(Sequence[Item]):
    """Problems as sorted uids, coded columns and an array of pass rates."""

    def __init__(
        self,
        uids: Sequence[str],
        columns: dict[str, Column],
        pass_rates: NDArray[np.float64],
        places: NDArray[np.int32],
    ) -> None:
        self.uids = uids
        self.columns = columns
        """`domain`, `source`, `bucket`, and one for each label."""
        self.pass_rates = pass_rates
        """Shape (problems,); NaN where it is missing."""
        self.places = places
        """Where each problem stood in what the pool was made of, shape (problems,)."""

    @classmethod
    def of(cls, items: Sequence[Item]) -> Pool:
        """The pool of some items. Raises `ValueError` when a uid stands twice."""
        if isinstance(items, Pool):
            return items
        uids = [item.uid for item in items]
        order = sorted(range(len(uids)), key=uids.__getitem__)
        ordered = [uids[i] for i in order]
        for first, second in pairwise(ordered):
            if first == second:
                raise ValueError(f"a pool must hold every problem once, but {first!r} is in twice")
        labels = dict.fromkeys(name for item in items for name in item.labels)
        columns = {name: Column.of(getattr(i, name) for i in items) for name in FIXED_COLUMNS}
        for name in labels:
            if name not in columns:
                columns[name] = Column.of(item.labels.get(name) for item in items)
        rates = (np.nan if i.pass_rate is None else i.pass_rate for i in items)
        pass_rates = np.fromiter(rates, np.float64, len(uids))
        places = np.array(order, np.int32)
        sorted_columns = {n: Column(c.values, c.codes[places]) for n, c in columns.items()}
        return cls(ordered, sorted_columns, pass_rates[places], places)

    @property
    def rows(self) -> Rows:
        """Every row."""
        return np.arange(len(self.uids), dtype=np.int32)

    def column(self, name: str, place: str) -> Column:
        """A column by name; raises `ValueError` naming `place` where the pool has none."""
        if name not in self.columns:
            raise UnknownName(place, name, set(self.columns))
        return self.columns[name]

    def groups(self, rows: Rows, name: str, place: str) -> dict[str, Rows]:
        """Rows by their value in a column, in order of the values; those without one left out."""
        column = self.column(name, place)
        codes = column.codes[rows]
        found = {value: rows[codes == code] for code, value in enumerate(column.names)}
        return {value: members for value, members in found.items() if len(members)}

    def subset(self, rows: Rows) -> Pool:
        """The pool of these rows alone."""
        kept = np.sort(rows)
        columns = {n: Column(c.values, c.codes[kept]) for n, c in self.columns.items()}
        uids = [self.uids[row] for row in kept]
        return Pool(uids, columns, self.pass_rates[kept], self.places[kept])

    def uids_of(self, rows: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.uids[row] for row in rows)

    def row_of(self, uid: str) -> int | None:
        """The row of a uid, None where the pool does not hold it."""
        row = bisect_left(self.uids, uid)
        return row if row < len(self.uids) and self.uids[row] == uid else None

    def __len__(self) -> int:
        return len(self.uids)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        values = {
            name: column.values[column.codes[index]]
            for name, column in self.columns.items()
            if column.codes[index] >= 0
        }
        domain, source, bucket = (values.pop(name, None) for name in FIXED_COLUMNS)
        rate = float(self.pass_rates[index])
        return Item(
            self.uids[index],
            str(domain),
            str(source),
            None if bucket is None else str(bucket),
            None if np.isnan(rate) else rate,
            values,
        )
