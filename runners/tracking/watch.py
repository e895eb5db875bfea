"""`curricle watch RUN`: a training in the terminal, while it runs or afterwards.

Reads what every trainer writes (`metrics.jsonl`, `evaluations.jsonl`) and nothing else, so it can
look at a run on another machine's disk, and cannot disturb one. Rewards are means over the last
steps with their 95 % intervals; the time that is left is the median step's.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from runners.console import console
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, summarise
from runners.files import read_lines
from runners.run_dir import RunDir

WINDOW = 20
"""Steps that a figure is a mean over."""
BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 40
"""Characters of a curve."""
SHOWN = {
    "zero_variance": "zero-variance groups",
    "effective_batch": "effective batch",
    "response_length": "response length",
    "entropy": "entropy",
    "kl": "KL to the start",
    "grad_norm": "gradient norm",
    "loss": "loss",
    "verdict/truncated": "truncated",
    "verdict/no_answer": "no answer",
    "verdict/verifier_error": "checker failed",
    "seconds": "seconds a step",
}
"""Figures of `metrics.jsonl`, where the trainer writes them, and what people call them."""


@dataclass(frozen=True)
class Watched:
    """What stands in a run's folder at one moment."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    """One a step."""
    evaluations: Sequence[EvaluationRow]
    """One for each evaluated problem."""
    steps: int
    finished: bool

    @property
    def seconds_left(self) -> float | None:
        """None where no step says how long it took, or none is left."""
        took = [float(row["seconds"]) for row in self.rows[-WINDOW:] if "seconds" in row]
        left = self.steps - len(self.rows)
        return median(took) * left if took and left > 0 and not self.finished else None


def watch(folder: Path, once: bool, every: float) -> None:
    """Show a run until it has ended; with `once`, what stands now. Ctrl-C ends the looking only.

    Raises `ValueError` for a folder that holds no run.
    """
    run = RunDir(folder)
    seen = look(run)
    if once or seen.finished:
        console.print(picture(seen))
        return
    with Live(picture(seen), console=console, auto_refresh=False) as live:
        try:
            while not seen.finished:
                time.sleep(every)
                seen = look(run)
                live.update(picture(seen), refresh=True)
        except KeyboardInterrupt:
            return


def look(run: RunDir) -> Watched:
    """Read a run's folder."""
    if not run.config.is_file():
        raise ValueError(f"watch needs a run's folder with a config.json in it, but got {run.root}")
    config = json.loads(run.config.read_text())["config"]
    return Watched(
        name=config["name"],
        rows=read_lines(run.training / "metrics.jsonl"),
        evaluations=EvaluationLog(run.evaluations).rows(),
        steps=int(config["trainer"]["steps"]),
        finished=run.trained_model.exists(),
    )


def picture(seen: Watched) -> RenderableType:
    """All of it, for the terminal."""
    if not seen.rows:
        return Group(_headline(seen), "no training step has finished yet")
    parts: list[RenderableType] = [
        _headline(seen),
        ProgressBar(total=seen.steps, completed=len(seen.rows), width=WIDTH + 38),
        _curves(seen.rows),
    ]
    if seen.evaluations:
        parts.append(_pass_rates(seen.evaluations))
    return Group(*parts)


def _headline(seen: Watched) -> str:
    if not seen.rows:
        return f"[bold]{seen.name}[/bold]"
    left = seen.seconds_left
    if seen.finished:
        state = "finished"
    elif left is None:
        state = "running or stopped"
    else:
        state = f"about {timedelta(seconds=round(left))} left"
    last = seen.rows[-1]
    return (
        f"[bold]{seen.name}[/bold]  step {last['step']} of {seen.steps}  "
        f"stage {last['stage']}  {state}"
    )


def _curves(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Last value, mean of the last steps with its interval, and the whole curve of each figure."""
    window = min(WINDOW, len(rows))
    table = Table(box=None, pad_edge=False)
    for name in ("", "last", f"mean of {window}"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    table.add_column("", no_wrap=True)
    rewards = {key for row in rows for key in row if key.startswith(("reward/", "bucket_reward/"))}
    names = {key: _reward_name(key) for key in sorted(rewards, reverse=True)} | SHOWN
    for key, name in names.items():
        # a status that no rollout of a step had is not in its row, and yet is a share: none
        rest = 0.0 if key.startswith("verdict/") and any(key in row for row in rows) else None
        found = [row.get(key, rest) for row in rows]
        values = [float(value) for value in found if isinstance(value, int | float)]
        if values:
            table.add_row(name, f"{values[-1]:.3g}", interval(values[-WINDOW:]), curve(values))
    return table


def _reward_name(key: str) -> str:
    """`reward/math` is the reward in a domain, `bucket_reward/easy` that in a bucket."""
    kind, _, name = key.partition("/")
    return f"reward in {name}" if kind == "bucket_reward" else f"reward {name}"


def _pass_rates(evaluations: Sequence[EvaluationRow]) -> Table:
    """pass@1 of each domain before training and at the last evaluations, with its interval."""
    moments = list(dict.fromkeys((row.phase, row.step) for row in evaluations))
    table = Table(box=None, pad_edge=False, title="pass@1 [95 %], n problems", title_justify="left")
    table.add_column("")
    cells: dict[str, list[str]] = defaultdict(list)
    for place, (phase, step) in enumerate([*moments[:1], *moments[1:][-3:]]):
        table.add_column(phase if phase != "during" else f"step {step}", justify="right")
        rows = [row for row in evaluations if (row.phase, row.step) == (phase, step) and row.n]
        for summary in summarise(rows, 1, by=("domain",)):
            found, line = summary.pass_at_k, cells[str(summary.group[0])]
            line += [""] * (place - len(line))
            line.append(
                f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}] n={found.n_problems}"
            )
    for domain in sorted(cells):
        table.add_row(domain, *cells[domain])
    return table


def interval(values: Sequence[float]) -> str:
    """Mean and half the width of its 95 % interval, by the normal approximation."""
    if len(values) < 2:
        return f"{fmean(values):.3g}"
    return f"{fmean(values):.3g} ±{1.96 * stdev(values) / len(values) ** 0.5:.2g}"


def curve(values: Sequence[float], width: int = WIDTH) -> str:
    """A line of at most `width` bars, each the mean of a stretch, between lowest and highest."""
    count = min(width, len(values))
    cuts = [i * len(values) // count for i in range(count + 1)]
    means = [fmean(values[a:b]) for a, b in pairwise(cuts)]
    low, high = min(means), max(means)
    if high == low:
        return BARS[4] * count
    return "".join(BARS[1 + round((mean - low) / (high - low) * 7)] for mean in means)
