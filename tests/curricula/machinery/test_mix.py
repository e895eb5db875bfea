from collections import Counter
from typing import Any

import numpy as np
import pytest

from curricula.base import Item
from curricula.machinery.mix import Mix, Shares
from curricula.machinery.pool import Pool


def make_mix(shares: dict[str, Any], steps: int = 10, **sizes: int) -> tuple[Mix, Pool]:
    pool = Pool.of(
        [
            Item(f"{d}{i}", d, "test", labels={"level": i % 3})
            for d, n in sizes.items()
            for i in range(n)
        ]
    )
    return Mix(pool, pool.rows, Shares.model_validate(shares), steps, 0, "m"), pool


def domains(mix: Mix, pool: Pool, count: int, step: int) -> Counter[str]:
    return Counter(pool[int(row)].domain for row in mix.draw(count, step, step))


def test_without_weights_every_problem_comes_once_a_pass() -> None:
    mix, _ = make_mix({}, a=7, b=3)
    assert sorted(mix.draw(10, 1, 1)) == list(range(10))


def test_weights_hold_in_every_batch_whatever_the_sizes() -> None:
    mix, pool = make_mix({"weights": {"math": 1, "logic": 3}}, math=100, logic=4)
    for step in range(1, 6):
        assert domains(mix, pool, 8, step) == {"math": 2, "logic": 6}


def test_fractional_shares_are_right_on_average() -> None:
    mix, pool = make_mix({"weights": {"a": 1, "b": 1, "c": 1}}, a=50, b=50, c=50)
    seen: Counter[str] = sum((domains(mix, pool, 4, s) for s in range(300)), Counter())
    assert all(330 < seen[d] < 470 for d in "abc")  # expected 400 each


def test_a_value_without_weight_is_not_drawn() -> None:
    mix, pool = make_mix({"weights": {"math": 1}}, math=3, logic=3)
    assert domains(mix, pool, 12, 1) == {"math": 12}


def test_weights_may_be_over_any_column() -> None:
    mix, pool = make_mix({"over": "level", "weights": {0: 1, 2: 1}}, a=30)
    levels = [pool[int(row)].labels["level"] for row in mix.draw(10, 1, 1)]
    assert Counter(levels) == {0: 5, 2: 5}


def test_a_weight_may_be_a_ramp() -> None:
    ramp = {"kind": "linear", "start": 1, "end": 0}
    mix, pool = make_mix({"weights": {"a": ramp, "b": 1}}, steps=5, a=50, b=50)
    # a : b = 1, 3/4, 1/2, 1/4, 0 to 1; of 12 places 6, 5.14, 4, 2.4, 0
    shares = [domains(mix, pool, 12, step)["a"] for step in range(1, 6)]
    assert shares[0] == 6
    assert shares[1] in (5, 6)
    assert shares[2] == 4
    assert shares[3] in (2, 3)
    assert shares[4] == 0


def test_quotas_are_exact_and_the_weights_share_the_rest() -> None:
    shares = {"quotas": {"code": 2}, "weights": {"math": 3, "logic": 1}}
    mix, pool = make_mix(shares, math=20, logic=20, code=20)
    assert domains(mix, pool, 10, 1) == {"code": 2, "math": 6, "logic": 2}


def test_quotas_alone_leave_the_rest_to_the_others_by_size() -> None:
    mix, pool = make_mix({"quotas": {"code": 2}}, math=30, logic=10, code=5)
    assert domains(mix, pool, 10, 1) == {"code": 2, "math": 6, "logic": 2}


def test_a_wrong_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'math'"):
        make_mix({"weights": {"maths": 1}}, math=3)
    with pytest.raises(ValueError, match="did you mean 'level'"):
        make_mix({"over": "levle", "weights": {"1": 1}}, math=3)


def test_a_restored_mix_has_the_same_future() -> None:
    plateau = {"kind": "plateau", "values": [1, 3], "window": 1}
    mixes = [make_mix({"weights": {"a": plateau, "b": 1}}, a=9, b=9) for _ in range(2)]
    (first, _), (second, _) = mixes
    first.draw(4, 1, 1)
    first.observe(0.5)
    second.restore(first.state())
    for mix in (first, second):
        mix.observe(0.5)  # no rise: the plateau's second value
    again = [np.sort(m.draw(8, 2, 2)).tolist() for m in (first, second)]
    assert again[0] == again[1]
    assert domains(*mixes[0], 8, 3)["a"] == 6
