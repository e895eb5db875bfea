"""Fitting the learner model of `curricula/learner.py` to the log of a real run.

The run's steps are replayed in the mean: each prompt that was drawn has an expected pass rate, its
group an expected signal, and abilities move by it. What the replay says is compared with what the
run logged: the mean reward of each step and domain, and the gains of the evaluations, each in units
of its standard error. Least squares finds the parameters, held near those one starts from by a
weak prior (a factor of e or so): what a log says nothing of stays where it was. A log of one
curriculum seldom tells rate, critical batch and reach apart: fit to a run of mixed difficulties.

Flips of rewards cannot be seen in a log and are not fitted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.learner import Floats, Learner, LearnerSettings, ProblemTable
from difficulty.pass_rate import PassRate, posteriors
from runners.evaluation.summary import EvaluationRow
from runners.report.inputs import Run, read_run

_SCALES = ("rate", "ceiling", "critical_batch", "reach", "forgetting", "memory")
"""Fitted as logarithms."""
_LOOSE = (2.0, 0.7, 0.7, 0.7, 1.0, 1.0)
"""Standard deviations of their priors, in logs."""
_LOOSE_TRANSFER = 0.5
_GROUP_ERROR = 0.25
"""Standard deviation of a group's mean reward around the pass rate expected of its prompt."""
_LEAST_ERROR = 0.01
"""Standard errors of pass rates are taken to be no smaller: the model is only a model."""
_SMALLEST = 1e-6


@dataclass(frozen=True)
class _Point:
    """Something logged that the replay must foretell."""

    step: int
    domain: int
    value: float
    error: float


@dataclass(frozen=True)
class _Step:
    step: int
    rows: NDArray[np.int64]
    size: float
    """Rollouts of each group that were trained on."""


@dataclass(frozen=True)
class _Trace:
    """A run's log in arrays."""

    pool: ProblemTable
    evaluation: ProblemTable
    steps: tuple[_Step, ...]
    rewards: tuple[_Point, ...]
    gains: tuple[_Point, ...]
    """Rise of an evaluation's mean over the one before training."""
    tokens: int


def fit(run_folder: Path, start: LearnerSettings | None = None) -> LearnerSettings:
    """The learner that a run's log is most like. `start`: where to begin, and the prior's centre.

    Raises `ValueError` where the folder holds no training, or no scores.
    """
    from scipy.optimize import least_squares

    trace = _read(run_folder)
    centre = start or LearnerSettings()
    pairs = _pairs(trace)
    first = _vector(centre, pairs)
    spread = np.array([*_LOOSE, *(_LOOSE_TRANSFER for _ in pairs)])
    lowest = np.array([*(-14.0 for _ in _SCALES), *(0.0 for _ in pairs)])
    highest = np.array([*(6.0 for _ in _SCALES), *(1.0 for _ in pairs)])

    def residuals(x: Floats) -> Floats:
        found = _replay(trace, _settings(x, centre, pairs, trace))
        return np.concatenate([found, (x - first) / spread])

    inside = np.clip(first, lowest + 1e-3, highest - 1e-3)
    best = least_squares(
        residuals, inside, bounds=(lowest, highest), loss="soft_l1", diff_step=1e-3, max_nfev=40
    )
    return _settings(best.x, centre, pairs, trace)


def posterior_rates(rows: Sequence[EvaluationRow]) -> dict[str, float]:
    """Posterior mean pass rate by uid, out of the rows of one evaluation."""
    counted = [
        PassRate(r.uid, r.domain, r.correct, r.wrong, r.no_answer, r.truncated, r.verifier_errors)
        for r in rows
    ]
    return {uid: posterior.mean for uid, posterior in posteriors(counted).items()}


def _read(folder: Path) -> _Trace:
    run = read_run(folder)
    scored = [row for row in run.pool if row.pass_rate is not None]
    if not scored or not run.curriculum:
        missing = "no scored pool (pool.jsonl)" if not scored else "no training (curriculum.jsonl)"
        raise ValueError(
            f"a learner can be fitted to a run that was scored and trained, but {folder} has "
            f"{missing}"
        )
    before = run.start()
    start = posterior_rates(before)
    known = [row for row in before if row.uid in start]
    domains = sorted({row.domain for row in scored} | {row.domain for row in known})
    pool = ProblemTable.of(
        domains, [row.domain for row in scored], [row.pass_rate or 0.0 for row in scored]
    )
    evaluation = ProblemTable.of(
        domains, [row.domain for row in known], [start[row.uid] for row in known]
    )
    lengths = [row["response_length"] for row in run.metrics if row.get("response_length")]
    return _Trace(
        pool,
        evaluation,
        _steps(run, {row.uid: i for i, row in enumerate(scored)}),
        _reward_points(run, domains),
        _gain_points(run, domains),
        max(1, round(fmean(lengths))) if lengths else 1,
    )


def _steps(run: Run, row_of: dict[str, int]) -> tuple[_Step, ...]:
    trainer = run.provenance.config.get("trainer", {})
    samples = float(trainer.get("samples_per_prompt", 8))
    metrics = {row["step"]: row for row in run.metrics}
    steps: list[_Step] = []
    for drawn in run.curriculum:
        rows = np.array([row_of[uid] for uid in drawn.uids if uid in row_of], np.int64)
        own = metrics.get(drawn.step, {})
        generated = own.get("rollouts", 0) * own.get("response_length", 0)
        share = own["trained_tokens"] / generated if generated and "trained_tokens" in own else 1.0
        steps.append(_Step(drawn.step, rows, samples * min(1.0, share)))
    return tuple(steps)


def _reward_points(run: Run, domains: Sequence[str]) -> tuple[_Point, ...]:
    domain_of = {row.uid: row.domain for row in run.pool if row.pass_rate is not None}
    logged = {row["step"]: row for row in run.metrics}
    points: list[_Point] = []
    for drawn in run.curriculum:
        groups: dict[str, int] = defaultdict(int)
        for uid in drawn.uids:
            if uid in domain_of:
                groups[domain_of[uid]] += 1
        for domain, n in groups.items():
            value = logged.get(drawn.step, {}).get(f"reward/{domain}")
            if value is not None:
                points.append(
                    _Point(drawn.step, domains.index(domain), value, _GROUP_ERROR / sqrt(n))
                )
    return tuple(points)


def _gain_points(run: Run, domains: Sequence[str]) -> tuple[_Point, ...]:
    before = {row.uid: row.correct / row.n for row in run.start() if row.n}
    changes: dict[tuple[int, str], list[float]] = defaultdict(list)
    for row in run.evaluations_by_step():
        if row.n and row.uid in before and row.step > 0:
            changes[row.step, row.domain].append(row.correct / row.n - before[row.uid])
    return tuple(
        _Point(step, domains.index(domain), fmean(found), _standard_error(found))
        for (step, domain), found in changes.items()
        if len(found) > 1
    )


def _standard_error(values: Sequence[float]) -> float:
    return max(_LEAST_ERROR, stdev(values) / sqrt(len(values)))


def _replay(trace: _Trace, settings: LearnerSettings) -> Floats:
    """What the model says less what was logged, in standard errors: (points,)."""
    learner = Learner(settings, trace.pool)
    kept = 1 - settings.false_positives - settings.false_negatives
    wanted_rewards: dict[int, list[_Point]] = defaultdict(list)
    wanted_gains: dict[int, list[_Point]] = defaultdict(list)
    for point in trace.rewards:
        wanted_rewards[point.step].append(point)
    for point in trace.gains:
        wanted_gains[point.step].append(point)
    first = learner.pass_rates(trace.evaluation)
    found: list[float] = []
    for step in trace.steps:
        chances = learner.chances(step.rows)
        seen = settings.false_positives + kept * chances
        domain = trace.pool.domain[step.rows]
        for point in wanted_rewards[step.step]:
            found.append((seen[domain == point.domain].mean() - point.value) / point.error)
        sizes = np.full(len(step.rows), step.size)
        taught = 4 * sizes * kept * chances * (1 - chances)
        learner.move(step.rows, taught, 4 * sizes * seen * (1 - seen), sizes)
        if wanted_gains[step.step]:
            risen = learner.pass_rates(trace.evaluation) - first
            for point in wanted_gains[step.step]:
                own = risen[trace.evaluation.domain == point.domain].mean()
                found.append((own - point.value) / point.error)
    return np.array(found)


def _pairs(trace: _Trace) -> list[tuple[str, str]]:
    """(trained on, evaluated) domains whose transfer the log can tell."""
    names = trace.pool.domains
    drawn = np.concatenate([step.rows for step in trace.steps])
    sources = [names[d] for d in np.unique(trace.pool.domain[drawn])]
    targets = [names[d] for d in np.unique(trace.evaluation.domain)]
    return [(source, target) for source in sources for target in targets if source != target]


def _vector(settings: LearnerSettings, pairs: Sequence[tuple[str, str]]) -> Floats:
    scales = [np.log(max(_SMALLEST, getattr(settings, name))) for name in _SCALES]
    shares = [settings.transfer.get(s, {}).get(t, settings.elsewhere) for s, t in pairs]
    return np.array([*scales, *shares])


def _settings(
    x: Floats, centre: LearnerSettings, pairs: Sequence[tuple[str, str]], trace: _Trace
) -> LearnerSettings:
    changes: dict[str, Any] = {
        name: float(np.exp(value)) for name, value in zip(_SCALES, x, strict=False)
    }
    changes["forgetting"] = min(changes["forgetting"], 0.99)
    transfer = {source: dict(shares) for source, shares in centre.transfer.items()}
    for (source, target), share in zip(pairs, x[len(_SCALES) :], strict=True):
        transfer.setdefault(source, {})[target] = float(share)
    return centre.model_copy(update={**changes, "transfer": transfer, "tokens": trace.tokens})
