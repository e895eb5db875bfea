"""The figures of verl's overhead, by hand."""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "verl_overhead.py"))


def step(seconds: float, own: float = 0.0, tokens: float = 100.0) -> dict[str, Any]:
    return {"seconds": seconds, "own": own, "tokens": tokens, "phases": {"gen": seconds / 2}}


def test_the_ratio_is_a_geometric_mean_over_pairs_and_bounded_by_students_t() -> None:
    bare = step(1.0, own=0.01)
    pairs = [
        {"ours": step(1.1, own=0.02), "bare": bare},
        {"ours": step(1.0, own=0.02), "bare": bare},
    ]
    figures: dict[str, Any] = BENCHMARK["figures"]([pairs])
    assert figures["ratio"] == pytest.approx(math.sqrt(1.1), abs=1e-4)
    # half the logarithm's range is its standard error; t of one degree has its 95% point at 6.314
    half = math.log(1.1) / 2
    assert figures["upper95"] == pytest.approx(math.exp(half + 6.3138 * half), rel=1e-4)
    assert figures["low95"] == pytest.approx(math.exp(half - 6.3138 * half), rel=1e-3)
    assert figures["own_share"] == pytest.approx(0.01)
    assert figures["step_ms"] == {"ours": 1050, "bare": 1000}
    assert figures["phase_ms"] == {"gen": {"ours": 525, "bare": 500}}


def test_steps_that_do_not_do_the_same_work_are_not_compared() -> None:
    with pytest.raises(RuntimeError, match="the same work"):
        BENCHMARK["figures"]([[{"ours": step(1.0, tokens=99), "bare": step(1.0)}]])
