from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula.base import Item
from curricula.deck import Deck, Mix


def make_items(**sizes: int) -> list[Item]:
    return [Item(f"{d}{i}", d, "test") for d, size in sizes.items() for i in range(size)]


def test_a_pass_holds_every_problem_once_and_the_next_one_is_in_another_order() -> None:
    deck = Deck([str(i) for i in range(20)], seed=0, name="d")
    first, second = deck.draw(20), deck.draw(20)
    assert sorted(first) == sorted(second) == sorted(deck.uids)
    assert first != second


@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 8))
def test_a_restored_deck_has_the_same_future(draws: list[int], cut: int) -> None:
    original = Deck([str(i) for i in range(5)], seed=3, name="d")
    for count in draws[:cut]:
        original.draw(count)
    restored = Deck([str(i) for i in range(5)], seed=3, name="d")
    restored.restore(original.state())
    assert [original.draw(c) for c in draws] == [restored.draw(c) for c in draws]


def test_an_empty_deck_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        Deck([], seed=0, name="nothing")


def test_weights_hold_in_every_batch_whatever_the_sizes() -> None:
    mix = Mix(make_items(math=100, logic=4), {"math": 1, "logic": 3}, seed=0, name="m")
    for step in range(1, 6):
        domains = Counter("logic" if u.startswith("logic") else "math" for u in mix.draw(8, step))
        assert domains == {"math": 2, "logic": 6}


def test_fractional_shares_are_right_on_average() -> None:
    mix = Mix(make_items(a=50, b=50, c=50), {"a": 1, "b": 1, "c": 1}, seed=0, name="m")
    seen = Counter(uid[0] for step in range(300) for uid in mix.draw(4, step))
    assert all(330 < seen[d] < 470 for d in "abc")  # expected 400 each


def test_a_domain_without_weight_is_not_drawn() -> None:
    mix = Mix(make_items(math=3, logic=3), {"math": 1}, seed=0, name="m")
    assert {u[:4] for u in mix.draw(12, 1)} == {"math"}
