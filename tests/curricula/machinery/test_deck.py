from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula.machinery.deck import Deck, apportion, generator, unique
from curricula.machinery.pool import Rows


def rows(count: int) -> Rows:
    return np.arange(count, dtype=np.int32)


@given(st.integers(1, 200), st.integers(0, 2**32))
def test_a_pass_holds_every_row_once_whatever_the_size(size: int, seed: int) -> None:
    deck = Deck(rows(size), seed, "d")
    assert sorted(deck.draw(size)) == sorted(deck.draw(size)) == list(range(size))


def test_the_next_pass_is_in_another_order() -> None:
    deck = Deck(rows(20), seed=0, name="d")
    assert deck.draw(20).tolist() != deck.draw(20).tolist()


def test_all_orders_of_four_are_about_equally_likely() -> None:
    orders = Counter(tuple(Deck(rows(4), seed, "d").draw(4).tolist()) for seed in range(2400))
    assert len(orders) == 24
    # chi square over 24 cells of 100: mean 23, above 49.7 once in a thousand
    assert sum((n - 100) ** 2 / 100 for n in orders.values()) < 49.7


@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 8))
def test_a_restored_deck_has_the_same_future(draws: list[int], cut: int) -> None:
    original = Deck(rows(5), seed=3, name="d")
    for count in draws[:cut]:
        original.draw(count)
    restored = Deck(rows(5), seed=3, name="d")
    restored.restore(original.state())
    assert [original.draw(c).tolist() for c in draws] == [restored.draw(c).tolist() for c in draws]


def test_an_empty_deck_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        Deck(rows(0), seed=0, name="nothing")


def test_different_rows_even_where_a_pass_ends_inside() -> None:
    deck = Deck(rows(7), seed=0, name="d")
    for _ in range(10):
        assert len(set(deck.draw_different(5).tolist())) == 5
    assert sorted(deck.draw_different(50)) == list(range(7))


def test_what_is_not_accepted_is_passed_over_and_the_rest_keeps_its_turn() -> None:
    deck, plain = Deck(rows(40), 0, "d"), Deck(rows(40), 0, "d")
    even = [row for row in plain.draw(40).tolist() if row % 2 == 0]
    drawn = [deck.draw_where(3, lambda r: r % 2 == 0).tolist() for _ in range(6)]
    assert [row for batch in drawn for row in batch] == even[:18]


def test_when_nothing_is_accepted_the_first_refused_are_drawn() -> None:
    deck, plain = Deck(rows(9), 0, "d"), Deck(rows(9), 0, "d")
    assert deck.draw_where(4, lambda r: r < 0).tolist() == plain.draw(4).tolist()


def test_unique_keeps_the_first_of_each() -> None:
    assert unique(np.array([5, 2, 5, 9, 2], np.int32)).tolist() == [5, 2, 9]


def test_places_are_the_whole_part_of_a_share_and_the_rest_by_chance() -> None:
    shares = {"a": 5.0, "b": 3.0, "c": 2.0}
    assert apportion(shares, 10, generator(0)) == {"a": 5, "b": 3, "c": 2}
    # 4 places are 2, 1.2 and .8: one of b and c gets the last; c with probability .8
    found = Counter(apportion(shares, 4, generator(seed))["c"] for seed in range(400))
    assert 290 < found[1] < 350
    assert found[0] + found[1] == 400
