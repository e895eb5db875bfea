"""Every scheduler on pools, and under trainers, that nobody thought of."""

import json
import math
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curricula import Item, KnownScheduler, Outcome, Scheduler
from curricula.transfer_aware import ALIGNMENT

KINDS: tuple[type[Scheduler], ...] = get_args(get_args(KnownScheduler)[0])
PARTS = [
    {"name": "first", "curriculum": {"kind": "e2h"}, "gate": {"kind": "reward", "window": 1}},
    {"name": "then", "curriculum": {"kind": "dynamic_sampling", "wraps": {"kind": "speed"}}},
]
NEEDED: dict[str, dict[str, Any]] = {
    "sequence": {"parts": PARTS},
    "retire": {"wraps": {"kind": "dynamic_sampling"}, "groups": 1},
    "replay": {"gap": 1, "share": 0.5},
    "ratio_control": {"wraps": {"kind": "vcrl"}, "after": 1},
    "pods": {"wraps": {"kind": "greso"}, "keep": 2},
}
"""Settings under which more happens in a few steps, or that a kind cannot do without."""
STEPS = 5

items = st.builds(
    lambda domain, bucket, rate, level: {
        "domain": domain,
        "bucket": bucket,
        "pass_rate": rate,
        "labels": {} if level is None else {"level": level},
    },
    st.sampled_from(["math", "code", "logic"]),
    st.sampled_from(["hard", "medium", "easy", None]),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.integers(1, 3)),
)
pools = st.lists(items, min_size=1, max_size=40).map(
    lambda rows: [Item(f"u{i:02}", source="test", **row) for i, row in enumerate(rows)]
)
rewards = st.one_of(
    st.just((0.0,) * 4), st.just((1.0,) * 4), st.tuples(*[st.sampled_from([0.0, 0.3, 1.0])] * 4)
)
fates = st.sampled_from(["in time", "late", "never", "failed", "empty", "told more"])


def outcome(uid: str, found: tuple[float, ...], fate: str) -> Outcome:
    if fate == "failed":
        return Outcome(uid, found, ("verifier_error",) * len(found))
    if fate == "told more":
        return Outcome(uid, found, advantages=found, token_counts=(9,) * 4, extras={ALIGNMENT: -1})
    return Outcome(uid, () if fate == "empty" else found)


def saved(curriculum: Any) -> Any:
    return json.loads(json.dumps(curriculum.state_dict(), allow_nan=False))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pool=pools, data=st.data())
def test_any_pool_under_any_trainer(kind: type[Scheduler], pool: list[Item], data: Any) -> None:
    scheduler = kind.model_validate(NEEDED.get(kind.model_fields["kind"].default, {}))
    try:
        curriculum = scheduler.build(pool, STEPS, seed=3)
    except ValueError as error:
        assert "must have" in str(error)  # noqa: PT017  some want pass rates or buckets
        return
    known = {item.uid for item in pool}
    late: list[Outcome] = []

    def roll_out(uids: Sequence[str]) -> list[Outcome]:
        assert {*uids} <= known
        groups = [outcome(uid, data.draw(rewards), data.draw(fates)) for uid in uids]
        return groups

    for step in range(1, STEPS + 1):
        size = data.draw(st.integers(1, 9))
        batch = curriculum.next_batch(size)
        assert batch is not None
        assert batch.step == step
        assert len(batch.uids) == size
        outcomes = roll_out(batch.uids)
        for _ in range(20):
            if not (further := curriculum.refill(outcomes)):
                break
            outcomes += roll_out(further)
        else:
            pytest.fail("it refills for ever")
        choices = curriculum.choose(outcomes)
        assert len(choices) == len(outcomes)
        arrived = [o for o in outcomes if data.draw(fates) not in ("late", "never")]
        curriculum.observe(data.draw(st.permutations(arrived)))
        curriculum.observe(late)
        late = [o for o in outcomes if data.draw(fates) == "late"]
        assert all(math.isfinite(value) for value in curriculum.metrics().values())
        if data.draw(st.booleans()):
            restored = scheduler.build(pool, STEPS, seed=3)
            restored.load_state_dict(saved(curriculum))
            assert saved(restored) == saved(curriculum)
            curriculum = restored
    assert curriculum.next_batch(4) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_batch_holds_a_problem_twice_while_there_are_others(kind: type[Scheduler]) -> None:
    name = kind.model_fields["kind"].default
    scheduler = kind.model_validate(NEEDED.get(name, {}))
    rates = {"hard": 0.1, "medium": 0.5, "easy": 0.9}
    pool = [Item(f"{d}{b}{i}", d, "t", b, r) for d in "xy" for b, r in rates.items()
            for i in range(12)]  # fmt: skip
    curriculum = scheduler.build(pool, 40, seed=0)
    while batch := curriculum.next_batch(6):
        assert len({*batch.uids}) == 6
        turn = batch.step % 3
        curriculum.observe([Outcome(u, (float(turn > 0), float(turn > 1))) for u in batch.uids])
