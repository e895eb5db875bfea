"""summary.json: facts about a run, its seconds and its generated tokens, added as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runners.files import read_json, write_json
from runners.run_dir import RunDir


def set_tokens(folder: RunDir, part: str, count: int) -> None:
    """State the generated tokens of a part."""
    tokens = read_json(folder.summary).get("tokens", {})
    summarise(folder, tokens={**tokens, part: count})


def add_tokens(folder: RunDir, part: str, count: int) -> None:
    """Add to the generated tokens of a part."""
    set_tokens(folder, part, read_json(folder.summary).get("tokens", {}).get(part, 0) + count)


def summarise(folder: RunDir, **facts: Any) -> None:
    """Add facts to summary.json."""
    write_json(folder.summary, {**read_json(folder.summary), **facts})


@contextmanager
def timed(folder: RunDir, part: str) -> Iterator[None]:
    """Add the seconds of a part to summary.json; interrupted work adds nothing."""
    start = time.perf_counter()
    yield
    seconds = read_json(folder.summary).get("seconds", {})
    spent = round(seconds.get(part, 0.0) + time.perf_counter() - start, 2)
    summarise(folder, seconds={**seconds, part: spent})
