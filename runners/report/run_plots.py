"""The drawings of a run's page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runners.evaluation.summary import Estimate, summarise
from runners.report import plots
from runners.report.inputs import Run
from runners.report.plots import Figure, Sheet
from runners.report.wording import interval, rate

MOST_BARS = 100
"""More training steps than this share a bar."""
BINS = 10
NO_BUCKET = "no bucket"
TRAINING_SERIES = (
    ("reward/mean", "Reward"),
    ("response_length", "Response length, tokens"),
    ("entropy", "Entropy, nats per token"),
)


def before_after(rows: Sequence[tuple[str, Estimate, Estimate | None]], run: Run) -> Figure:
    """A line a domain: pass@1 before (ring) and after (dot) with their intervals."""

    def draw(sheet: Sheet) -> None:
        for place, (domain, before, after) in enumerate(rows):
            colour = sheet.colour(plots.domain_colour(run.domains.index(domain)))
            muted = sheet.colour(plots.MUTED)
            sheet.axes.plot([before.low, before.high], [place] * 2, color=muted, linewidth=1.2)
            if after is not None:
                sheet.axes.plot(
                    [before.mean, after.mean], [place] * 2, color=colour, linewidth=1, alpha=0.4
                )
                sheet.axes.plot([after.low, after.high], [place] * 2, color=colour, linewidth=3.5)
                sheet.axes.plot(after.mean, place, "o", color=colour, markersize=9)
            paper = sheet.colour(plots.PAPER)
            sheet.axes.plot(
                before.mean, place, "o", mfc=paper, mec=muted, markersize=8, markeredgewidth=1.5
            )
        sheet.rates("x")
        sheet.axes.set_ylim(len(rows) - 0.5, -0.5)
        labels = [domain for domain, _, _ in rows]
        sheet.axes.set_yticks(range(len(rows)), labels, parse_math=False)
        sheet.axes.tick_params(axis="y", labelsize=12, labelcolor=sheet.colour(plots.INK), length=0)
        sheet.axes.spines["left"].set_visible(False)
        sheet.x_label("pass@1")

    words = (
        f"{domain} {rate(before.mean)} {interval(before)}"
        + (f" to {rate(after.mean)} {interval(after)}" if after else "")
        for domain, before, after in rows
    )
    title = "pass@1 before (ring) and after training (dot), with 95% intervals"
    return plots.wide("before-after", title, "; ".join(words), 52 + 28 * len(rows), draw)


def pass_rate_histograms(run: Run) -> list[Figure]:
    """One panel a domain: how many problems have which pass rate, coloured by bucket."""
    scored = sorted({row.domain for row in run.pool})
    return [_histogram(run, place, domain) for place, domain in enumerate(scored)]


def _histogram(run: Run, place: int, domain: str) -> Figure:
    rows = [r for r in run.pool if r.domain == domain and r.pass_rate is not None]
    colours = bucket_colours(run)

    def draw(sheet: Sheet) -> None:
        floor = np.zeros(BINS)
        for bucket, css in colours.items():
            rates = [r.pass_rate for r in rows if r.bucket == bucket]
            counts, edges = np.histogram(np.array(rates, dtype=float), BINS, (0, 1))
            sheet.axes.bar(
                edges[:-1] + 0.5 / BINS, counts, 0.9 / BINS, floor, color=sheet.colour(css)
            )
            floor += counts
        sheet.axes.set_xlim(0, 1)
        sheet.axes.xaxis.set_major_formatter(lambda value, _: "0" if value == 0 else rate(value))
        sheet.axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
        sheet.grid("y")
        sheet.x_label("pass rate")

    mean = sum(r.pass_rate or 0 for r in rows) / len(rows) if rows else math.nan
    label = f"{len(rows)} problems of {domain} by pass rate, mean {rate(mean)}"
    return plots.panel(f"histogram-{place}", f"{domain}, {len(rows)} problems", label, draw)


def bucket_colours(run: Run) -> dict[str | None, str]:
    """A colour a bucket, from easy to hard; grey for problems in no bucket."""
    named: dict[str | None, str] = {
        name: plots.bucket_colour(place, len(run.buckets)) for place, name in enumerate(run.buckets)
    }
    if any(row.bucket is None for row in run.pool):
        named[None] = plots.MUTED
    return named


def domain_colours(run: Run) -> dict[str, str]:
    return {name: plots.domain_colour(place) for place, name in enumerate(run.domains)}


def stages(run: Run) -> list[tuple[str, int, int]]:
    """(stage, first step, last step), in the order carried out."""
    spans: list[tuple[str, int, int]] = []
    for stage, rows in groupby(run.curriculum, key=lambda row: row.stage):
        steps = [row.step for row in rows]
        spans.append((stage, steps[0], steps[-1]))
    return spans


def curriculum_shares(run: Run) -> list[Figure]:
    """What share of each step's prompts came from which bucket, and from which domain."""
    row_of = {row.uid: row for row in run.pool}
    by_bucket = {uid: row.bucket for uid, row in row_of.items()}
    by_domain = {uid: row.domain for uid, row in row_of.items()}
    figures = [
        _shares(
            run,
            "curriculum-buckets",
            "Prompts of each step by bucket",
            by_bucket,
            bucket_colours(run),
        )
    ]
    if len(run.trained_domains) > 1:
        figures.append(
            _shares(
                run,
                "curriculum-domains",
                "Prompts of each step by domain",
                by_domain,
                domain_colours(run),
            )
        )
    return figures


def _shares(
    run: Run, name: str, title: str, group_of: Mapping[str, Any], colours: Mapping[Any, str]
) -> Figure:
    per_bar = math.ceil(len(run.curriculum) / MOST_BARS)
    bars = [run.curriculum[i : i + per_bar] for i in range(0, len(run.curriculum), per_bar)]
    counts = [Counter(group_of.get(uid) for row in bar for uid in row.uids) for bar in bars]
    left = np.array([bar[0].step - 0.5 for bar in bars])
    width = np.array([bar[-1].step + 0.5 for bar in bars]) - left

    def draw(sheet: Sheet) -> None:
        floor = np.zeros(len(bars))
        for group, css in colours.items():
            shares = np.array([count[group] / max(1, count.total()) for count in counts])
            drawn = shares > 0
            sheet.axes.bar(
                left[drawn], shares[drawn], width[drawn], floor[drawn], align="edge",
                color=sheet.colour(css), edgecolor=sheet.colour(plots.PAPER),
                linewidth=0.6 if sheet.width / len(bars) > 10 else 0,
            )  # fmt: skip
            floor += shares
        sheet.axes.set_xlim(left[0], left[-1] + width[-1])
        sheet.axes.set_ylim(0, 1)
        sheet.axes.set_yticks([0, 0.5, 1], ["0", "50%", "100%"])
        sheet.whole_steps()
        sheet.x_label("training step")
        mark_stages(sheet, run)

    spans = ", ".join(f"{stage}: steps {first} to {last}" for stage, first, last in stages(run))
    legend = tuple((str(group or NO_BUCKET), css) for group, css in colours.items())
    return plots.wide(name, title, f"{title}. {spans}", 210, draw, legend)


def mark_stages(sheet: Sheet, run: Run) -> None:
    """A line where a stage begins, and its name above where there is room for it."""
    low, high = sheet.axes.get_xlim()
    room = sheet.width * 0.9 / (high - low)
    for stage, first, last in stages(run):
        if first > run.curriculum[0].step:
            sheet.axes.axvline(first - 0.5, color=sheet.colour(plots.INK), linewidth=1)
        if 6.5 * len(stage) < room * (last - first + 1):
            sheet.text(
                (first + last) / 2, 1.02, stage, ha="center", va="bottom",
                transform=sheet.axes.get_xaxis_transform(),
            )  # fmt: skip


def learning_curves(run: Run, seed: int) -> list[Figure]:
    """One panel a domain: pass@1 over the steps, with its 95% interval."""
    figures: list[Figure] = []
    summaries = summarise(run.evaluations_by_step(), 1, ("domain", "step"), seed)
    for place, domain in enumerate(run.domains):
        points = sorted((s.group[1], s.pass_at_k) for s in summaries if s.group[0] == domain)
        if len(points) > 1:
            figures.append(_learning_curve(run, place, domain, points))
    return figures


def _learning_curve(
    run: Run, place: int, domain: str, points: Sequence[tuple[Any, Estimate]]
) -> Figure:
    def draw(sheet: Sheet) -> None:
        steps = [step for step, _ in points]
        colour = sheet.colour(plots.domain_colour(place))
        low, high = [e.low for _, e in points], [e.high for _, e in points]
        sheet.axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
        means = [e.mean for _, e in points]
        sheet.axes.plot(steps, means, "o-", color=colour, linewidth=1.8, markersize=4)
        sheet.rates("y")
        sheet.whole_steps()
        sheet.x_label("training step")

    (first, start), (last, end) = points[0], points[-1]
    label = (
        f"pass@1 on {domain}: {rate(start.mean)} {interval(start)} at step {first}, "
        f"{rate(end.mean)} {interval(end)} at step {last}"
    )
    trained = "" if domain in run.trained_domains else ", not trained on"
    return plots.panel(f"learning-{place}", f"{domain}{trained}: pass@1", label, draw)


def training_curves(run: Run) -> list[Figure]:
    """Reward, response length and entropy: each that was logged."""
    figures: list[Figure] = []
    for place, (key, title) in enumerate(TRAINING_SERIES):
        lines = {title: (plots.ACCENT, series(run, key))}
        figures += training_curve(run, f"training-{place}", title, lines)
        if key == "reward/mean" and len(run.trained_domains) > 1:
            lines = {
                domain: (domain_colours(run)[domain], series(run, f"reward/{domain}"))
                for domain in run.trained_domains
            }
            figures += training_curve(run, "training-domains", "Reward by domain", lines)
    return figures


def series(run: Run, key: str) -> list[tuple[float, float]]:
    """(step, value) of the steps that logged a key."""
    return [(row["step"], row[key]) for row in run.metrics if row.get(key) is not None]


def training_curve(
    run: Run,
    name: str,
    title: str,
    lines: Mapping[str, tuple[str, Sequence[tuple[float, float]]]],
) -> list[Figure]:
    """One panel of (colour, points) lines over the steps; none where nothing was logged."""
    drawn = {line: (css, points) for line, (css, points) in lines.items() if points}
    if not drawn:
        return []

    def draw(sheet: Sheet) -> None:
        for css, points in drawn.values():
            steps, values = np.array(points, dtype=float).T
            if len(drawn) == 1:
                sheet.axes.plot(steps, values, color=sheet.colour(css), linewidth=0.8, alpha=0.45)
            sheet.axes.plot(steps, _smooth(values), color=sheet.colour(css), linewidth=1.8)
        sheet.grid("y")
        sheet.whole_steps()
        sheet.x_label("training step")
        for _, first, _ in stages(run)[1:]:
            sheet.axes.axvline(first - 0.5, color=sheet.colour(plots.RULE), linewidth=1)

    label = "; ".join(
        f"{line}: {points[0][1]:.3g} at step {points[0][0]:.0f}, "
        f"{points[-1][1]:.3g} at step {points[-1][0]:.0f}"
        for line, (_, points) in drawn.items()
    )
    legend = tuple((line, css) for line, (css, _) in drawn.items()) if len(drawn) > 1 else ()
    return [plots.panel(name, title, label, draw, legend)]


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean over a twelfth of the line, over what there is of it at the ends."""
    window = np.ones(max(1, len(values) // 12))
    sums = np.convolve(values, window, "same")
    smooth: NDArray[np.float64] = sums / np.convolve(np.ones_like(values), window, "same")
    return smooth
