"""A step's line of curriculum.jsonl."""

from curricula.base import Batch, Outcome
from runners.tracking.training_log import drawn_row, outcome_figures


def test_rewards_stand_with_their_prompts_and_none_where_they_are_not_known() -> None:
    outcomes = [
        Outcome("b", (0.0, 0.0)),
        Outcome("a", (1.0, 0.0), ("correct", "wrong")),
        Outcome("c", (0.0, 0.0), ("verifier_error", "verifier_error")),
        Outcome("a", (1.0, 1.0)),
    ]
    row = drawn_row(Batch(3, "easy", ()), ["a", "a", "b", "c", "late"], outcomes)
    assert row == {
        "step": 3,
        "stage": "easy",
        "uids": ["a", "a", "b", "c", "late"],
        "rewards": [0.5, 1.0, 0.0, None, None],
        "mean_reward": 3 / 8,
    }


def test_the_effective_batch_counts_prompts_whose_rewards_vary() -> None:
    outcomes = [
        Outcome("a", (1.0, 0.0), token_counts=(1, 1)),
        Outcome("b", (1.0, 1.0), token_counts=(1, 1)),
    ]
    assert outcome_figures(Batch(1, "all", ()), outcomes, lambda uid: "x")["effective_batch"] == 1.0


def test_rewards_are_told_by_bucket_where_there_is_one() -> None:
    outcomes = [
        Outcome("a", (1.0, 0.0), (), (), (1, 1)),
        Outcome("b", (1.0,), (), (), (1,)),
        Outcome("c", (0.0,), (), (), (1,)),
    ]
    buckets = {"a": "easy", "b": "easy", "c": None}
    found = outcome_figures(Batch(1, "all", ()), outcomes, lambda uid: "x", buckets)
    told = {key: value for key, value in found.items() if key.startswith("bucket_reward/")}
    assert told == {"bucket_reward/easy": 2 / 3}
