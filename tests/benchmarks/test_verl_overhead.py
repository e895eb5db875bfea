"""The figures of verl's overhead, by hand."""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "verl_overhead.py"))


def step(seconds: float, own: float = 0.0, tokens: float = 100.0) -> dict[str, Any]:
    return {"seconds": seconds, "own": own, "tokens": tokens, "phases": {"gen": seconds / 2}}


def test_the_ratio_is_a_geometric_mean_over_rounds_and_bounded_by_students_t() -> None:
    bare = step(1.0, own=0.01)
    rounds = [
        {"ours": step(1.1, own=0.02), "bare": bare, "plain": step(1.1)},
        {"ours": step(1.0, own=0.02), "bare": bare, "plain": step(1.0)},
    ]
    figures: dict[str, Any] = BENCHMARK["figures"]([rounds])
    assert figures["ratio"] == pytest.approx(math.sqrt(1.1), abs=1e-4)
    # half the logarithm's range is its standard error; t of one degree has its 95% point at 6.314
    half = math.log(1.1) / 2
    assert figures["upper95"] == pytest.approx(math.exp(half + 6.3138 * half), rel=1e-4)
    assert figures["low95"] == pytest.approx(math.exp(half - 6.3138 * half), rel=1e-3)
    assert (figures["ratio_plain"], figures["upper95_plain"]) == (1, 1)
    assert figures["own_share"] == pytest.approx(0.01)
    assert figures["step_ms"] == {"ours": 1050, "bare": 1000, "plain": 1050}
    assert figures["phase_ms"] == {"gen": {"ours": 525, "bare": 500, "plain": 525}}


def test_arms_that_do_not_do_the_same_work_are_not_compared() -> None:
    with pytest.raises(RuntimeError, match="the same work"):
        BENCHMARK["figures"]([[{"ours": step(1.0, tokens=99), "bare": step(1.0)}]])
