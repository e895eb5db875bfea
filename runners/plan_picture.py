"""The picture of a plan: what share of each step's prompts comes from where, and how hard it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from curricula.base import Item

_UNSCORED = "not scored"


def draw_plan(rows: Sequence[Mapping[str, Any]], pool: Sequence[Item], path: Path) -> Path:
    """Draw bars of buckets and of domains and a line of expected reward; returns `path` (PNG)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    FigureCanvasAgg(figure)
    by_bucket, by_domain, reward = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
    item_of = {item.uid: item for item in pool}
    steps = [row["step"] for row in rows]
    drawn = [[item_of[uid] for uid in row["uids"]] for row in rows]
    buckets = [[item.bucket or _UNSCORED for item in items] for items in drawn]
    _stack(by_bucket, steps, buckets, _easy_first(pool), "viridis_r", "bucket")
    domains = [[item.domain for item in items] for items in drawn]
    _stack(by_domain, steps, domains, sorted({i.domain for i in pool}), "tab10", "domain")
    expected = [row["mean_reward"] for row in rows]
    if any(value is not None for value in expected):
        values = [float("nan") if value is None else value for value in expected]
        reward.plot(steps, values, color="black", linewidth=1.2)
    reward.set_ylim(0, 1)
    reward.set_ylabel("expected reward")
    reward.set_xlabel("training step (rewards at the pass rates of today)")
    for axes in (by_bucket, by_domain, reward):
        axes.spines[["top", "right"]].set_visible(False)
        for i in range(1, len(rows)):
            if rows[i]["stage"] != rows[i - 1]["stage"]:
                axes.axvline(steps[i] - 0.5, color="black", linewidth=0.8)
    _name_stages(by_bucket, rows)
    figure.savefig(path, dpi=130)
    return path


def _stack(
    axes: Any, steps: Sequence[int], groups: Sequence[Sequence[str]], names: Sequence[str],
    colours: str, title: str,
) -> None:  # fmt: skip
    from matplotlib import colormaps

    palette = colormaps[colours]
    floor = [0.0] * len(steps)
    counts = [Counter(group) for group in groups]
    for place, name in enumerate(names):
        shares = [count[name] / count.total() for count in counts]
        if not any(shares):
            continue
        colour: Any = palette(place if palette.N <= 20 else place / max(1, len(names) - 1))
        colour = "0.8" if name == _UNSCORED else colour
        axes.bar(steps, shares, width=1.0, bottom=floor, color=[colour], label=name)
        floor = [low + share for low, share in zip(floor, shares, strict=True)]
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of prompts")
    axes.legend(title=title, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _name_stages(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for stage in dict.fromkeys(row["stage"] for row in rows):
        middle = fmean(row["step"] for row in rows if row["stage"] == stage)
        axes.text(middle, 1.02, stage, ha="center", va="bottom", fontsize=8, parse_math=False)


def _easy_first(pool: Sequence[Item]) -> list[str]:
    rates: dict[str, list[float]] = {}
    for item in pool:
        if item.bucket is not None:
            rates.setdefault(item.bucket, []).append(item.pass_rate or 0.0)
    return [*sorted(rates, key=lambda name: -fmean(rates[name])), _UNSCORED]
