"""The deck in order of difficulty, and AdaRFT on it."""

from math import tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula.adarft import AdaRFT, AdaRFTCurriculum
from curricula.base import Item, Outcome
from curricula.machinery.deck import generator
from curricula.machinery.nearest import NearestDeck


def deck_of(values: list[float]) -> NearestDeck:
    return NearestDeck(np.arange(len(values), dtype=np.int32), np.array(values))


def draw(deck: NearestDeck, *targets: float, reach: float = 1e9) -> list[int]:
    return deck.draw(np.array(targets), reach, generator(0)).tolist()


def test_the_nearest_that_is_left_comes_next() -> None:
    deck = deck_of([10, 20, 30, 40, 50])
    assert draw(deck, 31, 31, 31, 31, 31) == [2, 3, 1, 4, 0]  # 30, 40, 20, 50, 10


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.lists(st.integers(-1, 6), min_size=1, max_size=40),
)
def test_it_agrees_with_looking_at_everything(values: list[int], targets: list[int]) -> None:
    deck = deck_of([float(v) for v in values])
    left = list(range(len(values)))
    for target in targets:
        left = left or list(range(len(values)))
        (chosen,) = draw(deck, target)
        assert chosen in left
        assert abs(values[chosen] - target) == min(abs(values[i] - target) for i in left)
        left.remove(chosen)


def test_a_neighbourhood_that_is_used_up_begins_again() -> None:
    deck = deck_of([0, 9, 10, 11, 50])
    assert sorted(draw(deck, 10.0, 10.0, reach=2.0)) == [2, 3]
    # 9 is left within reach; then 10 and 11 may come again, but not 9: it was drawn just now
    assert sorted(draw(deck, 10.0, 10.0, 10.0, reach=2.0)) == [1, 2, 3]
    # nothing is left within reach but what was drawn just now: the nearest other one comes
    assert draw(deck, *[10.0] * 5, reach=2.0) == [2, 3, 1, 0, 4]
    assert len(set(draw(deck, *[10.0] * 5, reach=2.0))) == 5


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.lists(st.integers(-1, 10), min_size=1, max_size=60),
    st.integers(0, 3),
)
def test_renewing_agrees_with_looking_at_everything(
    values: list[int], targets: list[int], reach: int
) -> None:
    deck = deck_of([float(v) for v in values])
    left = set(range(len(values)))
    for target in targets:
        if not any(abs(values[i] - target) <= reach for i in left):
            left |= {i for i, value in enumerate(values) if abs(value - target) <= reach}
            left = left or set(range(len(values)))
        (chosen,) = draw(deck, target, reach=reach)
        assert chosen in left
        assert abs(values[chosen] - target) == min(abs(values[i] - target) for i in left)
        left.remove(chosen)
        assert deck.left == len(left)


def test_a_restored_deck_has_the_same_future() -> None:
    original, restored = deck_of([0.0] * 9 + [1.0] * 4), deck_of([0.0] * 9 + [1.0] * 4)
    draw(original, 0.0, 0.2, 0.9, 1.0, 0.5)
    restored.restore(original.state())
    assert draw(original, *[0.4] * 12) == draw(restored, *[0.4] * 12)


def make_pool() -> list[Item]:
    return [
        Item(f"{domain}-{i:03}", domain, "test", None, 1 - i / 100)
        for domain in ("math", "logic")
        for i in range(100)
    ]


def test_the_target_moves_as_in_the_paper() -> None:
    settings = AdaRFT()
    assert settings.moved(20.0, 0.5) == 20.0
    assert settings.moved(20.0, 0.8) == pytest.approx(20 + 50 * tanh(0.6))
    assert settings.moved(20.0, 0.0) == 0.0  # 20 - 38.1 is below 0
    assert settings.moved(90.0, 1.0) == 100.0


def test_each_domain_has_a_target_moved_by_its_own_rewards() -> None:
    curriculum = AdaRFT(band=0.0).build(make_pool(), 9, seed=0)
    assert isinstance(curriculum, AdaRFTCurriculum)
    batch = curriculum.next_batch(4)
    assert batch is not None
    assert sorted(batch.uids) == ["logic-000", "logic-001", "math-000", "math-001"]
    curriculum.observe(
        [Outcome(uid, (1.0,) if uid.startswith("math") else (0.5,)) for uid in batch.uids]
    )
    target = 50 * tanh(1.0)  # 38.08
    assert curriculum.targets == pytest.approx({"math": target, "logic": 0.0})
    following = curriculum.next_batch(4)
    assert following is not None
    # logic goes on where it was: at R = beta the same batch would come again in theirs
    assert sorted(following.uids) == ["logic-002", "logic-003", "math-038", "math-039"]


def test_a_band_spreads_the_targets() -> None:
    curriculum = AdaRFT(band=20.0, start=50.0, per_domain=False).build(make_pool(), 9, seed=0)
    batch = curriculum.next_batch(40)
    assert batch is not None
    hardness = [int(uid.split("-")[1]) for uid in batch.uids]
    assert 28 <= min(hardness) < 40
    assert 60 < max(hardness) <= 72


def test_problems_without_a_pass_rate_are_left_out_not_taken_for_hard() -> None:
    pool = [*make_pool(), *(Item(f"math-x{i}", "math", "test") for i in range(50))]
    curriculum = AdaRFT(start=100.0).build(pool, 20, seed=0)
    drawn = [curriculum.next_batch(8) for _ in range(20)]
    assert all("x" not in uid for batch in drawn if batch for uid in batch.uids)
