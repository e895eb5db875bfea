import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from difficulty.pass_rate import (
    JEFFREYS,
    PassRate,
    Posterior,
    bucket_probability,
    count_verdicts,
    fit_prior,
    highest_density,
    posteriors,
)


def make_rate(uid: str, correct: int, n: int, domain: str = "math") -> PassRate:
    return PassRate(uid, domain, correct, n - correct, 0, 0, 0)


def test_the_five_verdicts_are_counted_apart_and_a_failed_checker_leaves_n() -> None:
    rate = count_verdicts(
        "u", "math", ["correct", "wrong", "no_answer", "truncated", "verifier_error", "correct"]
    )
    assert (rate.correct, rate.wrong, rate.no_answer) == (2, 1, 1)
    assert (rate.truncated, rate.verifier_errors, rate.n) == (1, 1, 5)
    assert rate.rate_among_finished == 2 / 4


def test_few_problems_get_jeffreys_prior() -> None:
    # Beta(1/2 + 3, 1/2 + 1): mean 3.5 / 5
    found = posteriors([make_rate("u", 3, 4)])
    assert fit_prior([make_rate("u", 3, 4)]) == JEFFREYS
    assert found["u"].mean == pytest.approx(0.7)


def test_a_problem_without_completions_is_missing_not_zero() -> None:
    assert posteriors([make_rate("u", 0, 0)]) == {}


def test_moment_prior_recovers_the_beta_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.8, 1.6, size=4000)
    rates = [make_rate(str(i), int(rng.binomial(16, q)), 16) for i, q in enumerate(p)]
    a, b = fit_prior(rates)
    assert a == pytest.approx(0.8, rel=0.1)
    assert b == pytest.approx(1.6, rel=0.1)


def test_intervals_cover_true_rates_a_fifth_of_which_are_zero() -> None:
    rng = np.random.default_rng(1)
    p = np.where(rng.random(3000) < 0.2, 0.0, rng.beta(0.8, 1.2, size=3000))
    rates = [make_rate(str(i), int(rng.binomial(32, q)), 32) for i, q in enumerate(p)]
    found = posteriors(rates)
    inside = np.mean([found[str(i)].low <= q <= found[str(i)].high for i, q in enumerate(p)])
    assert 0.85 < inside < 0.97


@given(st.floats(0.2, 40), st.floats(0.2, 40))
def test_highest_density_is_never_wider_than_equal_tails(alpha: float, beta: float) -> None:
    from scipy import stats

    low, high = highest_density(np.array([alpha]), np.array([beta]), 0.9)
    tails = stats.beta.ppf([0.05, 0.95], alpha, beta)
    assert stats.beta.cdf(high, alpha, beta) - stats.beta.cdf(low, alpha, beta) == pytest.approx(
        0.9, abs=1e-6
    )
    assert (high - low)[0] <= tails[1] - tails[0] + 1e-9


def test_bucket_probabilities_of_a_partition_sum_to_one() -> None:
    posterior = Posterior(0.5, 0.1, 0.9, 2.0, 2.0)
    parts = [bucket_probability(posterior, a, b) for a, b in [(0, 0.5), (0.5, 1.0)]]
    assert parts == pytest.approx([0.5, 0.5])
