"""What a page says first: what was asked, and the answer in one sentence with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.evaluation.summary import (
    Estimate,
    EvaluationRow,
    grouped,
    paired_difference,
    summarise,
)
from runners.report import run_plots
from runners.report.inputs import Minimum, Run, Transfer
from runners.report.plots import Figure
from runners.report.wording import (
    between,
    count,
    counted,
    interval,
    listed,
    rate,
    signed,
    signed_interval,
)


@dataclass(frozen=True)
class Answer:
    sentence: str
    details: tuple[str, ...] = ()
    """What the sentence rests on, a line each."""
    figure: Figure | None = None


def question(run: Run) -> str:
    """What was asked, as far as the settings tell."""
    config = run.provenance.config
    model = str(run.summary.get("model") or config.get("model") or "the model")
    model = Path(model).name if Path(model).is_absolute() else model
    trainer, domains = config.get("trainer"), listed(run.trained_domains)
    if not isinstance(trainer, Mapping):
        return f"How hard is each problem{f' of {domains}' if domains else ''} for {model}?"
    algorithm = str(trainer.get("algorithm", "reinforcement learning")).replace("_", " ")
    names = {"grpo": "GRPO", "ppo": "PPO", "reinforce plus plus": "REINFORCE++"}
    kind, steps = _named(config.get("curriculum")), trainer.get("steps")
    through = f" through a {kind} curriculum" if kind else ""
    length = f" in {counted(steps, 'step')}" if isinstance(steps, int) else ""
    does = "How far do SFT and then" if run.sft_data else "How far does"
    does = "Simulated with a learner model: how far would" if run.simulated else does
    return (
        f"{does} {names.get(algorithm, algorithm)} on {domains or 'this data'} bring {model}"
        f"{through}{length}?"
    )


def _named(value: Any) -> str:
    """A setting's own name: itself, or the `kind` of a block."""
    if isinstance(value, Mapping):
        return str(value.get("kind") or value.get("path") or "")
    return str(value or "")


def answer(run: Run, seed: int) -> Answer:
    """The finding, as far as the run has come."""
    before, after = run.phase("before"), run.phase("after")
    if before and after:
        return _finding(run, before, after, seed)
    if before:
        whole = summarise(before, 1, (), seed)[0].pass_at_k
        sentence = f"Before training, pass@1 is {rate(whole.mean)} {interval(whole)}."
        return Answer(sentence, (_evidence(before),), _figure(run, before, [], seed))
    if run.pool:
        rows = [row.as_evaluation() for row in run.pool]
        whole = summarise(rows, 1, (), seed)[0].pass_at_k
        sentence = (
            f"The untrained model's pass rate on the pool is {rate(whole.mean)} {interval(whole)}."
        )
        return Answer(sentence, (_evidence(rows),))
    return Answer("Nothing has been scored yet.", ("curricle run CONFIG does all of it.",))


def _finding(
    run: Run, before: Sequence[EvaluationRow], after: Sequence[EvaluationRow], seed: int
) -> Answer:
    evaluated = {row.domain for row in before} & {row.domain for row in after}
    trained = [d for d in run.trained_domains if d in evaluated] or sorted(evaluated)
    first = [row for row in before if row.domain in trained]
    second = [row for row in after if row.domain in trained]
    start = summarise(first, 1, (), seed)[0].pass_at_k
    end = summarise(second, 1, (), seed)[0].pass_at_k
    change = paired_difference(first, second, 1, seed)
    verb = (
        "rose" if change.low > 0 else "fell" if change.high < 0 else "did not clearly change, going"
    )
    sentence = (
        f"{_skills(trained)} pass@1 {verb} from {rate(start.mean)} {interval(start)} "
        f"to {rate(end.mean)} {interval(end)}."
    )
    details = [
        f"Paired difference {signed(change.mean)} {signed_interval(change)}; {_evidence(second)}."
    ]
    if tuned := [row for row in run.phase("sft") if row.domain in trained]:
        by_sft = paired_difference(first, tuned, 1, seed)
        by_rl = paired_difference(tuned, second, 1, seed)
        details.append(
            f"Of this, SFT {signed(by_sft.mean)} {signed_interval(by_sft)} and reinforcement "
            f"learning {signed(by_rl.mean)} {signed_interval(by_rl)}."
        )
    if others := sorted(evaluated - set(trained)):
        details.append(
            "Not trained on: " + "; ".join(_change(d, before, after, seed) for d in others) + "."
        )
    return Answer(sentence, tuple(details), _figure(run, before, after, seed))


def _skills(domains: Sequence[str]) -> str:
    return domains[0] if len(domains) == 1 else f"Over {listed(list(domains))},"


def _change(
    domain: str, before: Sequence[EvaluationRow], after: Sequence[EvaluationRow], seed: int
) -> str:
    change = paired_difference(
        (row for row in before if row.domain == domain),
        (row for row in after if row.domain == domain),
        1,
        seed,
    )
    return f"{domain} {signed(change.mean)} {signed_interval(change)}"


def _evidence(rows: Sequence[EvaluationRow]) -> str:
    """n = 200 problems × 8 completions, or the whole number where problems differ."""
    problems = counted(len(rows), "problem")
    sizes = {row.n for row in rows}
    if len(sizes) == 1:
        return f"n = {problems} × {counted(sizes.pop(), 'completion')}"
    return f"n = {problems}, {count(sum(row.n for row in rows))} completions in all"


def _figure(
    run: Run, before: Sequence[EvaluationRow], after: Sequence[EvaluationRow], seed: int
) -> Figure:
    first, second = grouped(before, ("domain",)), grouped(after, ("domain",))

    def estimate(rows: Sequence[EvaluationRow]) -> Estimate:
        return summarise(rows, 1, ("domain",), seed)[0].pass_at_k

    lines = [
        (
            domain,
            estimate(first[domain,]),
            estimate(second[domain,]) if (domain,) in second else None,
        )
        for domain in run.domains
        if (domain,) in first
    ]
    return run_plots.before_after(lines, run)


def transfer_question(transfer: Transfer) -> str:
    ask = transfer.ask
    return (
        f"How few problems of {listed(list(transfer.target))} raise its pass@1 by "
        f"{signed(ask.gain)} while {listed(list(transfer.source))} keeps {ask.retention:.0%} of "
        f"what training on it alone reaches, with {ask.confidence:.0%} confidence?"
    )


def transfer_answer(transfer: Transfer) -> Answer:
    """The minimum with its interval, or the best that was seen."""
    minimum, ask = transfer.minimum, transfer.ask
    finished = [trial for trial in transfer.trials if trial.gain is not None]
    seeds = len({trial.seed for trial in finished})
    base = (
        f"Before: {listed(list(transfer.target))} {rate(transfer.base.target)}, "
        f"{listed(list(transfer.source))} {rate(transfer.base.source)}. "
        f"{counted(len(finished), 'finished run')} with {counted(seeds, 'seed')}."
    )
    if minimum is None:
        return Answer("The search has not finished: every size must be tried first.", (base,))
    if minimum.n is not None:
        sentence = (
            f"{counted(minimum.n, 'target problem')}{_minimum_interval(minimum)} "
            f"reach {signed(ask.gain)} on {listed(list(transfer.target))} while "
            f"{listed(list(transfer.source))} keeps {ask.retention:.0%} of its level."
        )
        return Answer(sentence, (f"In brackets, the 90% interval of the minimum. {base}",))
    sentence = f"Not reached by N_max = {count(minimum.n_max)}."
    best = max(transfer.curve, key=lambda point: point.gain, default=None)
    if best is None:
        return Answer(sentence, (base,))
    seen = (
        f"The largest gain is {signed(best.gain)} "
        f"{between(signed(best.gain_low), signed(best.gain_high))}, "
        f"at {counted(best.n, 'target problem')}; "
        f"asked was {signed(ask.gain)}."
    )
    return Answer(sentence, (seen, base))


def _minimum_interval(minimum: Minimum) -> str:
    if minimum.low is None:
        return ""
    if minimum.high_censored or minimum.high is None:
        return f" {between(count(minimum.low), f'more than {count(minimum.n_max)}')}"
    return f" {between(count(minimum.low), count(minimum.high))}"
