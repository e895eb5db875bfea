"""Rows with counts out of files: JSON lines, or CSV with a header.

Counts are {"correct", "n"}, or {"pass_rate", "n"}, or "pass_rate" alone: n is then the least number
of completions that all such rates of the file can come from. A row without counts is not measured.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST_COMPLETIONS = 256
_FINE = 128
"""Completions that a rate stands for which is no simple fraction."""
_NUMBERS = ("correct", "n", "pass_rate")
"""Columns that a CSV file holds as numbers."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was measured of one row; None where nothing was."""

    correct: float | None
    n: float | None


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(line number, row) of every line that is not blank; an empty cell of a CSV file is missing.

    Raises `ValueError` for a file that is missing or empty, and for a line that is no object.
    """
    if not path.is_file():
        raise ValueError(f"a file of rows must be given, but got {path}, which is not there")
    rows = list(_table(path) if path.suffix.lower() == ".csv" else _objects(path))
    if not rows:
        raise ValueError(f"{path} must hold at least one line, but it is empty")
    return rows


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise ValueError(
                    f"{path} line {number} must be a JSON object, but got {line[:60]!r} ({error})"
                ) from None
            if not isinstance(row, dict):
                raise ValueError(
                    f"{path} line {number} must be a JSON object, but got {line[:60]!r}"
                )
            yield number, row


def _table(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        for cells in reader:
            row: dict[str, Any] = {name: cell for name, cell in cells.items() if name and cell}
            for name in _NUMBERS:
                if name in row:
                    row[name] = _cell_number(f"{path} line {reader.line_num}", name, row[name])
            yield reader.line_num, row


def _cell_number(place: str, name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{place}: {name} must be a number, but got {name}={cell!r}") from None


def counts_of(path: Path, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Counts]:
    """The counts of every row. Raises `ValueError` for impossible ones."""
    read = [_read_counts(f"{path} line {number}", row) for number, row in rows]
    bare = [
        rate for rate, n in ((rate, n) for _, n, rate in read) if rate is not None and n is None
    ]
    n_of_bare = least_n(bare)
    found = []
    for correct, n, rate in read:
        if rate is not None:
            size = n if n is not None else n_of_bare
            found.append(Counts(round(rate * size, 6), size) if size else Counts(None, n))
        else:
            found.append(Counts(correct, n))
    return found


def _read_counts(
    place: str, row: Mapping[str, Any]
) -> tuple[float | None, float | None, float | None]:
    """(correct, n, pass_rate), the last only where `correct` is missing."""
    correct, n = (_number(place, row, name) for name in ("correct", "n"))
    if isinstance(row.get("correct"), bool) and n is None:
        n = 1.0
    if n is not None and (n < 0 or not n.is_integer()):
        raise ValueError(f"{place}: n must be a whole number from 0 up, but got n={n:g}")
    if correct is None:
        rate = _number(place, row, "pass_rate")
        if rate is not None and not 0 <= rate <= 1:
            raise ValueError(f"{place}: pass_rate must be from 0 to 1, but got pass_rate={rate:g}")
        return None, n, rate
    if n is None:
        raise ValueError(f"{place}: correct={correct:g} must have n beside it, but there is none")
    if not 0 <= correct <= n:
        raise ValueError(
            f"{place}: correct must be from 0 to n, but got correct={correct:g} and n={n:g}"
        )
    return correct, n, None


def _number(place: str, row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{place}: {name} must be a number, but got {name}={value!r}")
    return float(value)


def least_n(rates: Sequence[float]) -> int:
    """The least n of which every rate, given to four digits or more, is a whole part.

    `_FINE` where none up to 256 is.
    """
    for n in range(1, _MOST_COMPLETIONS + 1):
        if all(abs(rate * n - round(rate * n)) < 6e-5 * n for rate in rates):
            return n
    return _FINE
