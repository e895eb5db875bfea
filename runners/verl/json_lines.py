"""JSON lines that a resumed run goes on with: append a row, forget the steps after a checkpoint."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def append(path: Path, rows: Iterable[Row]) -> None:
    """Append rows, each whole or not at all: one write for all of them."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; none when it is missing. A last line cut off by a kill is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def keep(path: Path, wanted: Callable[[Row], bool]) -> None:
    """Drop the rows that are not wanted; the file is replaced as a whole."""
    if not path.exists():
        return
    beside = path.with_suffix(".tmp")
    beside.unlink(missing_ok=True)
    append(beside, [row for row in read(path) if wanted(row)])
    beside.replace(path)
