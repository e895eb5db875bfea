"""`curricle drift`: two scorings of the same problems beside each other.

Each side is a run's folder, a folder of scores, or a file of JSON lines with id, correct and n (a
run's `pool.jsonl` is one).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from difficulty.drift import Drift, compare
from difficulty.pass_rate import PassRate
from difficulty.store.counted_rows import counts_of, read_rows
from difficulty.store.key import read_key
from difficulty.store.profile import read_profile
from runners.console import console, error_console, print_table
from runners.files import read_json

_SHOWN = 20
_MODEL_PARTS = ("model", "weights", "seed")
"""Parts of a store's key that two profiles may differ in."""


def compare_files(before: Path, after: Path, rate: float, as_json: bool) -> Drift:
    """Compare and print, as a table or as one JSON object."""
    if not 0 < rate < 1:
        raise ValueError(f"rate must be between 0 and 1, but got rate={rate:g}")
    drift = compare(read_rates(before), read_rates(after), rate)
    differing = _differing(before, after)
    if differing:
        error_console.print(
            f"the two were not asked alike: {', '.join(differing)} differ, so rates may have moved "
            "for that reason",
            soft_wrap=True,
        )
    if as_json:
        print(json.dumps(_as_json(drift, rate, differing), ensure_ascii=False))
    else:
        _say(drift, rate)
    return drift


def read_rates(path: Path) -> list[PassRate]:
    """The counts of every problem in a run, a store or a file.

    Raises `ValueError` where there is none of these.
    """
    folder = _store(path)
    if folder:
        return read_profile(folder).pass_rates()
    if path.is_dir():
        path = path / "pool.jsonl"
    rows = read_rows(path)
    found = []
    for (number, row), count in zip(rows, counts_of(path, rows), strict=True):
        name = row.get("uid", row.get("id"))
        if name is None:
            raise ValueError(
                f"{path} line {number}: uid or id must say which problem it is, "
                f"but got the keys {sorted(row)}"
            )
        correct, n = round(count.correct or 0), round(count.n or 0)
        failed = n - correct if count.correct is not None else 0
        found.append(PassRate(str(name), str(row.get("domain", "")), correct, failed, 0, 0, 0))
    return found


def _store(path: Path) -> Path | None:
    """The folder of scores that a path is or has: its own, a run's, or where the run keeps them."""
    settings = read_json(path / "config.json").get("config", {}) if path.is_dir() else {}
    elsewhere = settings.get("difficulty", {}).get("store")
    for folder in (path, path / "scores", Path(elsewhere) if elsewhere else path):
        if folder.is_dir() and any(folder.glob("part-*.parquet")):
            return folder
    return None


def _differing(before: Path, after: Path) -> list[str]:
    """Parts of the two stores' keys that differ and are no matter of the model."""
    folders = _store(before), _store(after)
    keys = [read_key(folder) if folder else {} for folder in folders]
    if not all(keys):
        return []
    return [
        name
        for name in sorted({*keys[0], *keys[1]})
        if keys[0].get(name) != keys[1].get(name)
        and not any(name.startswith(part) for part in _MODEL_PARTS)
    ]


def _as_json(drift: Drift, rate: float, differing: list[str]) -> dict[str, Any]:
    return {
        "n": len(drift.changes),
        "mean_change": drift.mean_change,
        "low": drift.low,
        "high": drift.high,
        "rate": rate,
        "stale": len(drift.stale),
        "rose": drift.rose,
        "fell": drift.fell,
        "only_before": list(drift.only_before),
        "only_after": list(drift.only_after),
        "asked_differently": differing,
        "changes": [asdict(change) for change in drift.changes],
    }


def _say(drift: Drift, rate: float) -> None:
    stale = [change for change in drift.changes if change.stale]
    if stale:
        print_table(
            f"moved, the surest {min(_SHOWN, len(stale))} of {len(stale)}",
            ["problem", "domain", "before", "n", "after", "n", "change [95%]", "q"],
            [
                [c.uid, c.domain, f"{c.before:.2f}", c.n_before, f"{c.after:.2f}", c.n_after,
                 f"{c.change:+.2f} [{c.low:+.2f}, {c.high:+.2f}]", f"{c.q:.3f}"]
                for c in stale[:_SHOWN]
            ],
        )  # fmt: skip
    lines = [
        f"mean change {drift.mean_change:+.3f} [{drift.low:+.3f}, {drift.high:+.3f}] over "
        f"{len(drift.changes)} problems scored in both",
        f"stale: {len(stale)} ({drift.rose} rose, {drift.fell} fell), of which about {rate:.0%} at "
        "most are false alarms",
    ]
    missing = len(drift.only_before), len(drift.only_after)
    if any(missing):
        lines.append(f"scored on one side only: {missing[0]} before, {missing[1]} after")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
