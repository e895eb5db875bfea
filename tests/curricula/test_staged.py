import pytest

from curricula.base import Item, Outcome
from curricula.machinery.gates import RewardGate, StepsGate
from curricula.machinery.where import Where
from curricula.staged import Staged, StageSettings


def make_pool() -> list[Item]:
    rates = {"hard": 0.1, "medium": 0.5, "easy": 0.9}
    return [
        Item(f"{domain}-{bucket}-{i}", domain, "test", bucket, rate, {"level": i})
        for domain in ("math", "logic")
        for bucket, rate in rates.items()
        for i in range(6)
    ]


def stages_of(scheduler: Staged, steps: int, size: int = 4) -> list[str]:
    curriculum = scheduler.build(make_pool(), steps, seed=0)
    return [batch.stage for batch in iter(lambda: curriculum.next_batch(size), None)]


def test_easy_to_hard_shares_the_steps_and_the_last_stage_takes_the_rest() -> None:
    assert stages_of(Staged(), 7) == ["easy"] * 2 + ["medium"] * 2 + ["hard"] * 3


def test_hard_to_easy_is_the_reverse() -> None:
    assert stages_of(Staged(order="hard_to_easy"), 3) == ["hard", "medium", "easy"]


def test_by_domain_keeps_the_order_that_was_asked() -> None:
    assert (
        stages_of(Staged(by="domain", domains=("logic", "math")), 4) == ["logic"] * 2 + ["math"] * 2
    )


def test_by_both_goes_through_each_domain_from_easy_to_hard() -> None:
    stages = stages_of(Staged(by="both"), 6)
    assert stages[:3] == ["math/easy", "math/medium", "math/hard"]
    assert stages[3:] == ["logic/easy", "logic/medium", "logic/hard"]


def test_a_batch_holds_problems_of_its_stage_only() -> None:
    curriculum = Staged().build(make_pool(), 3, seed=0)
    batch = curriculum.next_batch(12)
    assert batch is not None
    assert sorted(batch.uids) == sorted(i.uid for i in make_pool() if i.bucket == "easy")


def test_reward_gate_opens_on_the_mean_of_its_window() -> None:
    gate = RewardGate(above=0.7, window=2, at_most=50)
    curriculum = Staged(gate=gate).build(make_pool(), 50, seed=0)
    seen = []
    for reward in (0.5, 0.6, 0.9, 0.2):  # means of two: .55, .75 -> open after the third batch
        batch = curriculum.next_batch(2)
        assert batch is not None
        seen.append(batch.stage)
        curriculum.observe([Outcome(uid, (reward,)) for uid in batch.uids])
    assert seen == ["easy", "easy", "easy", "medium"]


def test_a_gate_that_never_opens_ends_after_at_most_steps() -> None:
    gate = RewardGate(above=0.99, window=1, at_most=2)
    assert stages_of(Staged(gate=gate), 5) == ["easy"] * 2 + ["medium"] * 2 + ["hard"]


def test_replay_draws_its_share_from_earlier_stages_and_does_not_open_the_gate() -> None:
    gate = RewardGate(above=0.7, window=1, at_most=3)
    curriculum = Staged(gate=gate, replay=0.25).build(make_pool(), 9, seed=0)
    for _ in range(3):
        curriculum.next_batch(8)
    batch = curriculum.next_batch(8)
    assert batch is not None
    assert batch.stage == "medium"
    assert sum("easy" in uid for uid in batch.uids) == 2
    curriculum.observe([Outcome(uid, (1.0,)) for uid in batch.uids if "easy" in uid])
    following = curriculum.next_batch(8)
    assert following is not None
    assert following.stage == "medium"


def test_stages_spelled_out_use_their_own_filters_and_gates() -> None:
    scheduler = Staged(
        stages=(
            StageSettings(
                name="warm", where=Where(labels={"level": (0, 1)}), gate=StepsGate(steps=1)
            ),
            StageSettings(name="logic", where=Where(domain=("logic",), bucket=("hard",))),
        )
    )
    curriculum = scheduler.build(make_pool(), 2, seed=0)
    first, second = curriculum.next_batch(12), curriculum.next_batch(6)
    assert first is not None
    assert {uid[-1] for uid in first.uids} == {"0", "1"}
    assert second is not None
    assert all(uid.startswith("logic-hard") for uid in second.uids)


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        (Staged(where=Where(bucket=("eazy",))), "did you mean 'easy'"),
        (Staged(weights={"maths": 1.0}), "did you mean 'math'"),
        (
            Staged(stages=(StageSettings(name="x", where=Where(pass_rate=(0.95, 1))),)),
            "matches none",
        ),
    ],
)
def test_names_that_the_pool_does_not_have_are_refused(scheduler: Staged, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scheduler.build(make_pool(), 3, seed=0)


def test_a_pool_without_buckets_cannot_be_staged_by_difficulty() -> None:
    with pytest.raises(ValueError, match="none of its 1 problems has a bucket"):
        Staged().build([Item("u", "math", "test")], 3, seed=0)


def test_math_first_then_everything_with_weights_of_its_own() -> None:
    curriculum = Staged.model_validate(
        {
            "stages": [
                {
                    "name": "math",
                    "where": {"domain": "math"},
                    "gate": {"kind": "steps", "steps": 2},
                },
                {"name": "joint", "weights": {"math": 1, "logic": 3}},
            ]
        }
    ).build(make_pool(), 4, seed=0)
    batches = [curriculum.next_batch(8) for _ in range(4)]
    counts = [sum(u.startswith("math") for u in b.uids) for b in batches if b is not None]
    assert counts == [8, 8, 2, 2]


def test_replay_may_be_a_ramp() -> None:
    ramp = {"kind": "linear", "start": 0, "end": 0.5}
    curriculum = Staged.model_validate({"replay": ramp}).build(make_pool(), 6, seed=0)
    batches = [curriculum.next_batch(8) for _ in range(6)]
    earlier = [sum(b.stage not in u for u in b.uids) for b in batches if b is not None]
    # 8 (step - 1) / 5 * .5 = 0, .8, 1.6, 2.4, 3.2, 4; none in the first stage
    assert earlier == [0, 0, 2, 2, 3, 4]


def test_replay_of_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="replay must be below 1, but got replay=1"):
        Staged(replay=1.0)
