"""The picture of a simulated plan: what would be learnt, and what would be drawn on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curricula.base import Item
from runners.planning.picture import draw_mix, mark_stages
from runners.planning.simulation import BAND, SimulatedPlan


def draw_simulation(plan: SimulatedPlan, pool: Sequence[Item], path: Path) -> Path:
    """Learning curves with bands, shares by bucket and domain, rewards; returns `path` (PNG)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(4, 2, 2, 2))
    learnt, by_bucket, by_domain, signal = panels
    steps = list(range(1, len(plan.stages) + 1))
    _curves(learnt, plan)
    draw_mix(by_bucket, by_domain, steps, plan.drawn, pool)
    _signal(signal, steps, plan)
    mark_stages(panels, steps, plan.stages)
    figure.savefig(path, dpi=130)
    return path


def _curves(axes: Any, plan: SimulatedPlan) -> None:
    from matplotlib import colormaps

    palette: Any = colormaps["tab10"]
    for place, (domain, values) in enumerate(sorted(plan.levels.items())):
        at = np.arange(values.shape[1])
        low, high = np.quantile(values, BAND, axis=0)
        dashed = "-" if domain in plan.trained_on else "--"
        label = domain if domain in plan.trained_on else f"{domain} (not drawn)"
        axes.plot(at, values.mean(0), dashed, color=palette(place % 10), label=label)
        axes.fill_between(at, low, high, color=palette(place % 10), alpha=0.2, linewidth=0)
    axes.set_ylim(0, 1)
    axes.set_ylabel("pass rate, problems not trained on")
    seeds = len(next(iter(plan.levels.values())))
    title = f"simulated, {seeds} seeds"
    axes.legend(title=title, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _signal(axes: Any, steps: Sequence[int], plan: SimulatedPlan) -> None:
    words = {"reward/mean": ("mean reward", "black"), "zero_variance": ("no variance", "tab:red")}
    for key, (label, colour) in words.items():
        values = plan.figures[key]
        low, high = np.quantile(values, BAND, axis=0)
        axes.plot(steps, values.mean(0), color=colour, linewidth=1.2, label=label)
        axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_ylim(0, 1)
    axes.set_ylabel("of what is drawn")
    axes.set_xlabel("training step (a learner model, not a training)")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
