"""SEC, DUMP and the transfer-aware bandit against numbers worked out by hand."""

from collections import Counter
from math import exp, log, sqrt

import numpy as np
import pytest

from curricula.base import Item, Outcome
from curricula.dump import DUMP, DUMPCurriculum
from curricula.machinery.arms import Arms, softmax
from curricula.machinery.deck import generator
from curricula.machinery.pool import Pool
from curricula.machinery.signals import absolute_advantage, is_informative, mean_reward
from curricula.sec import SEC, SECCurriculum
from curricula.transfer_aware import (
    ALIGNMENT,
    TransferAware,
    TransferAwareCurriculum,
    relative,
)


def make_pool(each: int = 40, bucket: str | None = "easy") -> list[Item]:
    return [
        Item(f"{domain}-{i}", domain, "test", bucket) for domain in ("a", "b") for i in range(each)
    ]


def outcome(uid: str, *advantages: float) -> Outcome:
    return Outcome(uid, tuple(0.0 for _ in advantages), advantages=advantages)


def test_the_advantage_of_a_group_is_the_trainers_or_in_units_of_its_deviation() -> None:
    assert absolute_advantage(outcome("u", 1.0, -1.0, 0.5, -0.5)) == 0.75
    # 1, 0, 0, 0: mean 1/4, deviation sqrt(3)/4; |A| = (3/4 + 3/4) / 4 / (sqrt(3)/4)
    assert absolute_advantage(Outcome("u", (1.0, 0.0, 0.0, 0.0))) == pytest.approx(1.5 / sqrt(3))
    assert absolute_advantage(Outcome("u", (1.0, 1.0))) == 0.0
    assert absolute_advantage(Outcome("u", ())) is None


def test_failed_verifiers_say_nothing() -> None:
    half = Outcome("u", (1.0, 0.0), ("correct", "verifier_error"))
    assert not is_informative(half)
    assert mean_reward([half, Outcome("v", (0.0,), ("verifier_error",))]) == 1.0
    assert mean_reward([]) is None


def test_sec_moves_only_the_arms_it_has_seen() -> None:
    curriculum = SEC().build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, SECCurriculum)
    assert curriculum.arms.names == ("a/easy", "b/easy")
    curriculum.observe([outcome("a-0", 1.0, -1.0), outcome("a-1", 0.0, 0.0)])
    assert curriculum.values.tolist() == [0.25, 0.0]  # .5 * mean(1, 0)
    curriculum.observe([outcome("b-0", 0.8, -0.8)])
    assert curriculum.values.tolist() == pytest.approx([0.25, 0.4])  # a is left alone
    weights = [exp(0.25 / 0.4), exp(0.4 / 0.4)]
    assert curriculum.probabilities.tolist() == pytest.approx([w / sum(weights) for w in weights])


def test_sec_draws_by_its_probabilities() -> None:
    curriculum = SEC(temperature=0.1).build(make_pool(each=4000), 99, seed=0)
    for _ in range(10):
        curriculum.observe([outcome("a-0", 0.2), outcome("b-0", 0.1)])
    # Q -> .2, .1 within 1 - .5^10; p(a) = e / (1 + e) = .731
    found = Counter(uid[0] for uid in curriculum.more(4000))
    assert found["a"] / 4000 == pytest.approx(0.731, abs=0.025)  # 3.5 s.e.


def test_dump_adds_what_is_not_known() -> None:
    curriculum = DUMP().build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, DUMPCurriculum)
    assert curriculum.scores.tolist() == [0.0, 0.0]  # ln 1 = 0
    curriculum.observe([outcome("a-0", 1.0, -1.0), outcome("a-1", 0.5, -0.5), outcome("b-0", 0.3)])
    # N = 5; a: mean .75 over 4 rollouts; b: .3 over 1
    bonus = [sqrt(2 * log(6) / 5), sqrt(2 * log(6) / 2)]
    assert curriculum.scores.tolist() == pytest.approx([0.75 + bonus[0], 0.3 + bonus[1]])


def test_dump_forgets_what_left_its_window() -> None:
    curriculum = DUMP(window=3).build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, DUMPCurriculum)
    curriculum.observe([outcome("a-0", 1.0, 1.0), outcome("a-1", 0.0, 0.0)])
    # the last 3 rollouts: two of mean 0, one of mean 1
    assert curriculum.windows[0] == [(1.0, 1), (0.0, 2)]
    assert curriculum.counts == [4, 0]


def aligned(uid: str, advantage: float, cosine: float) -> Outcome:
    return Outcome(uid, (0.0, 1.0), advantages=(advantage, -advantage), extras={ALIGNMENT: cosine})


def test_transfer_is_paid_beside_the_advantage() -> None:
    settings = TransferAware(rate=0.5, balance=0.5, explore=0.1, temperature=0.2)
    curriculum = settings.build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, TransferAwareCurriculum)
    curriculum.observe([aligned("a-0", 0.4, 0.5), aligned("b-0", 0.6, -0.3)])
    # .5 x .4 + .5 x (.5 + .3) / .8; .5 x .6 + .5 x 0
    assert curriculum.scores.tolist() == pytest.approx([0.7, 0.3])
    # N = 2, n = 1 each: the bonus is the same, and e^(.7/.2) against e^(.3/.2)
    assert curriculum.probabilities[0] == pytest.approx(1 / (1 + exp(-2.0)))
    assert curriculum.metrics()["curriculum/alignment_told"] == 1.0
    # b's alignment moves to -.3 + .5 (.66 + .3) = .18: a, not drawn, falls behind by .32 / .8
    curriculum.observe([aligned("b-0", 0.6, 0.66), aligned("b-1", 0.6, 0.66)])
    assert curriculum.scores.tolist() == pytest.approx([0.7, 0.3])  # still the best and the least
    curriculum.observe([aligned("b-0", 0.6, 0.82), aligned("b-1", 0.6, 0.82)])
    # both at .5: within the least spread, so neither is ahead
    assert curriculum.scores.tolist() == pytest.approx([0.2, 0.3])
    bonus = [0.1 * sqrt(2 * log(7) / 2), 0.1 * sqrt(2 * log(7) / 6)]  # n = 1 and 5 of N = 6
    scores = [(0.2 + bonus[0]) / 0.2, (0.3 + bonus[1]) / 0.2]
    assert curriculum.probabilities[1] == pytest.approx(1 / (1 + exp(scores[0] - scores[1])))


def test_without_alignments_it_is_a_bandit_on_advantages() -> None:
    curriculum = TransferAware(explore=0.0).build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, TransferAwareCurriculum)
    curriculum.observe([outcome("a-0", 0.4, -0.4), outcome("b-0", 0.8, -0.8)])
    assert curriculum.scores.tolist() == pytest.approx([0.2, 0.4])
    assert curriculum.metrics()["curriculum/alignment_told"] == 0.0


def test_an_arm_that_was_told_no_alignment_stands_in_the_middle() -> None:
    found = relative(np.array([0.1, np.nan, 0.5]))
    assert found.tolist() == pytest.approx([0.0, 0.5, 1.0])
    # .04 apart, of the least spread .1
    assert relative(np.array([0.10, 0.14])).tolist() == pytest.approx([0.0, 0.4])


def test_arms_that_run_out_leave_their_places_to_the_others() -> None:
    items = [Item("a-0", "a", "t"), *(Item(f"b-{i}", "b", "t") for i in range(9))]
    pool = Pool.of(items)
    arms = Arms(pool, pool.rows, ("domain", "bucket"), 0, "x")
    assert arms.names == ("a/missing", "b/missing")
    drawn = arms.draw(np.array([0.9, 0.1]), 6, generator(0))
    assert len(set(drawn.tolist())) == 6


def test_softmax_survives_any_score() -> None:
    assert softmax(np.array([1e6, 0.0]), 1e-3).tolist() == [1.0, 0.0]
