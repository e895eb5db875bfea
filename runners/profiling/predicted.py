"""Pass rates of a whole set from scoring a part of it: `difficulty.predict`.

Chance picks the first problems to score. A predictor (`difficulty.prediction`) learns from them
and names those of the others whose bucket is most doubtful; these are scored next. Then it learns
from all that is scored and predicts the rest: a prior that nothing has updated, with n = 0. Which
problems are scored depends on uids and verdicts alone, so an interrupted run goes on as it began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from difficulty.buckets import Bucket
from difficulty.pass_rate import PassRate, Posterior, as_posteriors, count_verdicts, posteriors
from difficulty.prediction.predictor import Example, Predictor
from difficulty.prior import SpikedBeta
from difficulty.settings import PredictRest
from domains.problem import Problem
from domains.splits import nested_subset
from runners.config import RunConfig
from runners.console import console
from runners.profiling.scored import Scored
from runners.run_dir import RunDir
from runners.summary import summarise

Measure = Callable[[Sequence[Problem]], list[PassRate]]
"""Scores some problems; their pass rates in order."""


def score_share(
    problems: Sequence[Problem],
    settings: PredictRest,
    measure: Measure,
    config: RunConfig,
    folder: RunDir,
) -> Scored:
    """Score a share of `problems`, predict the others, put all into buckets.

    The predictor's own figures (R2, Spearman, calibration, coverage, each measured on scored
    problems that it had not seen) go to summary.json.
    """
    edges = config.bucket_edges
    buckets = [Bucket(f"{low:g}", low, high) for low, high in pairwise(edges)]
    wanted = max(1, math.ceil(settings.share * len(problems)))
    first = nested_subset(problems, math.ceil(settings.by_chance * wanted), salt="scored first")
    rates = {rate.uid: rate for rate in measure(first)}
    others = [problem for problem in problems if problem.uid not in rates]
    if len(rates) < wanted:
        prediction = _learnt(problems, rates).predict([_example(p) for p in others])
        doubtful = prediction.score_first(buckets)[: wanted - len(rates)]
        chosen = [others[i] for i in sorted(doubtful.tolist())]
        rates |= {rate.uid: rate for rate in measure(chosen)}
        others = [problem for problem in others if problem.uid not in rates]
    predictor = _learnt(problems, rates)
    found = posteriors(list(rates.values())) | _predicted(predictor, others)
    card = predictor.card(buckets=buckets)
    summarise(folder, prediction={"scored": len(rates), "predicted": len(others), **card})
    console.print(
        f"scored {len(rates)} problems and predicted {len(others)} "
        f"(R2 {_figure(card, 'r2')}, Spearman {_figure(card, 'spearman')} on scored ones)",
        highlight=False,
    )
    all_rates = [rates.get(p.uid) or count_verdicts(p.uid, p.domain, ()) for p in problems]
    placed = config.buckets.place(all_rates, found)
    return Scored({rate.uid: rate for rate in all_rates}, found, placed)


def _learnt(problems: Sequence[Problem], rates: dict[str, PassRate]) -> Predictor:
    return Predictor().fit([_example(p, rates[p.uid]) for p in problems if p.uid in rates])


def _example(problem: Problem, rate: PassRate | None = None) -> Example:
    labels = {"domain": problem.domain, "source": problem.source, **problem.labels}
    counts = {"correct": rate.correct, "n": rate.n} if rate else {}
    return Example(problem.prompt, labels, answer=problem.answer, **counts)


def _predicted(predictor: Predictor, others: Sequence[Problem]) -> dict[str, Posterior]:
    if not others:
        return {}
    prediction = predictor.predict([_example(problem) for problem in others])
    alpha = prediction.mean * prediction.concentration
    beta = (1 - prediction.mean) * prediction.concentration
    nothing = np.zeros_like(alpha)
    records = as_posteriors(SpikedBeta(alpha, beta, nothing, nothing))
    return dict(zip((problem.uid for problem in others), records, strict=True))


def _figure(card: dict[str, object], name: str) -> str:
    value = card.get(name)
    if isinstance(value, dict):
        value = value.get("value", value.get("mean"))
    return f"{value:.2f}" if isinstance(value, float) else "unknown"
