"""JSON and JSON lines, written beside and renamed: whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON beside and rename."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if the file is not there."""
    if not path.is_file():
        return {}
    value: dict[str, Any] = json.loads(path.read_text())
    return value


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines beside and rename."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    beside.replace(path)


def count_lines(path: Path) -> int:
    """Whole lines of a file, 0 if it is not there; cheap enough to ask again and again."""
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file; none if it is not there. A half-written last line is lost."""
    rows: list[dict[str, Any]] = []
    if path.is_file():
        for line in path.read_text().split("\n"):  # not splitlines: texts may hold U+2028
            if not line:
                continue
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return rows


def drop_after(path: Path, step: int) -> None:
    """Drop the rows of a JSON lines file whose `step` is later; rows stand in the order of steps.

    Reads line by line, since a file of single completions may be large; a half-written last line
    is lost.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with path.open() as old, beside.open("w") as new:
        for line in old:
            if not line.endswith("\n") or json.loads(line)["step"] > step:
                break
            new.write(line)
    beside.replace(path)
