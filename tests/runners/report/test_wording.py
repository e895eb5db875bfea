"""How numbers are written."""

import math

import pytest

from runners.evaluation.summary import Estimate
from runners.report.wording import (
    counted,
    duration,
    flops,
    interval,
    listed,
    rate,
    signed,
    signed_interval,
)


@pytest.mark.parametrize(
    ("value", "unsigned", "with_sign"),
    [
        (0.444, ".44", "+.44"), (1.0, "1.00", "+1.00"), (0.996, "1.00", "+1.00"),
        (-0.031, "−.03", "−.03"), (0.0, ".00", ".00"), (-0.001, ".00", ".00"),
        (math.nan, "–", "–"), (None, "–", "–"),
    ],
)  # fmt: skip
def test_rates(value: float | None, unsigned: str, with_sign: str) -> None:
    assert (rate(value), signed(value)) == (unsigned, with_sign)


def test_intervals() -> None:
    assert interval(Estimate(0.93, 0.9, 0.95, 200)) == "[.90,\N{NO-BREAK SPACE}.95]"
    assert signed_interval(Estimate(0.01, -0.02, 0.04, 200)) == "[−.02,\N{NO-BREAK SPACE}+.04]"
    assert interval(Estimate(math.nan, math.nan, math.nan, 0)) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"),
     (7500, "2 h 05 min"), (None, "–")],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_counts_and_lists() -> None:
    assert (counted(1, "problem"), counted(1200, "problem")) == ("1 problem", "1,200 problems")
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefgh"), most=3) == "a, b and 6 more"
    assert (listed(["a"]), listed([])) == ("a", "")
    assert (flops(1.234e15), flops(2.5e12), flops(900)) == ("1.23 PFLOP", "2.5 TFLOP", "900 FLOP")
