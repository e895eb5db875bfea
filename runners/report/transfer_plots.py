"""The drawings of a transfer search's page, over the number of target problems."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from runners.report import plots
from runners.report.inputs import CurvePoint, Transfer
from runners.report.plots import Figure, Sheet
from runners.report.wording import rate, signed

Bounds = tuple[float | None, float | None, float | None]


def gain_curve(transfer: Transfer) -> Figure:
    """The target's gain: the estimate with its interval, each seed's point, the minimum marked."""

    def draw(sheet: Sheet) -> None:
        place = _places(transfer)
        _mark_minimum(sheet, transfer, place)
        _curve(
            sheet, transfer, place, plots.domain_colour(0),
            lambda point: (point.gain, point.gain_low, point.gain_high),
        )  # fmt: skip
        dots = [(t.n_target, t.gain) for t in transfer.trials if t.gain is not None]
        _dots(sheet, place, dots)
        sheet.axes.axhline(0, color=sheet.colour(plots.RULE), linewidth=1)
        _threshold(sheet, transfer.ask.gain, f"asked {signed(transfer.ask.gain)}", "bottom")
        sheet.axes.yaxis.set_major_formatter(lambda value, _: signed(value))

    label = "; ".join(
        f"{point.n} problems {signed(point.gain)} [{signed(point.gain_low)}, "
        f"{signed(point.gain_high)}]"
        for point in transfer.curve
    )
    return plots.wide(
        "gain", "Gain on the target over the number of its problems", label, 320, draw
    )


def retention_curve(transfer: Transfer) -> Figure:
    """What share of its level the source keeps."""

    def draw(sheet: Sheet) -> None:
        place = _places(transfer)
        _curve(
            sheet, transfer, place, plots.domain_colour(1),
            lambda point: (point.retention, point.retention_low, point.retention_high),
        )  # fmt: skip
        kept = [(trial.n_target, transfer.retention(trial)) for trial in transfer.trials]
        _dots(sheet, place, [(n, share) for n, share in kept if share is not None])
        _threshold(sheet, transfer.ask.retention, f"asked {transfer.ask.retention:.0%}", "top")
        low, high = sheet.axes.get_ylim()
        sheet.axes.set_ylim(min(low, transfer.ask.retention - 0.1), max(high, 1.05))
        sheet.axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")

    label = "; ".join(f"{point.n} problems {rate(point.retention)}" for point in transfer.curve)
    return plots.wide("retention", "Share of its level that the source keeps", label, 220, draw)


def _places(transfer: Transfer) -> Callable[[float], float]:
    """Where a number of problems stands: log2, with 0 one step left of the smallest."""
    numbers = [point.n for point in transfer.curve] + [t.n_target for t in transfer.trials]
    smallest = min((n for n in numbers if n > 0), default=1)
    return lambda n: math.log2(n) if n > 0 else math.log2(smallest) - 1


def _curve(
    sheet: Sheet,
    transfer: Transfer,
    place: Callable[[float], float],
    css: str,
    read: Callable[[CurvePoint], Bounds],
) -> None:
    known: list[tuple[float, float, float, float]] = []
    for point in sorted(transfer.curve, key=lambda point: point.n):
        middle, low, high = read(point)
        if middle is not None:
            bounds = (middle if low is None else low, middle if high is None else high)
            known.append((place(point.n), middle, *bounds))
    colour = sheet.colour(css)
    if known:
        x, middles, lows, highs = zip(*known, strict=True)
        sheet.axes.fill_between(x, lows, highs, color=colour, alpha=0.18, linewidth=0)
        sheet.axes.plot(x, middles, "o-", color=colour, linewidth=2, markersize=5)
    ticks = sorted({point.n for point in transfer.curve} | {t.n_target for t in transfer.trials})
    shown = _spaced(ticks, place, sheet.width / 34)
    sheet.axes.set_xticks([place(n) for n in shown], [str(n) for n in shown])
    sheet.grid("y")
    sheet.x_label("target problems (log scale)")


def _spaced(numbers: Sequence[int], place: Callable[[float], float], most: float) -> list[int]:
    """The numbers whose labels do not touch, when about `most` labels fit side by side."""
    if not numbers:
        return []
    apart = (place(numbers[-1]) - place(numbers[0])) / most
    kept = [numbers[0]]
    for number in numbers[1:]:
        if place(number) - place(kept[-1]) >= apart:
            kept.append(number)
    return kept


def _dots(sheet: Sheet, place: Callable[[float], float], dots: Sequence[tuple[int, float]]) -> None:
    """One ring a seed."""
    sheet.axes.plot(
        [place(n) for n, _ in dots], [value for _, value in dots], "o", mfc="none",
        mec=sheet.colour(plots.MUTED), markersize=5, alpha=0.8,
    )  # fmt: skip


def _threshold(sheet: Sheet, value: float, text: str, side: str) -> None:
    """A dashed line with its meaning above (side "bottom" rests on it) or below it ("top")."""
    sheet.axes.axhline(value, color=sheet.colour(plots.ACCENT), linewidth=1.2, dashes=(4, 3))
    sheet.axes.annotate(
        text, (0, value), (4, 3 if side == "bottom" else -9), va=side, fontsize=11,
        xycoords=sheet.axes.get_yaxis_transform(), textcoords="offset points",
        color=sheet.colour(plots.ACCENT),
    )  # fmt: skip


def _mark_minimum(sheet: Sheet, transfer: Transfer, place: Callable[[float], float]) -> None:
    minimum = transfer.minimum
    if minimum is None or minimum.n is None:
        return
    colour = sheet.colour(plots.ACCENT)
    low = minimum.n if minimum.low is None else minimum.low
    high = minimum.n_max if minimum.high_censored or minimum.high is None else minimum.high
    sheet.axes.axvspan(place(low), place(high), color=colour, alpha=0.1, linewidth=0)
    sheet.axes.axvline(place(minimum.n), color=colour, linewidth=1.5)
    sheet.text(
        place(minimum.n), 1.02, f"minimum {minimum.n}", plots.ACCENT, ha="center", va="bottom",
        transform=sheet.axes.get_xaxis_transform(),
    )  # fmt: skip
