"""JSON lines of problems with counts, as `curricle predict` reads them.

A row: {"prompt", "labels": {...}, "correct", "n"}, with "id" (or "uid") and "answer" where known;
`difficulty.store.counted_rows` says how else counts may be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from difficulty.prediction.text_features import Example
from difficulty.store.counted_rows import counts_of, read_rows
from domains.problem import content_uid

_SOURCE_KEYS = ("domain", "source", "data_source", "ability")
"""Top-level keys that are labels as well."""


def read_examples(path: Path) -> list[tuple[str, Example]]:
    """(id, example) of every row, in order; the id is a hash of the content where none is given."""
    rows = read_rows(path)
    counts = counts_of(path, rows)
    found = []
    for (number, row), count in zip(rows, counts, strict=True):
        place = f"{path} line {number}"
        text = _text(place, row)
        answer = row.get("answer")
        answer = None if answer is None else answer if isinstance(answer, str) else str(answer)
        given = row.get("id", row.get("uid"))
        name = content_uid(text, answer or "") if given is None else str(given)
        labels = _labels(place, row)
        found.append((name, Example(text, labels, count.correct, count.n, answer)))
    return found


def _text(place: str, row: Mapping[str, Any]) -> str:
    """The prompt: a string, or messages of which the contents are joined."""
    prompt = row.get("prompt")
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list):
        parts = [m.get("content") for m in prompt if isinstance(m, dict)]
        if parts and all(isinstance(part, str) for part in parts):
            return "\n".join(str(part) for part in parts)
    near = get_close_matches("prompt", [k for k in row if k != "prompt"], 1, 0.6)
    hint = f"; is {near[0]!r} meant?" if near else ""
    raise ValueError(
        f"{place}: prompt must be text or a list of messages with a content, "
        f"but got prompt={str(prompt)[:60]!r} among the keys {sorted(row)}{hint}"
    )


def _labels(place: str, row: Mapping[str, Any]) -> dict[str, Any]:
    labels = row.get("labels")
    if labels is not None and not isinstance(labels, dict):
        raise ValueError(f"{place}: labels must be an object, but got labels={labels!r:.60}")
    top = {name: row[name] for name in _SOURCE_KEYS if isinstance(row.get(name), str)}
    return {**top, **(labels or {})}
