"""A store's key: what made its completions, so that two kinds of them are never mixed.

`key.json` names model weights, chat template, prompt format, decoding, seed and, by source, the
checkers. A pass rate of another model is not a pass rate, so another key is refused. Checkers are
there to be read: which one judged a completion stands beside it in the store, and a mended one is
refused by `difficulty.store.regrade`, which can mend the verdicts too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from difficulty.store.durable import write_durably

Key = dict[str, Any]
Checkers = Mapping[str, Collection[str]]
"""The fingerprints of the checkers of every source."""


def read_key(folder: Path) -> Key:
    """The stored key, `checkers` among its parts; empty where there is none."""
    path = folder / "key.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def differences(stored: Key, asked: Mapping[str, Any]) -> list[str]:
    """One line for each part, by its dotted name, that a store does not share with the asked key.

    Checkers are left out.
    """
    there, here = _flat(stored), _flat(json.loads(json.dumps(asked)))
    return [
        f"{name}: stored {there.get(name)}, asked {here.get(name)}"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]


def join_key(folder: Path, asked: Mapping[str, Any], checkers: Checkers) -> None:
    """Write the key of a new store, or add the checkers of new sources to it.

    Raises `ValueError` where the store has another key, and says in what; nothing is written then.
    Only for one writer at a time (`Claims.whole_store`).
    """
    stored = read_key(folder)
    changed = differences(stored, asked) if stored else []
    if changed:
        raise ValueError(
            "difficulty.store must hold scores of the asked model, prompt, decoding and seed, but "
            f"{folder} differs in\n"
            + "".join(f"  {line}\n" for line in changed)
            + "  give another `name` or `difficulty.store`; nothing was written"
        )
    known: dict[str, list[str]] = stored.get("checkers", {})
    joined = {
        source: sorted({*known.get(source, ()), *checkers.get(source, ())})
        for source in sorted({*known, *checkers})
    }
    if not stored or joined != known:
        write_key(folder, {**asked, "checkers": joined})


def write_key(folder: Path, key: Mapping[str, Any]) -> None:
    write_durably(folder / "key.json", (json.dumps(key, indent=2) + "\n").encode())


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested objects as dotted names; `checkers` left out."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if prefix or name != "checkers":
            flat |= _flat(inner, f"{prefix}.{name}" if prefix else name)
    return flat
