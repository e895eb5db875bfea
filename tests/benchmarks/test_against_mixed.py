"""What the comparisons with mixed share: courses, who pays for profiling, rank correlation."""

from __future__ import annotations

import sys
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest

from curricula import Item
from curricula.machinery.pool import Pool

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from against_mixed import ADAPTER, from_config, looks_at_scores, plans_ahead, ratio_interval
from courses import CAP, Course, Point, Walk, at_cost, at_level, compare, levels, token_cost
from curricula_table import ranking, spearman, summarise

MIXED = [Point(10.0 * i, 8.0 * i, 0.1 * i) for i in range(11)]
"""Spends 100 and ends at 1.0; its level there is the mean of .8, .9 and 1."""


def straight(a_step: float, gain: float) -> Walk:
    """A training that spends so much a step and gains so much."""

    def walk(steps: int, course: Course) -> None:
        course.points.append(Point(0, 0, 0))
        for step in range(1, steps + 1):
            spent = a_step * step
            if course.due(step, spent):
                course.points.append(Point(spent, spent / 2, gain * step))
                if course.enough(course.points):
                    return

    return walk


def test_a_level_is_the_mean_of_the_last_three_evaluations() -> None:
    points = [Point(0, 0, 0.0), Point(1, 1, 0.3), Point(2, 2, 0.6), Point(3, 3, 0.9)]
    assert levels(points) == pytest.approx([0.0, 0.15, 0.3, 0.6])


def test_a_level_is_reached_between_two_evaluations() -> None:
    points = [Point(0, 0, 0.0), Point(10, 4, 0.4), Point(20, 8, 0.8)]
    reached = at_level(points, 0.3)  # levels 0, .2, .4: half way between the last two
    assert reached is not None
    assert (reached.spent, reached.skipping) == pytest.approx((15, 6))
    assert at_level(points, 0.5) is None
    assert at_cost(points, 15) == pytest.approx(0.3)
    assert at_cost(points, 99) == pytest.approx(0.4)


def test_twice_as_fast_costs_about_half() -> None:
    found = compare(straight(10.0, 0.2), MIXED, steps=10, profile=0.0, ahead=False)
    # Target .9; levels 0, .1, .2, .4, .6, .8, 1.0 at 0, 10 ... 60.
    assert found.reached
    assert found.ratio == found.free == pytest.approx(0.55)
    assert found.skipping == pytest.approx(27.5 / 80)
    assert found.difference == pytest.approx(1.8 - 0.9)
    assert found.points[-1].spent == 100


def test_profiling_is_paid_and_shortens_the_training() -> None:
    found = compare(straight(10.0, 0.2), MIXED, steps=10, profile=20.0, ahead=True)
    assert found.ratio == pytest.approx(0.75)
    assert found.free == pytest.approx(0.55)
    assert found.steps == 8
    assert found.difference == pytest.approx(1.4 - 0.9)  # 80 of 100 are left to train with


def test_what_plans_ahead_is_trained_anew_for_the_cap() -> None:
    built: list[int] = []

    def walk(steps: int, course: Course) -> None:
        built.append(steps)
        straight(10.0, 1.2 / steps)(steps, course)  # ends at 1.2 however long it is

    found = compare(walk, MIXED, steps=10, profile=20.0, ahead=True)
    assert found.steps == 8
    assert built == [8]
    # A step gains .15, so levels are .75 and .9 after six and seven steps: 20 + 70 of 100.
    assert found.ratio == pytest.approx(0.9)

    built.clear()
    found = compare(walk, MIXED, steps=10, profile=65.0, ahead=True)
    assert built == [4, 8]
    # Four steps of .3 end at .9 too, but the mean of the last three evaluations is lower.
    assert found.ratio == pytest.approx(1.35)


def test_a_second_try_is_no_luckier_than_the_first() -> None:
    def walk(steps: int, course: Course) -> None:
        straight(10.0, 0.0 if steps == 10 else 0.2)(steps, course)

    found = compare(walk, MIXED, steps=10, profile=0.0, ahead=True)
    assert (found.steps, found.ratio, found.reached) == (15, 1.0, True)
    assert found.difference == pytest.approx(-0.9)


def test_what_never_gets_there_counts_as_the_cap() -> None:
    found = compare(straight(10.0, 0.0), MIXED, steps=10, profile=0.0, ahead=False)
    assert (found.ratio, found.reached) == (CAP, False)
    assert found.difference == pytest.approx(-0.9)


def test_cost_of_a_log() -> None:
    row = {"response_length": 10.0, "rollouts": 32, "trained_tokens": 300, "effective_batch": 2.0}
    # 320 tokens generated, 300 trained, 2 groups of 8 x 10 tokens with a signal.
    assert token_cost([row, row], samples=8) == (2 * (640 + 1800), 2 * (640 + 960))


@pytest.fixture(scope="module")
def pools() -> tuple[Pool, Pool]:
    uids = [f"p{i}" for i in range(60)]
    buckets = ("hard", "medium", "easy")
    scored = [Item(u, "math", "s", buckets[i // 20], i / 60) for i, u in enumerate(uids)]
    return Pool.of(scored), Pool.of([Item(u, "math", "s") for u in uids])


@pytest.mark.parametrize(
    ("settings", "looks", "ahead"),
    [
        ({"kind": "mixed"}, False, False),
        ({"kind": "staged", "by": "difficulty"}, True, True),
        (from_config("e2h_gaussian"), True, True),
        (from_config("adarft"), True, False),
        (from_config("mopps"), False, False),
    ],
)
def test_habits(
    settings: dict[str, object], looks: bool, ahead: bool, pools: tuple[Pool, Pool]
) -> None:
    scheduler = ADAPTER.validate_python(settings)
    assert looks_at_scores(scheduler, *pools, steps=9, prompts=8, seed=0) == looks
    assert plans_ahead(scheduler, pools[0], steps=9, prompts=8, seed=0) == ahead


def test_interval_of_ratios() -> None:
    ratio, low, high = ratio_interval([0.5, 2.0])
    half = 12.7062 * sqrt(2) * log(2) / sqrt(2)  # t with one degree of freedom
    assert ratio == pytest.approx(1.0)
    assert (low, high) == pytest.approx((exp(-half), exp(half)), rel=1e-3)


def test_rank_correlation() -> None:
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == pytest.approx(0.8)
    assert np.isnan(spearman(np.zeros(3), np.array([1.0, 2, 3])))


def test_summary_pairs_seeds_and_says_what_was_not_reached() -> None:
    names = ("a", "b", "c")
    ratios = {"a": 0.5, "b": 1.0, "c": 1.5}

    def line(name: str, seed: int) -> dict[str, object]:
        reached, level = ratios[name] < CAP, 1 - ratios[name]
        same = dict.fromkeys(("ratio", "free", "skipping"), ratios[name])
        return {
            "family": name, "where": "real", **same, "reached": reached,
            "difference": level + 0.01 * seed, "profile": 0.0,
        }  # fmt: skip

    def foretold(name: str) -> dict[str, object]:
        row = line(name, 0)
        keys = ("ratio", "free", "skipping", "reached", "difference")
        return {"family": name, "where": "simulated"} | {key: [row[key]] * 2 for key in keys}

    rows = {s: [*(line(n, s) for n in names), *(foretold(n) for n in names)] for s in range(4)}
    found = summarise(rows, names)
    assert (found["a"]["ratio"], found["a"]["low"], found["a"]["n"]) == (0.5, 0.5, 4)
    assert found["c"]["reached"] == 0
    assert found["b"]["difference"][0] == pytest.approx(0.015)
    assert found["b"]["simulated"]["ratio"] == 1.0
    told = ranking(rows, names)
    assert told["spearman_simulator"]["value"] == 1.0
    assert told["split_half"]["ratio"] == 1.0
    assert summarise({0: rows[0]}, names)["a"]["low"] is None
