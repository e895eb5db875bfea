"""Evaluation: an engine answers the held-out problems, and what it says is counted."""

from collections.abc import Mapping
from dataclasses import dataclass

from difficulty.engines.base import Engine
from difficulty.pass_rate import PassRate, count_verdicts
from difficulty.score import Progress, score_stream
from domains.problem import Problem, Status
from runners.config import RunConfig
from runners.evaluation.summary import EvaluationRow, Phase
from runners.problem_set import ProblemSet

_SALT_STEP = 1_000_000
"""Keeps the seeds of evaluation apart from those of scoring (step 0) and of training steps."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Rows, and what they cost."""

    rows: list[EvaluationRow]
    generated_tokens: int


def evaluate(
    config: RunConfig,
    engine: Engine,
    problems: ProblemSet,
    buckets: Mapping[str, str],
    phase: Phase,
    step: int,
    progress: Progress | None = None,
) -> Evaluated:
    """Answer every evaluation problem `evaluation.samples` times; one row a problem, in order."""
    rows: list[EvaluationRow] = []
    tokens = 0
    stream = score_stream(
        problems.evaluation,
        {problem.uid: range(config.evaluation.samples) for problem in problems.evaluation},
        engine,
        problems.prompter,
        config.decoding,
        config.seed,
        step=_SALT_STEP + step,
    )
    statuses: dict[str, list[Status]] = {}
    for completions in stream:
        statuses[completions[0].uid] = [completion.status for completion in completions]
        tokens += sum(completion.token_count for completion in completions)
        if progress:
            progress(len(statuses), len(problems.evaluation))
    for problem in problems.evaluation:
        rate = count_verdicts(problem.uid, problem.domain, statuses[problem.uid])
        rows.append(_row(problem, rate, phase, step, buckets.get(problem.uid)))
    return Evaluated(rows, tokens)


def _row(
    problem: Problem, rate: PassRate, phase: Phase, step: int, bucket: str | None
) -> EvaluationRow:
    return EvaluationRow(
        phase=phase,
        step=step,
        uid=problem.uid,
        domain=problem.domain,
        source=problem.source,
        bucket=bucket,
        n=rate.n,
        correct=rate.correct,
        wrong=rate.wrong,
        no_answer=rate.no_answer,
        truncated=rate.truncated,
        verifier_errors=rate.verifier_errors,
    )
