"""The plain order: as it stands, sorted, shuffled; through a wrapper too."""

from typing import Any

import pytest

from curricula import Item
from curricula.machinery.pool import Pool
from curricula.retire import Retire
from curricula.sequential import Sequential

POOL = [
    Item("c", "math", "s", pass_rate=0.5, labels={"level": 10}),
    Item("a", "math", "s", pass_rate=0.9, labels={"level": 9}),
    Item("d", "code", "s", pass_rate=0.1, labels={"level": 10}),
    Item("b", "code", "s", pass_rate=0.5, labels={"level": 2}),
]


def drawn(settings: dict[str, Any], size: int = 2, steps: int = 3, seed: int = 0) -> list[str]:
    curriculum = Sequential.model_validate(settings).build(POOL, steps, seed)
    batches = [curriculum.next_batch(size) for _ in range(steps)]
    return ["".join(batch.uids) for batch in batches if batch]


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        ({}, ["ca", "db", "ca"]),
        ({"by": "pass_rate"}, ["dc", "ba", "dc"]),
        ({"by": "pass_rate", "descending": True}, ["ac", "bd", "ac"]),
        ({"by": "level"}, ["ba", "cd", "ba"]),  # as numbers: 2, 9, 10, 10
        ({"where": {"domain": "code"}}, ["db", "db", "db"]),
    ],
)
def test_the_order_is_the_one_asked_for(settings: dict[str, Any], order: list[str]) -> None:
    assert drawn(settings) == order


def test_a_pass_that_ends_inside_a_batch_goes_on_from_the_top() -> None:
    assert drawn({}, size=3) == ["cad", "bca", "dbc"]


def test_shuffled_passes_hold_everything_once_in_orders_of_their_own() -> None:
    passes = {"".join(drawn({"shuffle": True}, steps=2, seed=seed)) for seed in range(8)}
    assert len(passes) > 1
    assert {"".join(sorted(one)) for one in passes} == {"abcd"}


def test_the_order_outlives_a_wrapper_and_a_part_of_the_pool() -> None:
    curriculum = Retire(wraps=Sequential()).build(POOL, 2, 0)
    assert [batch.uids for batch in iter(lambda: curriculum.next_batch(2), None) if batch] == [
        ("c", "a"),
        ("d", "b"),
    ]
    whole = Pool.of(POOL)
    part = whole.subset(whole.rows[1:])  # without "a"
    batch = Sequential().build(part, 1, 0).next_batch(3)
    assert batch is not None
    assert batch.uids == ("c", "d", "b")


def test_a_label_that_some_problems_lack_is_refused() -> None:
    pool = [*POOL, Item("e", "math", "s")]
    with pytest.raises(ValueError, match=r"curriculum\.by .* 1 of 5 have no 'level'"):
        Sequential(by="level").build(pool, 1, 0)
