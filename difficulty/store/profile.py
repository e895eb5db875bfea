"""What a store knows of every problem, in columns: a million problems without a Python object each.

Only the columns of counts are read, never a text, and the counting is Arrow's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from difficulty.pass_rate import PassRate
from difficulty.prior import Ints
from domains.problem import STATUSES

if TYPE_CHECKING:
    import pyarrow as pa

_BITS = 12
"""Five counts are summed as one number, each in so many bits of its own."""
_MOST_COMPLETIONS = 2**_BITS - 1
_BATCH_ROWS = 2**20


@dataclass(frozen=True)
class Profile:
    """The counts of m problems, ordered by uid."""

    uids: pa.Array
    """Strings (m,)."""
    domains: pa.Array
    """Strings (m,)."""
    statuses: Ints
    """(m, 5): completions of each status, in the order of `domains.problem.STATUSES`."""
    tokens: Ints
    """Generated tokens (m,)."""

    @property
    def drawn(self) -> Ints:
        """Completions of each problem, failures of the checker among them: (m,)."""
        drawn: Ints = self.statuses.sum(axis=1)
        return drawn

    def pass_rates(self) -> list[PassRate]:
        """The same as records."""
        domains = self.domains.dictionary_encode()
        names = domains.dictionary.to_pylist()
        counts = self.statuses.T.tolist()
        return [
            PassRate(uid, names[domain], *own)
            for uid, domain, *own in zip(
                self.uids.to_pylist(), domains.indices.to_pylist(), *counts, strict=True
            )
        ]


def read_profile(folder: Path, samples: int | None = None) -> Profile:
    """Count the verdicts in a store's folder, over the first `samples` completions if given.

    Raises `ValueError` for a problem with more completions than can be counted.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = [_summed(table) for table in _verdicts(folder, samples)]
    if not tables:
        none = pa.array([], pa.string())
        return Profile(none, none, np.zeros((0, len(STATUSES)), np.int64), np.zeros(0, np.int64))
    table = _summed_up(pa.concat_tables(tables))
    most = pc.max(table["rows"]).as_py()
    if most > _MOST_COMPLETIONS:
        raise ValueError(
            f"a store must hold at most {_MOST_COMPLETIONS} completions of a problem, but {folder} "
            f"holds {most} of one"
        )
    repeated = table.filter(pc.greater(table["rows"], pc.add(table["last"], 1)))
    if repeated.num_rows:
        table = _without_repeats(folder, samples, table, repeated["uid"])
    table = table.sort_by("uid")
    packed = table["packed"].to_numpy()
    statuses = np.stack([packed >> _BITS * i for i in range(len(STATUSES))], axis=1)
    return Profile(
        table["uid"].combine_chunks(),
        table["domain"].combine_chunks(),
        statuses & _MOST_COMPLETIONS,
        table["tokens"].to_numpy(),
    )


def column_batches(folder: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Columns of all parts of a store, small parts together: about a million rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[pa.Table] = []
    for part in sorted(folder.glob("part-*.parquet")):
        waiting.append(pq.read_table(part, columns=list(columns), partitioning=None))
        if sum(table.num_rows for table in waiting) >= _BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _verdicts(folder: Path, samples: int | None) -> Iterator[pa.Table]:
    """uid, domain, sample, tokens, and a number with a one in the place of the row's status."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for table in column_batches(folder, ["uid", "domain", "sample", "token_count", "status"]):
        if samples is not None:
            table = table.filter(pc.less(table["sample"], samples))
        place = pc.index_in(table["status"], value_set=pa.array(STATUSES)).cast(pa.int64())
        packed = pc.shift_left(pa.scalar(1, pa.int64()), pc.multiply(place, _BITS))
        yield table.drop_columns("status").append_column("packed", packed)


def _summed(table: pa.Table) -> pa.Table:
    """One row for each problem."""
    found = table.group_by("uid").aggregate(
        [("domain", "min"), ("packed", "sum"), ("token_count", "sum"), ("sample", "max"),
         ("sample", "count")]
    )  # fmt: skip
    return found.rename_columns(["uid", "domain", "packed", "tokens", "last", "rows"])


def _summed_up(table: pa.Table) -> pa.Table:
    """The same over rows that are sums already."""
    found = table.group_by("uid").aggregate(
        [("domain", "min"), ("packed", "sum"), ("tokens", "sum"), ("last", "max"), ("rows", "sum")]
    )
    return found.rename_columns(table.column_names)


def _without_repeats(folder: Path, samples: int | None, table: pa.Table, uids: Any) -> pa.Table:
    """The sums again for problems that have a completion twice, each counted once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    uids = uids.combine_chunks()
    rows = pa.concat_tables(
        found.filter(pc.is_in(found["uid"], value_set=uids)) for found in _verdicts(folder, samples)
    )
    once = rows.group_by(["uid", "sample"], use_threads=False).aggregate(
        [("domain", "first"), ("packed", "first"), ("token_count", "first")]
    )
    once = once.rename_columns(["uid", "sample", "domain", "packed", "token_count"])
    others = table.filter(pc.invert(pc.is_in(table["uid"], value_set=uids)))
    return pa.concat_tables([others, _summed(once).select(others.column_names)])
