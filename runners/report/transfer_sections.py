"""The sections of a transfer search's page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from runners.report import transfer_plots
from runners.report.inputs import CurvePoint, Transfer, Trial, read_provenance
from runners.report.sections import Section, environment
from runners.report.tables import Cell, table
from runners.report.wording import MISSING, between, count, duration, rate, signed


def transfer_sections(transfer: Transfer, folder: Path) -> tuple[Section, ...]:
    """All sections of the page, in its order."""
    sections = [curves(transfer), trials(transfer, folder)]
    if (folder / "config.json").exists():
        sections.append(environment(read_provenance(folder), {}))
    return tuple(sections)


def curves(transfer: Transfer) -> Section:
    """Gain and retention over the number of target problems."""
    if not any(trial.gain is not None for trial in transfer.trials):
        missing = ("No trial has finished yet.", "curricle transfer CONFIG")
        return Section("curve", "Gain and retention", absent=missing)
    lead = (
        "Rings: one training run each. Dashed: what was asked. Bands: 95% intervals from a "
        "bootstrap over problems and seeds; shaded, the 90% interval of the minimum. A minimum "
        "between two tested numbers is read off the line between them."
    )
    figures = (transfer_plots.gain_curve(transfer), transfer_plots.retention_curve(transfer))
    return Section("curve", "Gain and retention", lead, figures=figures)


def trials(transfer: Transfer, folder: Path) -> Section:
    """The curve in numbers, and every run with a link to its page."""
    by_size = table(
        ("target problems", "seeds", "gain", "retention", "chance of success"),
        [_size(point) for point in transfer.curve],
    )
    ordered = sorted(transfer.trials, key=lambda trial: (trial.n_target, trial.seed, trial.number))
    runs = table(
        ("run", "target problems", "seed", "target", "gain", "source", "kept", "time", "state"),
        [_trial(transfer, trial, folder) for trial in ordered],
    )
    named = (("By number of target problems", by_size), ("Each run", runs))
    return Section("trials", "Runs", tables=tuple(pair for pair in named if pair[1].rows))


def _size(point: CurvePoint) -> tuple[Cell | str, ...]:
    return (
        count(point.n),
        count(point.seeds),
        Cell(signed(point.gain), _bounds(point.gain_low, point.gain_high, signed)),
        Cell(rate(point.retention), _bounds(point.retention_low, point.retention_high, rate)),
        rate(point.p_success),
    )


def _bounds(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    return "" if low is None or high is None else between(write(low), write(high))


def _trial(transfer: Transfer, trial: Trial, folder: Path) -> tuple[Cell | str, ...]:
    """A row of a run; a link only where there is a page, so that none is dead."""
    path, kept = f"{trial.folder}/report.html", transfer.retention(trial)
    return (
        Cell(trial.folder, href=quote(path) if (folder / path).exists() else ""),
        count(trial.n_target),
        str(trial.seed),
        f"{rate(trial.target_before)} → {rate(trial.target_after)}",
        signed(trial.gain),
        f"{rate(trial.source_before)} → {rate(trial.source_after)}",
        MISSING if kept is None else f"{kept:.0%}",
        duration(trial.seconds),
        trial.state.lower(),
    )
