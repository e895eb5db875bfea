"""The two pages: a run's and a transfer search's, each one HTML file that needs nothing else.

A section whose data do not exist yet is left out, and a line says which command makes them.
Everything that comes from data is escaped by the templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from runners.evaluation_summary import EvaluationRow
from runners.report import headline, run_plots, tables, transfer_plots
from runners.report.inputs import (
    Provenance,
    Run,
    Transfer,
    Trial,
    read_provenance,
    read_run,
    read_transfer,
)
from runners.report.plots import Figure
from runners.report.tables import Cell, Table, table
from runners.report.wording import MISSING, count, duration, rate, signed

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """A part of a page. Where `absent` is set there is nothing else: it says what to run."""

    id: str
    title: str
    lead: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    """(name, CSS colour) pairs, shared by the section's figures."""
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()
    """(caption, table)."""
    folded: tuple[tuple[str, str], ...] = ()
    """(title, text) blocks that open on a click."""
    absent: tuple[str, str] | None = None
    """(what is missing, the command that makes it)."""


@dataclass(frozen=True)
class Page:
    kind: str
    title: str
    question: str
    answer: headline.Answer
    sections: tuple[Section, ...] = field(default=())


def write_run_report(run_folder: Path) -> Path:
    """Write report.html into a run's folder, whatever the run has done so far.

    Raises `ValueError` where the folder is no run's or one of its files is broken.
    """
    run = read_run(run_folder)
    seed = _seed(run.provenance)
    sections = (
        _outcome(run, seed),
        _learning(run, seed),
        _curriculum(run),
        _difficulty(run),
        _verdicts(run),
        _data(run),
        _ledger(run),
        _environment(run.provenance, run.summary),
    )
    page = Page("Run", run.name, headline.question(run), headline.answer(run, seed), sections)
    return _write(page, run_folder)


def write_transfer_report(folder: Path) -> Path:
    """Write report.html into a transfer search's folder, and into its trials' where none stands.

    Raises `ValueError` where the folder is no search's or one of its files is broken.
    """
    transfer = read_transfer(folder)
    for trial in transfer.trials:
        run_folder = folder / trial.folder
        if (run_folder / "config.json").exists() and not (run_folder / "report.html").exists():
            write_run_report(run_folder)
    sections = [_transfer_curves(transfer), _transfer_trials(transfer, folder)]
    if (folder / "config.json").exists():
        sections.append(_environment(read_provenance(folder), {}))
    page = Page(
        "Transfer search", transfer.name, headline.transfer_question(transfer),
        headline.transfer_answer(transfer), tuple(sections),
    )  # fmt: skip
    return _write(page, folder)


def _seed(provenance: Provenance) -> int:
    seed = provenance.config.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def _write(page: Page, folder: Path) -> Path:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    path = folder / "report.html"
    html = environment.get_template("page.html.j2").render(page=page)
    path.write_text(html, encoding="utf-8")
    return path


def _outcome(run: Run, seed: int) -> Section:
    before, after = run.phase("before"), run.phase("after")
    if not before or not after:
        missing = ("No evaluation after training yet.", "curricle run CONFIG")
        return Section("outcome", "Before and after", absent=missing)
    named = [("By domain", tables.before_after_table(run, "domain", run.domains, seed))]
    if any(row.bucket for row in before):
        named.append(("By bucket", tables.before_after_table(run, "bucket", run.buckets, seed)))
    if len({(row.domain, row.bucket) for row in before}) > max(len(run.domains), len(run.buckets)):
        named.append(("By domain and bucket, pass@1", tables.cross_table(run, seed)))
    lead = (
        "Means over problems. In brackets, 95% intervals from a bootstrap over problems; "
        "differences are paired by problem. pass@k is the chance that one of k completions is "
        "correct (unbiased estimate)."
    )
    return Section("outcome", "Before and after", lead, tables=tuple(named))


def _learning(run: Run, seed: int) -> Section:
    figures = [*run_plots.learning_curves(run, seed), *run_plots.training_curves(run)]
    if not figures:
        missing = ("No training yet.", "curricle run CONFIG")
        return Section("learning", "Learning curves", absent=missing)
    lead = (
        "Evaluation on held-out problems, with 95% intervals; then what the trainer saw, each "
        "step thin and a running mean thick."
    )
    return Section("learning", "Learning curves", lead, figures=tuple(figures))


def _curriculum(run: Run) -> Section:
    if not run.curriculum:
        missing = ("No training step yet.", "curricle run CONFIG")
        return Section("curriculum", "The curriculum as carried out", absent=missing)
    buckets = [(str(name or tables.NO_BUCKET), css) for name, css in _bucket_legend(run)]
    several = len(run.trained_domains) > 1
    domains = [(d, css) for d, css in run_plots.domain_colours(run).items() if several]
    prompts = sum(len(row.uids) for row in run.curriculum)
    different = len({uid for row in run.curriculum for uid in row.uids})
    lead = (
        f"{count(len(run.curriculum))} steps drew {count(prompts)} prompts: {count(different)} "
        f"different problems of the pool's {count(len(run.pool))}."
    )
    return Section(
        "curriculum", "The curriculum as carried out", lead, (*buckets, *domains),
        tuple(run_plots.curriculum_shares(run)), (("Stages", tables.stage_table(run)),),
    )  # fmt: skip


def _bucket_legend(run: Run) -> list[tuple[str | None, str]]:
    return list(run_plots.bucket_colours(run).items())


def _difficulty(run: Run) -> Section:
    if not run.pool:
        missing = ("No problem has been scored yet.", "curricle score CONFIG")
        return Section("difficulty", "Difficulty", absent=missing)
    legend = [(str(name or tables.NO_BUCKET), css) for name, css in _bucket_legend(run)]
    named: list[tuple[str, Table]] = []
    lead = "Pass rates of the training pool under the untrained model, easy to hard by colour."
    if run.buckets:
        named.append(("Buckets", tables.bucket_table(run)))
    else:
        lead += " No bucket yet: curricle export CONFIG makes them."
    figures = tuple(run_plots.pass_rate_histograms(run))
    return Section("difficulty", "Difficulty", lead, tuple(legend), figures, tuple(named))


def _verdicts(run: Run) -> Section:
    groups: list[tuple[str, Sequence[EvaluationRow]]] = [
        ("scoring", [row.as_evaluation() for row in run.pool]),
        ("before", run.phase("before")),
        ("after", run.phase("after")),
    ]
    present = [(when, rows) for when, rows in groups if rows]
    if not present:
        missing = ("Nothing has been judged yet.", "curricle score CONFIG")
        return Section("verdicts", "Verdicts", absent=missing)
    lead = (
        "How completions were judged. A truncated completion hit the token limit; one on which "
        "the verifier failed says nothing about the model and is counted in no rate."
    )
    legend = tuple(
        (status.replace("_", " "), f"var(--{status.replace('_', '-')})")
        for status in tables.STATUS_COLUMNS
    )
    named = (("", tables.verdict_table(present)),)
    return Section("verdicts", "Verdicts", lead, legend, tables=named)


def _data(run: Run) -> Section:
    if not run.pool and not run.evaluations:
        missing = ("No data has been read yet.", "curricle score CONFIG")
        return Section("data", "Data", absent=missing)
    named = [("Problems by source", tables.data_table(run))]
    if run.provenance.data:
        named.append(("Hashes of the data", tables.facts(run.provenance.data)))
    return Section("data", "Data", tables=tuple(named))


def _ledger(run: Run) -> Section:
    costs = tables.ledger(run.summary)
    if not costs.rows:
        missing = ("Time and computation are summed up at the end.", "curricle run CONFIG")
        return Section("cost", "Time and computation", absent=missing)
    return Section("cost", "Time and computation", tables=(("", costs),))


def _environment(provenance: Provenance, summary: Any) -> Section:
    made = {
        "model": summary.get("model"),
        "scored and evaluated by": summary.get("engine"),
        "trained by": summary.get("trainer"),
        "git commit": provenance.git,
    }
    named = [("", tables.facts(made)), ("Versions", tables.facts(provenance.versions))]
    text = yaml.safe_dump(provenance.config, sort_keys=False, allow_unicode=True, width=96)
    return Section(
        "environment", "Environment and settings",
        tables=tuple((caption, one) for caption, one in named if one.rows),
        folded=(("The whole configuration, defaults included", text),),
    )  # fmt: skip


def _transfer_curves(transfer: Transfer) -> Section:
    lead = (
        "Band: 95% interval of the estimate. Rings: one training run each. Dashed: what was asked."
    )
    if not transfer.curve and not any(trial.gain is not None for trial in transfer.trials):
        missing = ("No trial has finished yet.", "curricle transfer CONFIG")
        return Section("curve", "Gain and retention", absent=missing)
    figures = (transfer_plots.gain_curve(transfer), transfer_plots.retention_curve(transfer))
    return Section("curve", "Gain and retention", lead, figures=figures)


def _transfer_trials(transfer: Transfer, folder: Path) -> Section:
    points = table(
        ("target problems", "seeds", "gain", "retention", "chance of success", "runs"),
        [
            (
                count(point.n),
                count(point.seeds),
                Cell(signed(point.gain), _bounds(point.gain_low, point.gain_high, signed)),
                Cell(
rate(point.retention), _bounds(point.retention_low, point.retention_high, rate)),
                rate(point.p_success),
                count(sum(trial.n_target == point.n for trial in transfer.trials)),
            )
            for point in transfer.curve
        ],
    )  # fmt: skip
    trials = sorted(transfer.trials, key=lambda trial: (trial.n_target, trial.seed, trial.number))
    runs = table(
        ("run", "target problems", "seed", "target", "gain", "source", "kept", "time", "state"),
        [_trial(trial, folder) for trial in trials],
    )
    return Section(
        "trials", "Runs", tables=(("By number of target problems", points), ("Each run", runs))
    )


def _bounds(low: float | None, high: float | None, write: Any) -> str:
    return "" if low is None or high is None else f"[{write(low)}, {write(high)}]"


def _trial(trial: Trial, folder: Path) -> tuple[Cell | str, ...]:
    from urllib.parse import quote

    path = f"{trial.folder}/report.html"
    return (
        Cell(trial.folder, href=quote(path) if (folder / path).exists() else ""),
        count(trial.n_target),
        str(trial.seed),
        f"{rate(trial.target_before)} → {rate(trial.target_after)}",
        signed(trial.gain),
        f"{rate(trial.source_before)} → {rate(trial.source_after)}",
        MISSING if trial.retention is None else f"{trial.retention:.0%}",
        duration(trial.seconds),
        trial.state,
    )
