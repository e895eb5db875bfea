"""The picture of the buckets: how many problems each has, of which domains, at what pass rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from difficulty.export import ScoredPool
from domains.problem import Problem

_BINS = 40


def draw_buckets(scored: ScoredPool, problems: Iterable[Problem], path: Path) -> Path:
    """Bars of the buckets by domain with their counts, and the pass rates' histogram by bucket.

    A tick on each bar is the number that is expected by the problems' probabilities. Returns `path`
    (PNG or SVG, by its ending).
    """
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "curricle"  # equal buckets give equal files
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    bars, rates = figure.subplots(1, 2)
    members = [p for p in problems if p.uid in scored.placed.names]
    _draw_bars(bars, scored, members)
    _draw_rates(rates, scored, [p.uid for p in members])
    for axes in (bars, rates):
        axes.spines[["top", "right"]].set_visible(False)
    if scored.origin:
        figure.suptitle(f"rates from {scored.origin}", fontsize=9, parse_math=False)
    figure.savefig(path, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path


def _draw_bars(axes: Any, scored: ScoredPool, members: list[Problem]) -> None:
    order = scored.placed.order
    counts = Counter((p.domain, scored.placed.names[p.uid]) for p in members)
    floor = np.zeros(len(order))
    for domain in sorted({domain for domain, _ in counts}):
        heights = np.array([counts[domain, name] for name in order])
        axes.bar(order, heights, bottom=floor, label=domain)
        floor += heights
    expected = sum((scored.placed.soft[p.uid] for p in members), np.zeros(len(order)))
    axes.plot(order, expected, "_", color="black", markersize=18, label="expected")
    for i, height in enumerate(np.maximum(floor, expected)):
        axes.text(i, height, f"{floor[i]:.0f}", ha="center", va="bottom", fontsize=8)
    axes.set_ylabel(f"problems (of {len(members)})")
    axes.tick_params(axis="x", labelrotation=30)
    axes.margins(y=0.1)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


def _draw_rates(axes: Any, scored: ScoredPool, uids: list[str]) -> None:
    from matplotlib import colormaps

    order = scored.placed.order
    groups: dict[str, list[float]] = {name: [] for name in order}
    for uid in uids:
        groups[scored.placed.names[uid]].append(scored.posteriors[uid].mean)
    colours = colormaps["viridis"](np.linspace(0, 0.9, len(order)))
    edges = np.linspace(0, 1, _BINS + 1)
    axes.hist([groups[name] for name in order], edges, stacked=True, color=colours, label=order)
    axes.set_xlabel("pass rate (posterior mean)")
    axes.set_ylabel("problems")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
