"""The sections of a run's page.

A section whose data do not exist yet is left out, and a line says which command makes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from runners.evaluation.summary import EvaluationRow
from runners.report import run_plots, tables
from runners.report.diagnostics import diagnostics
from runners.report.inputs import Run
from runners.report.sections import Section, environment
from runners.report.sft_section import sft
from runners.report.tables import Table
from runners.report.wording import count


def run_sections(run: Run, seed: int) -> tuple[Section, ...]:
    """All sections of the page, in its order: the answer first, what it rests on after it."""
    return (
        outcome(run, seed),
        *([sft(run, seed)] if run.sft_data else []),
        learning(run, seed),
        curriculum(run),
        diagnostics(run, seed),
        difficulty(run),
        verdicts(run),
        data(run),
        ledger(run),
        environment(run.provenance, run.summary),
    )


def outcome(run: Run, seed: int) -> Section:
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


def learning(run: Run, seed: int) -> Section:
    figures = [*run_plots.learning_curves(run, seed), *run_plots.training_curves(run)]
    if not figures:
        missing = ("No training yet.", "curricle run CONFIG")
        return Section("learning", "Learning curves", absent=missing)
    lead = (
        "Evaluation on held-out problems, with 95% intervals; then what the trainer saw, each "
        "step thin and a running mean thick."
    )
    return Section("learning", "Learning curves", lead, figures=tuple(figures))


def curriculum(run: Run) -> Section:
    if not run.curriculum:
        missing = ("No training step yet.", "curricle run CONFIG")
        return Section("curriculum", "The curriculum as carried out", absent=missing)
    prompts = sum(len(row.uids) for row in run.curriculum)
    different = len({uid for row in run.curriculum for uid in row.uids})
    lead = (
        f"{count(len(run.curriculum))} steps drew {count(prompts)} prompts: {count(different)} "
        f"different problems of the pool's {count(len(run.pool))}."
    )
    return Section(
        "curriculum",
        "The curriculum as carried out",
        lead,
        figures=tuple(run_plots.curriculum_shares(run)),
        tables=(("Stages", tables.stage_table(run)),),
    )


def difficulty(run: Run) -> Section:
    if not run.pool:
        missing = ("No problem has been scored yet.", "curricle score CONFIG")
        return Section("difficulty", "Difficulty", absent=missing)
    colours = run_plots.bucket_colours(run)
    legend = tuple((str(name or run_plots.NO_BUCKET), css) for name, css in colours.items())
    named: list[tuple[str, Table]] = []
    model = "model that reinforcement learning began with" if run.sft_data else "untrained model"
    lead = f"Pass rates of the training pool under the {model}, easy to hard by colour."
    if run.buckets:
        named.append(("Buckets", tables.bucket_table(run)))
    else:
        lead += " No bucket yet: curricle export CONFIG makes them."
    figures = tuple(run_plots.pass_rate_histograms(run))
    return Section("difficulty", "Difficulty", lead, legend, figures, tuple(named))


def verdicts(run: Run) -> Section:
    groups: list[tuple[str, Sequence[EvaluationRow]]] = [
        ("scoring", [row.as_evaluation() for row in run.pool]),
        ("before", run.phase("before")),
        ("after SFT", run.phase("sft")),
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


def data(run: Run) -> Section:
    if not run.pool and not run.evaluations:
        missing = ("No data has been read yet.", "curricle score CONFIG")
        return Section("data", "Data", absent=missing)
    named = [("Problems by source", tables.data_table(run))]
    if run.provenance.data:
        named.append(("Hashes of the data", tables.facts(run.provenance.data)))
    return Section("data", "Data", tables=tuple(named))


def ledger(run: Run) -> Section:
    costs = tables.ledger(run.summary)
    if not costs.rows:
        missing = ("Time and computation are summed up at the end.", "curricle run CONFIG")
        return Section("cost", "Time and computation", absent=missing)
    lead = "The time of training includes its rollouts and the evaluations during it."
    return Section("cost", "Time and computation", lead, tables=(("", costs),))
