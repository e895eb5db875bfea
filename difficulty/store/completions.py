"""The store: every completion and its verdict, on disk, keyed by what made them.

Parquet parts in one folder, because completions compress tenfold there, every tool of the field
reads it, columns can be read without the texts, and a part that is written beside and renamed is
either there or not: no database file to repair after a kill -9. Parts are only ever added, but for
`difficulty.store.regrade`, which puts a part with new verdicts in the place of the old one.

| file             | what                                                                      |
|------------------|---------------------------------------------------------------------------|
| `key.json`       | what made the completions (`key.py`): other ones are refused              |
| `part-*.parquet` | completions of some problems, each with its verdict and checker's name     |
| `claims`         | empty; its locked bytes say who works on what (`claims.py`)               |

A row's key is (uid, sample). Writers that score together (`sharing.py`) make each of them
once. Where two made one all the same, the readers here count it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from difficulty.pass_rate import PassRate
from difficulty.store.claims import Claims
from difficulty.store.durable import path_beside, put_in_place, sweep
from difficulty.store.key import Checkers, join_key
from difficulty.store.profile import Profile, read_profile
from domains.problem import STATUSES, Status

if TYPE_CHECKING:
    import pyarrow as pa

_SHARED: dict[str, Status] = {status: status for status in STATUSES}
"""One string for each status, so that a million verdicts are a million references."""


@dataclass(frozen=True, slots=True)
class ScoredCompletion:
    """One completion and its verdict: a row of the store."""

    uid: str
    domain: str
    sample: int
    """Index among the problem's completions; with the uid and the run's seed it gives the seed."""
    text: str
    token_count: int
    finish_reason: str
    status: Status
    score: float
    answer: str
    reason: str
    checker: str = ""
    """Fingerprint of the checker that judged it."""


COLUMNS: tuple[str, ...] = tuple(ScoredCompletion.__dataclass_fields__)


class ScoreStore:
    """The scored completions of one model under one way of asking and decoding."""

    def __init__(self, folder: Path, key: Mapping[str, Any], checkers: Checkers) -> None:
        """Open or create the store. `checkers` has the checkers' fingerprints of every source.

        Raises `ValueError` when the folder holds scores of another key, and says which parts of
        the key differ; nothing is written then.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.claims = Claims(folder)
        with self.claims.whole_store():
            join_key(folder, key, checkers)
        sweep(folder)

    def counts(self) -> dict[str, int]:
        """Stored completions of each problem, by uid."""
        profile = self.profile()
        return dict(zip(profile.uids.to_pylist(), profile.drawn.tolist(), strict=True))

    def statuses(self) -> dict[str, list[Status]]:
        """The verdicts on each problem's completions 0, 1, ... up to the first that is missing."""
        found: dict[str, list[Status | None]] = {}
        for part in self.parts():
            for uid, sample, status in verdicts_in(part):
                own = found.setdefault(uid, [])
                own.extend([None] * (sample + 1 - len(own)))
                own[sample] = status
        return {
            uid: [status for status in takewhile(bool, own) if status] for uid, own in found.items()
        }

    def profile(self, samples: int | None = None) -> Profile:
        """Counts of the verdicts on every stored problem, without reading a text.

        With `samples`, over the first so many completions of each.
        """
        return read_profile(self.folder, samples)

    def pass_rates(self, uids: Iterable[str], samples: int) -> list[PassRate]:
        """Pass rates over the first `samples` completions of each problem, in the uids' order.

        A problem without completions gets n = 0, which is missing, not zero.
        """
        found = {rate.uid: rate for rate in self.profile(samples).pass_rates()}
        return [found.get(uid) or PassRate(uid, "", 0, 0, 0, 0, 0) for uid in uids]

    def generated_tokens(self) -> int:
        """Tokens of all stored completions: what scoring has cost."""
        return int(self.profile().tokens.sum())

    def rows(self) -> list[ScoredCompletion]:
        """Every row, sorted by uid and sample: the order does not depend on how it came about."""
        rows = {(row.uid, row.sample): row for part in self.parts() for row in read_part(part)}
        return [rows[key] for key in sorted(rows)]

    def parts(self) -> list[Path]:
        """The files of rows, in a stable order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def write(self, rows: Sequence[ScoredCompletion]) -> None:
        """Add one part, whole or not at all."""
        write_part(self.folder / part_name(rows), rows)


def part_name(rows: Sequence[ScoredCompletion]) -> str:
    """A part's name is a hash of what it holds, so that the same part is never there twice."""
    named = "\n".join(f"{row.uid}:{row.sample}" for row in rows)
    return f"part-{hashlib.sha256(named.encode()).hexdigest()[:16]}.parquet"


def write_part(part: Path, rows: Sequence[ScoredCompletion]) -> None:
    """Write rows to a file that is there whole or not at all, in the place of what was there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    columns = [[getattr(row, name) for row in rows] for name in COLUMNS]
    table = pa.table(
        [_array(values, field.type) for values, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
    beside = path_beside(part)
    pq.write_table(table, beside, compression="zstd", write_statistics=False)
    put_in_place(beside, part)


def read_part(part: Path) -> list[ScoredCompletion]:
    """All rows of one part, in the order they were written."""
    import pyarrow.parquet as pq

    table = pq.read_table(part, columns=list(COLUMNS), partitioning=None)
    values = (table.column(name).to_pylist() for name in COLUMNS)
    return [ScoredCompletion(*row) for row in zip(*values, strict=True)]


def verdicts_in(part: Path) -> Iterator[tuple[str, int, Status]]:
    """(uid, sample, status) of every row of one part."""
    import pyarrow.parquet as pq

    table = pq.read_table(part, columns=["uid", "sample", "status"], partitioning=None)
    uids, samples, statuses = (column.to_pylist() for column in table.columns)
    for uid, sample, status in zip(uids, samples, statuses, strict=True):
        yield uid, sample, _SHARED[status]


def _array(values: list[Any], kind: Any) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # a server may answer with half of a surrogate pair: no text has one
        return pa.array([value.encode(errors="replace").decode() for value in values], kind)


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"sample": pa.int32(), "token_count": pa.int32(), "score": pa.float64()}
    return pa.schema({name: kinds.get(name, pa.string()) for name in COLUMNS})
