"""What every scheduler must do. A new one is picked up from the union by itself."""

import json
from typing import Any, get_args

import pytest

from curricula import AnyScheduler, Batch, Curriculum, Item, Outcome, Scheduler

KINDS: tuple[type[Scheduler], ...] = get_args(get_args(AnyScheduler)[0])
SIZE = 5


def make_pool(buckets: bool = True, domains: int = 3) -> list[Item]:
    rates = {"hard": 0.1, "easy": 0.9}
    return [
        Item(f"{d}-{b}-{i}", f"domain{d}", "test", b if buckets else None, rates[b])
        for d in range(domains)
        for b in rates
        for i in range(7)
    ]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def scheduler(request: pytest.FixtureRequest) -> Scheduler:
    kind: type[Scheduler] = request.param
    return kind()


def walk(curriculum: Curriculum, reward: float = 0.5) -> list[Batch]:
    batches: list[Batch] = []
    while batch := curriculum.next_batch(SIZE):
        batches.append(batch)
        curriculum.observe([Outcome(uid, (reward, reward)) for uid in batch.uids])
    return batches


def test_it_ends_after_its_steps_with_full_batches_of_known_problems(scheduler: Scheduler) -> None:
    batches = walk(scheduler.build(make_pool(), 12, seed=0))
    known = {item.uid for item in make_pool()}
    assert [batch.step for batch in batches] == list(range(1, 13))
    assert all(len(batch.uids) == SIZE and {*batch.uids} <= known for batch in batches)


def test_a_batch_does_not_repeat_a_problem(scheduler: Scheduler) -> None:
    for batch in walk(scheduler.build(make_pool(), 2, seed=0)):
        assert len({*batch.uids}) == SIZE


def test_the_same_seed_gives_the_same_batches_and_another_seed_does_not(
    scheduler: Scheduler,
) -> None:
    first, again, other = (walk(scheduler.build(make_pool(), 8, seed=s)) for s in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("cut", [0, 1, 4, 7])
def test_a_restored_curriculum_has_the_same_future(scheduler: Scheduler, cut: int) -> None:
    original = scheduler.build(make_pool(), 8, seed=0)
    for _ in range(cut):
        batch = original.next_batch(SIZE)
        assert batch is not None
        original.observe([Outcome(uid, (1.0,)) for uid in batch.uids])
    state: dict[str, Any] = json.loads(json.dumps(original.state_dict()))
    restored = scheduler.build(make_pool(), 8, seed=0)
    restored.load_state_dict(state)
    assert walk(restored) == walk(original)


@pytest.mark.parametrize("reward", [0.0, 1.0], ids=["never solved", "all solved"])
def test_it_survives_pools_that_teach_nothing(scheduler: Scheduler, reward: float) -> None:
    assert len(walk(scheduler.build(make_pool(), 9, seed=0), reward)) == 9


def test_it_survives_one_domain_and_outcomes_that_never_come(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(domains=1), 6, seed=0)
    assert sum(1 for _ in iter(lambda: curriculum.next_batch(SIZE), None)) == 6


def test_outcomes_may_be_empty_or_late(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 4, seed=0)
    late = curriculum.next_batch(SIZE)
    curriculum.observe([])
    curriculum.next_batch(SIZE)
    assert late is not None
    curriculum.observe([Outcome(uid, (1.0,)) for uid in late.uids])
    assert curriculum.next_batch(SIZE) is not None
