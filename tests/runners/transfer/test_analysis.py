import math

import pytest

from runners.config import TransferSettings
from runners.transfer.analysis import TrialResult, analyse

ASK = TransferSettings(source=("math",), target=("graph",), sizes=(3, 15, 63), gain=0.3)
BASE = {f"t{i}": 0.2 for i in range(30)}


def make_trials(
    gains: dict[int, float], source: dict[int, float] | None = None, seeds: int = 3
) -> list[TrialResult]:
    """Trainings whose every problem gains the same, so that the answer is known by hand."""
    return [
        TrialResult(
            n,
            seed,
            {uid: rate + gain for uid, rate in BASE.items()},
            {f"s{i}": (source or {}).get(n, 0.8) for i in range(20)},
        )
        for n, gain in gains.items()
        for seed in range(seeds)
    ]


def test_without_noise_the_minimum_is_where_the_line_crosses_on_the_log_axis() -> None:
    # .1 at 3 (log 4) and .5 at 15 (log 16): .3 lies half-way, at N + 1 = sqrt(4 * 16) = 8.
    points, minimum = analyse(BASE, make_trials({0: 0.0, 3: 0.1, 15: 0.5, 63: 0.6}), ASK, seed=0)
    assert (minimum.n, minimum.low, minimum.high) == (7, 7, 7)
    assert minimum.reached
    assert [p.n for p in points] == [0, 3, 15, 63]
    assert points[2].gain == pytest.approx(0.5)
    assert [p.p_success for p in points] == [0, 0, 1, 1]


def test_a_gain_that_is_never_reached_is_said_to_be_so() -> None:
    _, minimum = analyse(BASE, make_trials({0: 0.0, 3: 0.1, 15: 0.2, 63: 0.25}), ASK, seed=0)
    assert not minimum.reached
    assert minimum.n is None
    assert minimum.high_censored
    assert minimum.n_max == 63


def test_a_gain_that_the_source_alone_gives_needs_no_target_data() -> None:
    _, minimum = analyse(BASE, make_trials({0: 0.4, 3: 0.4, 15: 0.5, 63: 0.5}), ASK, seed=0)
    assert minimum.n == 0


def test_a_source_that_is_lost_does_not_count_as_reached() -> None:
    gains = {0: 0.0, 3: 0.5, 15: 0.6, 63: 0.6}
    source = {0: 0.8, 3: 0.5, 15: 0.78, 63: 0.5}  # kept: 62%, 98%, 62%; asked 90%
    points, minimum = analyse(BASE, make_trials(gains, source), ASK, seed=0)
    assert minimum.n == 15
    assert points[1].retention == pytest.approx(0.625)


def test_seeds_that_disagree_widen_the_interval() -> None:
    trials = make_trials({0: 0.0, 3: 0.1, 63: 0.6})
    for seed, gain in enumerate((0.1, 0.3, 0.5)):
        trials.append(
            TrialResult(
                15, seed, {u: r + gain for u, r in BASE.items()}, {f"s{i}": 0.8 for i in range(20)}
            )
        )
    _, minimum = analyse(BASE, trials, ASK, seed=0)
    assert minimum.low is not None
    assert minimum.high is not None
    assert minimum.n is not None
    assert minimum.low < 15 < minimum.high
    assert minimum.low <= minimum.n <= minimum.high


def test_a_source_at_zero_is_no_retention_rather_than_an_infinite_one() -> None:
    source = dict.fromkeys((0, 3, 15, 63), 0.0)
    points, minimum = analyse(
        BASE, make_trials({0: 0, 3: 0.5, 15: 0.5, 63: 0.5}, source), ASK, seed=0
    )
    assert math.isnan(points[1].retention)
    assert not minimum.reached


def test_trials_without_the_source_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="n_target=0"):
        analyse(BASE, make_trials({3: 0.1, 15: 0.2}), ASK, seed=0)
