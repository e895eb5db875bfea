"""The section that tells how well a run's curriculum chose: signal, effective batch, regret."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from runners.evaluation.summary import Estimate, bootstrap_mean
from runners.report import plots
from runners.report.inputs import Run
from runners.report.plots import Figure, Sheet
from runners.report.regret import Regret, regret
from runners.report.run_plots import series, training_curve
from runners.report.sections import Section
from runners.report.tables import Cell, Table, estimate_cell, table
from runners.report.wording import count, rate, signed, signed_interval

_MOST_NAMED = 4
"""Arms of a mix that are named."""

Points = list[tuple[float, float]]
"""(step, value)."""


def diagnostics(run: Run, seed: int) -> Section:
    """What was drawn, what it taught, and what a fixed mix would have taught."""
    if not run.curriculum:
        missing = ("No training step yet.", "curricle run CONFIG")
        return Section("diagnostics", "Diagnostics", absent=missing)
    flat = series(run, "zero_variance")
    effective = effective_batches(run)
    drawn, left = drawn_and_left(run)
    found = regret(run, seed)
    figures = [
        *training_curve(
            run, "diagnostics-flat", "Prompts with equal rewards only, share",
            {"without variance": (plots.ACCENT, flat)},
        ),
        *training_curve(
            run, "diagnostics-batch", "Effective batch: prompts that taught anything",
            {"effective batch": (plots.ACCENT, effective)},
        ),
        *training_curve(
            run, "diagnostics-pass-rate", "Pass rate before training: drawn, and never drawn yet",
            {"drawn": (plots.ACCENT, drawn), "left": (plots.MUTED, left)},
        ),
        *(_regret_figures(run, found) if found else ()),
    ]  # fmt: skip
    rows = [
        _row("equal rewards only, share of prompts", flat, seed),
        _row("effective batch, prompts", effective, seed, 1),
        _row("pass rate before training: drawn", drawn, seed),
        _row("never drawn yet", left, seed),
    ]
    tables: list[tuple[str, Table]] = [
        ("", table(("", "mean over steps", "steps"), [row for row in rows if row]))
    ]
    if found:
        tables.append(("Against the best fixed mix", _regret_table(found)))
    return Section("diagnostics", "Diagnostics", _lead(found), (), tuple(figures), tuple(tables))


def effective_batches(run: Run) -> Points:
    """Prompts of each step whose rewards varied, as logged, or from their share."""
    sizes = {row.step: len(row.uids) for row in run.curriculum}
    logged = dict(series(run, "effective_batch"))
    shares = dict(series(run, "zero_variance"))
    steps = sorted(logged.keys() | (shares.keys() & sizes.keys()))
    return [
        (step, logged[step] if step in logged else (1 - shares[step]) * sizes[int(step)])
        for step in steps
    ]


def drawn_and_left(run: Run) -> tuple[Points, Points]:
    """Mean pass rate, as scored before training, of each step's prompts, and of the problems that
    had been drawn neither in it nor before; steps where there are none are left out."""
    rates = {row.uid: row.pass_rate for row in run.pool if row.pass_rate is not None}
    left_sum, left_count = sum(rates.values()), len(rates)
    seen: set[str] = set()
    drawn: Points = []
    left: Points = []
    for row in run.curriculum:
        own = [rates[uid] for uid in row.uids if uid in rates]
        if own:
            drawn.append((row.step, fmean(own)))
        for uid in set(row.uids) - seen:
            if uid in rates:
                left_sum, left_count = left_sum - rates[uid], left_count - 1
        seen.update(row.uids)
        if left_count:
            left.append((row.step, max(0.0, left_sum / left_count)))
    return drawn, left


def _lead(found: Regret | None) -> str:
    lead = (
        "A prompt whose rollouts all earn the same teaches a group-relative method nothing. The "
        "mix over domains and buckets stands under “The curriculum as carried out”. Means over "
        "steps have 95% intervals from a bootstrap over steps."
    )
    if found is None:
        return f"{lead} The log does not hold each prompt's reward, so there is no regret."
    return (
        f"{lead} The signal of a prompt is 4 G/(G−1) m (1−m), with m the mean reward of its G "
        "rollouts. Regret compares the run's own mix with the best mix of domains and buckets that "
        "stays the same throughout, holds only kinds that this run drew, and draws no problem more "
        "than twice as often as this run drew any. Both are judged by what groups of each kind "
        "gave at about that time of this run and, where there were few, by their pass rates before "
        "training, moved as far as the policy had come in their domain. So it says nothing of how "
        "the policy would have fared under the other mix, and it errs upwards, as the best of many "
        "noisy kinds looks better than it is."
    )


def _row(name: str, points: Points, seed: int, digits: int = 2) -> list[Cell | str] | None:
    """A mean over steps, or nothing where nothing was logged."""
    if not points:
        return None
    estimate = bootstrap_mean([value for _, value in points], seed, name)
    cell = estimate_cell(estimate) if digits == 2 else _plain(estimate)
    return [name, cell, count(estimate.n_problems)]


def _plain(estimate: Estimate) -> Cell:
    return Cell(f"{estimate.mean:.1f}", f"[{estimate.low:.1f}, {estimate.high:.1f}]")


def _regret_figures(run: Run, found: Regret) -> Sequence[Figure]:
    own = list(zip(found.steps, found.own.tolist(), strict=True))
    best = list(zip(found.steps, found.best.tolist(), strict=True))
    return [
        *training_curve(
            run, "diagnostics-signal", "Signal of a prompt: this run, and the best fixed mix",
            {"this run": (plots.ACCENT, own), "best fixed mix": (plots.MUTED, best)},
        ),
        _cumulative(found),
    ]  # fmt: skip


def _cumulative(found: Regret) -> Figure:
    """Not smoothed, unlike the others: it is a sum."""

    def draw(sheet: Sheet) -> None:
        steps, values = [0, *found.steps], [0.0, *found.cumulative]
        sheet.axes.axhline(0, color=sheet.colour(plots.RULE), linewidth=1)
        sheet.axes.plot(steps, values, color=sheet.colour(plots.ACCENT), linewidth=1.8)
        sheet.grid("y")
        sheet.whole_steps()
        sheet.x_label("training step")

    last = found.cumulative[-1]
    label = f"Regret adds up to {last:.3g} prompts' worth of signal at step {found.steps[-1]}"
    return plots.panel(
        "diagnostics-regret", "Regret so far, in prompts that teach fully", label, draw
    )


def _regret_table(found: Regret) -> Table:
    estimate = Estimate(found.mean, found.low, found.high, found.n)
    order = sorted(range(len(found.arms)), key=lambda arm: -found.mix[arm])
    named = [arm for arm in order if found.mix[arm] > 0]
    words = "; ".join(f"{found.arms[arm]} {found.mix[arm]:.0%}" for arm in named[:_MOST_NAMED])
    more = len(named) - _MOST_NAMED
    words += f"; {more} more" if more > 0 else ""
    rows: list[list[Cell | str]] = [
        ["best fixed mix", words, ""],
        ["its signal a prompt", rate(found.own_mean + found.mean), count(found.n)],
        ["this run's", rate(found.own_mean), count(found.n)],
        ["regret a prompt", Cell(signed(found.mean), signed_interval(estimate)), count(found.n)],
    ]
    return table(("", "", "prompts"), rows)
