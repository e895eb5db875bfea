"""Pass rates that somebody measured: of a run's folder, of a store, or of a file of one's own."""

from __future__ import annotations

from pathlib import Path

from difficulty.store.profile import read_profile
from runners.files import read_lines


def measured_rates(path: Path) -> dict[str, float]:
    """Share correct of every problem with a graded completion, by uid.

    Raises `ValueError` where `path` is neither a run's folder, nor a store, nor JSON lines.
    """
    if path.is_file():
        lines = read_lines(path)
        if not lines or not all({"uid", "correct", "n"} <= line.keys() for line in lines):
            raise ValueError(f"{path} must hold JSON lines with uid, correct and n")
        return {line["uid"]: line["correct"] / line["n"] for line in lines if line["n"]}
    rates = read_profile(path / "scores" if (path / "scores").is_dir() else path).pass_rates()
    if not rates:
        raise ValueError(
            f"bands need pass rates, but there are none in {path}: `curricle score` the config "
            "first, or name a run's folder with --scored"
        )
    return {rate.uid: rate.correct / rate.n for rate in rates if rate.n}
