import math

import numpy as np
import pytest

from curricula.base import Item
from curricula.machinery.pool import Pool
from curricula.machinery.where import Where

ITEMS = [
    Item("c", "math", "gsm8k", "easy", 0.9, {"level": 1, "length": 120}),
    Item("a", "logic", "knights", None, None, {"people": 3}),
    Item("b", "math", "gsm8k", "hard", 0.1, {"level": 5, "length": 40}),
]


def test_a_pool_gives_back_its_items_in_the_order_of_uids() -> None:
    pool = Pool.of(ITEMS)
    assert list(pool) == sorted(ITEMS, key=lambda item: item.uid)
    assert [pool.row_of(uid) for uid in "abcd"] == [0, 1, 2, None]
    assert math.isnan(pool.pass_rates[0])


def test_groups_come_in_the_order_of_the_items_and_leave_out_what_is_missing() -> None:
    pool = Pool.of(ITEMS)
    assert {k: v.tolist() for k, v in pool.groups(pool.rows, "bucket", "x").items()} == {
        "easy": [2],
        "hard": [1],
    }
    assert list(pool.groups(pool.rows, "domain", "x")) == ["math", "logic"]


def test_a_subset_keeps_its_columns() -> None:
    part = Pool.of(ITEMS).subset(np.array([2, 1], np.int32))
    assert list(part) == [ITEMS[2], ITEMS[0]]


def test_a_problem_that_is_in_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="every problem once, but 'a' is in twice"):
        Pool.of([ITEMS[1], ITEMS[1]])


@pytest.mark.parametrize(
    ("where", "uids"),
    [
        (Where(domain=("math",)), "bc"),
        (Where.model_validate({"domain": "math", "bucket": "hard"}), "b"),
        (Where(pass_rate=(0.0, 0.5)), "b"),
        (Where(labels={"level": (1, 2)}), "c"),
        (Where(ranges={"length": (50, 200)}), "c"),
        (Where(labels={"people": (3,)}), "a"),
        (Where(), "abc"),
    ],
)
def test_a_filter_means_the_same_for_rows_and_for_items(where: Where, uids: str) -> None:
    pool = Pool.of(ITEMS)
    assert pool.uids_of(where.rows(pool, "x")) == tuple(uids)
    assert [item.uid for item in pool if where.matches(item)] == list(uids)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Where(domain=("mth",)), r"stage.domain must be one of .*did you mean 'math'"),
        (Where(labels={"levl": (1,)}), r"stage.labels must be one of .*did you mean 'level'"),
    ],
)
def test_a_filter_on_what_the_pool_does_not_have_is_refused(where: Where, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        where.rows(Pool.of(ITEMS), "stage")
