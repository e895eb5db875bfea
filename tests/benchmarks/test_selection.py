"""The benchmark of selection runs for every scheduler, on a pool that takes no time."""

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from curricula import KnownScheduler

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import selection


def test_every_kind_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "SIZES", [128])
    pool = selection.make_pool(128, np.random.default_rng(0))
    schedulers = selection.make_schedulers()
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(KnownScheduler)[0])}
    assert kinds <= {*schedulers}
    for scheduler in schedulers.values():
        found = selection.measure(scheduler, pool, batches=2, seed=0)
        assert 0 < found["median_ms"] <= found["worst_ms"]
        assert found["bytes_a_problem"] > 0
    assert selection.measure_peer(pool, 2)["median_ms"] > 0


def test_the_peer_takes_the_nearest() -> None:
    difficulties = np.array([0.0, 90.0, 40.0, 55.0])
    assert selection.adarft_select(difficulties, 50.0, 2) == [3, 2]


def test_a_linear_time_has_exponent_one() -> None:
    assert selection.exponent([10, 100, 1000], [1.0, 10.0, 100.0]) == pytest.approx(1.0)
