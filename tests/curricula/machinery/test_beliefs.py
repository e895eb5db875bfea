"""Beliefs, and what is drawn by them: MoPPS, learnability, reversible pools."""

import json

import numpy as np
import pytest

from curricula.base import Item, Outcome
from curricula.learnability import Learnability
from curricula.machinery.beliefs import Beliefs
from curricula.machinery.pool import Pool
from curricula.mopps import MoPPS
from curricula.pools import Part, Pools, PoolsCurriculum


def make_pool(rate: float | None = None, count: int = 60) -> list[Item]:
    return [Item(f"{i:03}", "math", "test", None, rate) for i in range(count)]


def parameters(beliefs: Beliefs, row: int) -> list[float]:
    return [float(beliefs.right[row]), float(beliefs.wrong[row])]


def test_a_belief_moves_as_in_the_paper_and_fades_to_its_prior() -> None:
    beliefs = Beliefs(Pool.of(make_pool()), keep=0.5, prior_weight=0.0)
    beliefs.learn([3], [Outcome("003", (1.0, 1.0, 1.0, 0.0))])
    assert parameters(beliefs, 3) == [0.5 * 1 + 0.5 * 1 + 3, 0.5 * 1 + 0.5 * 1 + 1]  # 4, 2
    beliefs.learn([3], [Outcome("003", (0.0, 0.0))])
    assert parameters(beliefs, 3) == [0.5 * 4 + 0.5, 0.5 * 2 + 0.5 + 2]  # 2.5, 3.5
    assert parameters(beliefs, 2) == [1.0, 1.0]


def test_one_rollout_counts_once() -> None:
    beliefs = Beliefs(Pool.of(make_pool()), keep=1.0, prior_weight=0.0)
    beliefs.learn([0], [Outcome("000", (1.0,))])
    assert parameters(beliefs, 0) == [2.0, 1.0]  # theirs: 8, 8


def test_the_measured_rate_may_be_the_prior_and_a_missing_one_is_no_evidence() -> None:
    pool = Pool.of([Item("a", "m", "t", None, 0.75), Item("b", "m", "t")])
    beliefs = Beliefs(pool, keep=0.5, prior_weight=4.0)
    assert parameters(beliefs, 0) == [4.0, 2.0]
    assert parameters(beliefs, 1) == [1.0, 1.0]


def test_partial_credit_counts_in_part_and_failed_verifiers_not_at_all() -> None:
    beliefs = Beliefs(Pool.of(make_pool()), keep=1.0, prior_weight=0.0)
    failed = Outcome("000", (0.0, 0.25), ("verifier_error", "wrong"))
    beliefs.learn([0, 1], [failed, Outcome("001", (0.0,), ("verifier_error",))])
    assert parameters(beliefs, 0) == [1.25, 1.75]
    assert not beliefs.seen[1]


def test_a_restored_belief_is_the_same_to_the_last_bit() -> None:
    pool = Pool.of(make_pool(0.3))
    original, restored = Beliefs(pool, 0.7, 3.0), Beliefs(pool, 0.7, 3.0)
    original.learn([1, 5], [Outcome("001", (1.0, 0.0)), Outcome("005", (0.3,))])
    restored.restore(json.loads(json.dumps(original.state())))
    assert (original.right == restored.right).all()
    assert (original.wrong == restored.wrong).all()
    assert (original.seen == restored.seen).all()


def test_mopps_draws_what_is_believed_to_be_half_right() -> None:
    pool = make_pool()
    curriculum = MoPPS(keep=1.0, candidates=60 / 8).build(pool, 9, seed=0)
    half, solved = pool[:20], pool[20:]
    for _ in range(100):
        curriculum.observe([Outcome(i.uid, (1.0, 0.0)) for i in half])
        curriculum.observe([Outcome(i.uid, (1.0, 1.0)) for i in solved])
    batch = curriculum.next_batch(8)
    assert batch is not None
    assert {*batch.uids} <= {item.uid for item in half}
    assert curriculum.metrics()["curriculum/expected_pass_rate"] == pytest.approx(0.5)


def test_learnability_ranks_by_p_times_1_minus_p_and_explores() -> None:
    pool = [Item(f"{i}", "m", "t", None, rate) for i, rate in enumerate((0.5, 0.95, 0.8, 0.05))]
    ranked = Learnability(candidates=4, explore=0).build(pool, 9, seed=0).next_batch(2)
    assert ranked is not None
    assert ranked.uids == ("0", "2")
    curriculum = Learnability(candidates=4, explore=0.5).build(pool, 40, seed=0)
    drawn = [curriculum.next_batch(2) for _ in range(40)]
    assert {uid for batch in drawn if batch for uid in batch.uids} == {"0", "1", "2", "3"}


def test_learnability_follows_what_training_shows() -> None:
    pool = [Item("was hard", "m", "t", None, 0.05), Item("was half", "m", "t", None, 0.5)]
    curriculum = Learnability(candidates=2, explore=0).build(pool, 9, seed=0)
    for _ in range(6):
        curriculum.observe(
            [Outcome("was hard", (1.0, 0.0) * 4), Outcome("was half", (1.0, 1.0) * 4)]
        )
    batch = curriculum.next_batch(1)
    assert batch is not None
    assert batch.uids == ("was hard",)


def running_pools(items: list[Item]) -> PoolsCurriculum:
    curriculum = Pools(prior_weight=0.0).build(items, 99, seed=0)
    assert isinstance(curriculum, PoolsCurriculum)
    return curriculum


def test_problems_move_between_pools_both_ways_and_one_group_does_not_decide() -> None:
    curriculum = running_pools(make_pool())
    row = np.array([0], np.int32)
    names = []
    for rewards in ((1.0,) * 2, (1.0,) * 8, (0.0,) * 8, (0.0,) * 8):
        names.append(curriculum.names[curriculum.part_of(row)[0]])
        curriculum.observe([Outcome("000", rewards)])
    # Beta(1,1): unseen; (3,1): mean .75, normal up to .75; (10,1): easy; (5.5,9): .38 normal
    assert names == ["unseen", "normal", "easy", "normal"]
    # (.5 * 5.5 + .5, .5 * 9 + .5 + 8) = (3.25, 13): .2
    assert curriculum.names[curriculum.part_of(row)[0]] == "hard"


def test_pools_are_drawn_by_their_weights() -> None:
    curriculum = running_pools(make_pool(count=4000))
    solved = [Outcome(f"{i:03}", (1.0,) * 30) for i in range(2000)]
    curriculum.observe(solved)
    drawn = curriculum.more(600)
    share = sum(int(uid) < 2000 for uid in drawn) / 600
    assert share == pytest.approx(0.2 / 1.2, abs=0.06)  # 4 s.e.


def test_pools_out_of_order_are_refused() -> None:
    parts = {"a": Part(up_to=0.5, weight=1), "b": Part(up_to=0.5, weight=1)}
    with pytest.raises(ValueError, match="rising `up_to`"):
        Pools(pools=parts)
