"""The picture of a plan: what share of each step's prompts comes from where, and how hard it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.base import Item

UNSCORED = "not scored"
_WIDTH, _LETTER = 7.0, 0.065
"""Inches of a panel, and of a letter of a stage's name."""
_MOST_MARKED = 30
"""Stages that are told apart."""
Shares = Mapping[str, NDArray[np.float64]]
"""By name, a share of each step's prompts: shape (steps,)."""


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
    draw_mix(by_bucket, by_domain, steps, drawn, pool)
    expected = [row["mean_reward"] for row in rows]
    if any(value is not None for value in expected):
        values = [float("nan") if value is None else value for value in expected]
        reward.plot(steps, values, color="black", linewidth=1.2)
    reward.set_ylim(0, 1)
    reward.set_ylabel("expected reward")
    reward.set_xlabel("training step (rewards at the pass rates of today)")
    mark_stages((by_bucket, by_domain, reward), steps, [row["stage"] for row in rows])
    figure.savefig(path, dpi=130)
    return path


def draw_mix(
    by_bucket: Any, by_domain: Any, steps: Sequence[int],
    drawn: Sequence[Sequence[Item]], pool: Sequence[Item],
) -> None:  # fmt: skip
    """Bars of what each step drew, by bucket and by domain; `drawn` holds each step's problems."""
    buckets = shares([[item.bucket or UNSCORED for item in items] for items in drawn])
    _stack(by_bucket, steps, buckets, easy_first(pool), "viridis_r", "bucket")
    domains = shares([[item.domain for item in items] for items in drawn])
    _stack(by_domain, steps, domains, sorted({i.domain for i in pool}), "tab10", "domain")


def shares(groups: Sequence[Sequence[str]]) -> Shares:
    """The share of every name in each group; the order is that of appearance."""
    counts = [Counter(group) for group in groups]
    names = dict.fromkeys(name for count in counts for name in count)
    return {
        name: np.array([count[name] / max(1, count.total()) for count in counts]) for name in names
    }


def mark_stages(panels: Sequence[Any], steps: Sequence[int], stages: Sequence[str]) -> None:
    """A line where a stage begins, and each one's name above the first panel.

    Names are slanted where they would run into each other; stages that take turns too often to be
    told apart get neither.
    """
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    spans = [(name, list(own)) for name, own in groupby(range(len(steps)), key=stages.__getitem__)]
    if len(spans) > _MOST_MARKED:
        return
    room = _WIDTH / len(steps)
    slanted = any(_LETTER * len(name) > room * len(own) for name, own in spans[:-1])
    angle: dict[str, Any] = {"rotation": 35, "ha": "left"} if slanted else {"ha": "center"}
    for name, own in spans:
        if own[0]:
            for axes in panels:
                axes.axvline(steps[own[0]] - 0.5, color="black", linewidth=0.8)
        middle = fmean(steps[place] for place in own)
        panels[0].text(
            middle, 1.02, name, va="bottom", fontsize=8, parse_math=False,
            transform=panels[0].get_xaxis_transform(), **angle,
        )  # fmt: skip


def easy_first(pool: Sequence[Item]) -> list[str]:
    """Every bucket by falling mean pass rate, and what is in none."""
    rates: dict[str, list[float]] = {}
    for item in pool:
        if item.bucket is not None:
            rates.setdefault(item.bucket, []).append(item.pass_rate or 0.0)
    return [*sorted(rates, key=lambda name: -fmean(rates[name])), UNSCORED]


def _stack(
    axes: Any, steps: Sequence[int], found: Shares, names: Sequence[str], colours: str, title: str
) -> None:
    from matplotlib import colormaps

    palette = colormaps[colours]
    floor = np.zeros(len(steps))
    for place, name in enumerate(names):
        if name not in found:
            continue
        colour: Any = palette(place if palette.N <= 20 else place / max(1, len(names) - 1))
        colour = "0.8" if name == UNSCORED else colour
        axes.bar(steps, found[name], width=1.0, bottom=floor, color=[colour], label=name)
        floor = floor + found[name]
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of prompts")
    axes.legend(title=title, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
