"""Evaluation: an engine answers the held-out problems, and the counts go to evaluations.jsonl."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from difficulty.engine import Engine, Sampling
from difficulty.pass_rate import PassRate, count_verdicts
from difficulty.prompts import Prompter
from difficulty.score import Progress, score_chunk
from domains.problem import Problem, Status
from runners.evaluation_summary import EvaluationRow, Phase
from runners.run_dir import read_lines, write_lines

_CHUNK = 64
_SALT_STEP = 1_000_000
"""Keeps the seeds of evaluation apart from those of scoring (step 0) and of training steps."""


def evaluate(
    engine: Engine,
    problems: Sequence[Problem],
    prompter: Prompter,
    sampling: Sampling,
    samples: int,
    seed: int,
    phase: Phase,
    step: int,
    buckets: Mapping[str, str],
    progress: Progress | None = None,
) -> list[EvaluationRow]:
    """One row for each problem, in the order of `problems`, over `samples` completions each."""
    rows: list[EvaluationRow] = []
    for start in range(0, len(problems), _CHUNK):
        chunk = problems[start : start + _CHUNK]
        wanted = {problem.uid: range(samples) for problem in chunk}
        scored = score_chunk(
            chunk, wanted, engine, prompter, sampling, seed, step=_SALT_STEP + step
        )
        statuses: dict[str, list[Status]] = {}
        for completion in scored:
            statuses.setdefault(completion.uid, []).append(completion.status)
        for problem in chunk:
            rate = count_verdicts(problem.uid, problem.domain, statuses[problem.uid])
            rows.append(_row(problem, rate, phase, step, buckets.get(problem.uid)))
        if progress:
            progress(start + len(chunk), len(problems))
    return rows


class EvaluationLog:
    """evaluations.jsonl: every (phase, step) once, whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[EvaluationRow]:
        return [EvaluationRow.from_json(row) for row in read_lines(self.path)]

    def has(self, phase: Phase, uids: Iterable[str]) -> bool:
        """Whether every problem was evaluated in this phase."""
        return {*uids} <= {row.uid for row in self.rows() if row.phase == phase}

    def write(self, rows: Sequence[EvaluationRow]) -> None:
        """Add rows; those of the same phase and step that stand there are replaced."""
        new = {(row.phase, row.step) for row in rows}
        kept = [row for row in self.rows() if (row.phase, row.step) not in new]
        write_lines(self.path, (row.to_json() for row in [*kept, *rows]))


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
