import pytest

from curricula.machinery.gates import AnyGate, PlateauGate, RewardGate, RunningGate, StepsGate
from curricula.machinery.ramps import (
    Constant,
    Cosine,
    Linear,
    PlateauCount,
    Plateaus,
    RunningAmounts,
)


def test_a_line_reaches_its_ends_in_the_first_and_the_last_step() -> None:
    amounts = RunningAmounts({"x": Linear(start=0, end=1), "y": Constant(value=0.3)}, steps=5)
    assert [amounts.at(step)["x"] for step in range(1, 6)] == [0, 0.25, 0.5, 0.75, 1]
    assert amounts.at(3)["y"] == 0.3


def test_a_line_may_wait_and_be_over_early() -> None:
    amounts = RunningAmounts({"x": Linear(start=2, end=1, after=2, over=2)}, steps=10)
    assert [amounts.at(step)["x"] for step in range(1, 8)] == [2, 2, 2, 1.5, 1, 1, 1]


def test_a_cosine_is_slow_at_both_ends() -> None:
    amounts = RunningAmounts({"x": Cosine(start=1, end=0)}, steps=5)
    # (1 + cos(pi t)) / 2 at t = 0, 1/4, 1/2, 3/4, 1
    expected = [1, 0.853553, 0.5, 0.146447, 0]
    assert [amounts.at(s)["x"] for s in range(1, 6)] == pytest.approx(expected, abs=1e-6)


def test_a_plateau_is_where_two_windows_hardly_differ() -> None:
    count = PlateauCount(window=2, gain=0.05)
    for reward in (0.1, 0.2, 0.3, 0.4):  # means .15, .35
        count.add(reward)
    assert count.count == 0
    count.add(0.3)  # .25, .35
    assert count.count == 0
    count.add(0.3)  # .35, .30: no rise
    assert count.count == 1
    for reward in (0.3, 0.3, 0.3):  # too few since
        count.add(reward)
    assert count.count == 1
    count.add(0.3)
    assert count.count == 2


def test_values_move_on_at_plateaus_and_stay_at_the_last() -> None:
    amounts = RunningAmounts({"x": Plateaus(values=(5, 7), window=1)}, steps=9)
    seen = []
    for _ in range(6):
        seen.append(amounts.at(1)["x"])
        amounts.observe(0.5)
    assert seen == [5, 5, 7, 7, 7, 7]


@pytest.mark.parametrize(
    ("gate", "rewards", "opens_after"),
    [
        (StepsGate(steps=3), [0.0] * 5, 3),
        (StepsGate(), [0.0] * 5, 4),  # its share
        (RewardGate(above=0.6, window=2), [0.5, 0.6, 0.7], 3),  # .55, .65
        (RewardGate(above=0.9, window=2, at_most=2), [0.1] * 5, 2),
        (PlateauGate(window=1, gain=0.1), [0.1, 0.3, 0.35], 3),  # +.2, +.05
    ],
)
def test_gates(gate: AnyGate, rewards: list[float], opens_after: int) -> None:
    running = RunningGate(gate, share=4)
    for reward in rewards:
        assert not running.is_open
        running.steps += 1
        running.observe(reward)
        if running.is_open:
            break
    assert running.steps == opens_after
