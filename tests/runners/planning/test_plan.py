from curricula.base import Item
from runners.config import validate
from runners.planning.plan import imagine


def test_a_plan_walks_through_the_stages_at_the_pass_rates_of_today() -> None:
    pool = tuple(
        Item(f"{bucket}{i}", "math", "tiny", bucket, rate)
        for bucket, rate in (("easy", 0.9), ("hard", 0.1))
        for i in range(4)
    )
    config = validate(
        {
            "name": "x",
            "problems": [{"kind": "tiny"}],
            "curriculum": {"kind": "staged"},
            "trainer": {"kind": "local", "steps": 4, "prompts_per_step": 4},
        },
        "c",
    )
    rows = imagine(config, pool)
    assert [row["stage"] for row in rows] == ["easy", "easy", "hard", "hard"]
    assert [round(row["mean_reward"], 6) for row in rows] == [0.9, 0.9, 0.1, 0.1]


def test_a_reward_gate_is_planned_with_todays_rates() -> None:
    pool = tuple(
        Item(f"{b}{i}", "math", "tiny", b, r) for b, r in (("e", 0.9), ("h", 0.1)) for i in range(3)
    )
    config = validate(
        {
            "name": "x",
            "problems": [{"kind": "tiny"}],
            "curriculum": {"kind": "staged", "gate": {"kind": "reward", "above": 0.7, "window": 1}},
            "trainer": {"kind": "local", "steps": 6, "prompts_per_step": 3},
        },
        "c",
    )
    assert [row["stage"] for row in imagine(config, pool)] == ["e"] + ["h"] * 5
