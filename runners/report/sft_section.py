"""The section on SFT: what was learnt from, how the loss fell, and what it brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from runners.evaluation.summary import GroupBy, Phase, grouped, paired_difference, summarise
from runners.report import plots, run_plots
from runners.report.inputs import Run
from runners.report.sections import Section
from runners.report.tables import Cell, Table, difference_cell, estimate_cell, rank, table
from runners.report.wording import MINUS, count

MODELS: dict[Phase, str] = {"before": "base", "sft": "SFT", "after": "RL"}


def sft(run: Run, seed: int) -> Section:
    """What stands of a run's SFT so far."""
    lead = (
        "The base model, fine-tuned on worked answers, then trained by reinforcement learning. "
        "Differences are paired by problem, with 95% intervals."
    )
    tables = [("Examples", _data_table(run))]
    if run.phase("before") and run.phase("sft"):
        tables.insert(0, ("pass@1 by domain", models_table(run, "domain", run.domains, seed)))
    points = [(row["step"], row["loss"]) for row in run.sft_metrics]
    lines = {"Loss": (plots.ACCENT, points)}
    title = "SFT: loss, nats per token, over its updates"
    # the stages of the curriculum are no part of this drawing
    figures = run_plots.training_curve(replace(run, curriculum=()), "sft-loss", title, lines)
    return Section("sft", "Fine-tuning first", lead, figures=tuple(figures), tables=tuple(tables))


def models_table(run: Run, by: GroupBy, order: Sequence[str], seed: int) -> Table:
    """pass@1 of each model that has been evaluated, and every later one less every earlier one."""
    phases = [phase for phase in MODELS if run.phase(phase)]
    groups = {phase: grouped(run.phase(phase), (by,)) for phase in phases}
    pairs = list(combinations(phases, 2))
    head = [
        *(by, "problems", *(MODELS[phase] for phase in phases)),
        *(f"{MODELS[second]} {MINUS} {MODELS[first]}" for first, second in pairs),
    ]
    rows: list[list[Cell | str]] = []
    shared = set.intersection(*({*found} for found in groups.values()))
    for group in sorted(shared, key=lambda g: rank(g[0], order)):
        own = {phase: groups[phase][group] for phase in phases}
        rows.append([
            str(group[0] or run_plots.NO_BUCKET),
            count(len(own["before"])),
            *(estimate_cell(summarise(own[p], 1, (), seed)[0].pass_at_k) for p in phases),
            *(difference_cell(paired_difference(own[a], own[b], 1, seed)) for a, b in pairs),
        ])  # fmt: skip
    return table(head, rows)


def _data_table(run: Run) -> Table:
    """How many examples there are, of which problems, and why there are not more."""
    data = run.sft_data
    counts = {
        "kept to learn from": data["examples"],
        **{f"left out: {name.replace('_', ' ')}": n for name, n in data["left_out"].items()},
        **data["problems"],
    }
    return table(("", "n"), [(name, count(n)) for name, n in counts.items()])
