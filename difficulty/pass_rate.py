"""Pass rates: how often a model solves a problem, with the uncertainty of having looked n times.

k correct of n graded completions give Beta(a + k, b + n - k). The prior (a, b) is fitted to the
scored problems of the same domain by the method of moments for the beta-binomial (empirical
Bayes); with too few problems it is Jeffreys' (1/2, 1/2). Intervals are highest-density ones: a
fifth of real pass rates are exactly 0 or 1, where equal-tailed intervals fail to cover the truth.

A completion whose checker failed leaves n. A truncated one counts as not solved here, as it does
in training, and is counted apart, so that `rate_among_finished` can tell a hard problem from a
token limit that is too low.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domains.problem import Status

JEFFREYS = (0.5, 0.5)
_FEWEST_FOR_PRIOR = 20
"""Problems of a domain below which its own prior is not worth fitting."""


@dataclass(frozen=True, slots=True)
class PassRate:
    """Counts of verdicts on the completions of one problem."""

    uid: str
    domain: str
    correct: int
    wrong: int
    no_answer: int
    truncated: int
    verifier_errors: int

    @property
    def n(self) -> int:
        """Completions with a verdict of their own; failures of the checker are not among them."""
        return self.correct + self.wrong + self.no_answer + self.truncated

    @property
    def rate_among_finished(self) -> float | None:
        """Share correct of the completions that were not cut off; None when all were."""
        finished = self.n - self.truncated
        return self.correct / finished if finished else None


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of one problem's pass rate."""

    mean: float
    low: float
    high: float
    alpha: float
    beta: float


def count_verdicts(uid: str, domain: str, statuses: Iterable[Status]) -> PassRate:
    """The counts of one problem's verdicts."""
    seen = list(statuses)
    return PassRate(
        uid,
        domain,
        seen.count("correct"),
        seen.count("wrong"),
        seen.count("no_answer"),
        seen.count("truncated"),
        seen.count("verifier_error"),
    )


def fit_prior(rates: Sequence[PassRate]) -> tuple[float, float]:
    """(a, b) of the Beta prior by moments; Jeffreys' where the data cannot tell.

    With n_i draws each, E[k/n] = m and the between-problem variance is the sample variance of k/n
    less its binomial part m(1 - m) mean(1/n), over 1 - mean(1/n); then a + b = m(1 - m)/v - 1.
    """
    scored = [r for r in rates if r.n > 0]
    if len(scored) < _FEWEST_FOR_PRIOR:
        return JEFFREYS
    n = np.array([r.n for r in scored], dtype=float)
    share = np.array([r.correct for r in scored]) / n
    mean, inverse_n = float(share.mean()), float((1 / n).mean())
    spread = mean * (1 - mean)
    between = (float(share.var(ddof=1)) - spread * inverse_n) / max(1 - inverse_n, 1e-9)
    if spread <= 0 or between <= 0:
        return JEFFREYS
    strength = min(max(spread / between - 1, 0.1), 100.0)
    return mean * strength, (1 - mean) * strength


def posteriors(rates: Sequence[PassRate], level: float = 0.9) -> dict[str, Posterior]:
    """The posterior of every problem that has n > 0, by uid; the others are missing, never 0."""
    by_domain: dict[str, list[PassRate]] = {}
    for rate in rates:
        if rate.n > 0:
            by_domain.setdefault(rate.domain, []).append(rate)
    found: dict[str, Posterior] = {}
    for members in by_domain.values():
        a, b = fit_prior(members)
        alpha = a + np.array([r.correct for r in members], dtype=float)
        beta = b + np.array([r.n - r.correct for r in members], dtype=float)
        low, high = highest_density(alpha, beta, level)
        for i, rate in enumerate(members):
            mean = float(alpha[i] / (alpha[i] + beta[i]))
            found[rate.uid] = Posterior(
                mean, float(low[i]), float(high[i]), float(alpha[i]), float(beta[i])
            )
    return found


def highest_density(
    alpha: np.ndarray, beta: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The shortest intervals that hold `level` of each Beta(alpha, beta); arrays of shape (m,)."""
    from scipy import stats

    tails = np.linspace(0, 1 - level, 101)[:, None]
    low = stats.beta.ppf(tails, alpha, beta)
    high = stats.beta.ppf(tails + level, alpha, beta)
    best = np.argmin(high - low, axis=0)
    columns = np.arange(len(alpha))
    return low[best, columns], high[best, columns]


def bucket_probability(posterior: Posterior, low: float, high: float) -> float:
    """Posterior mass of the pass rate in [low, high)."""
    from scipy import stats

    upper = 1.0 if high >= 1 else float(stats.beta.cdf(high, posterior.alpha, posterior.beta))
    return upper - float(stats.beta.cdf(low, posterior.alpha, posterior.beta))


def mean_by_domain(rates: Sequence[PassRate], found: Mapping[str, Posterior]) -> dict[str, float]:
    """Mean posterior pass rate of the scored problems of each domain."""
    values: dict[str, list[float]] = {}
    for rate in rates:
        if rate.uid in found:
            values.setdefault(rate.domain, []).append(found[rate.uid].mean)
    return {domain: float(np.mean(v)) for domain, v in values.items()}
