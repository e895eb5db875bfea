"""What every scheduler must do. A new one is picked up from the union by itself."""

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pytest

from curricula import Batch, Curriculum, Item, KnownScheduler, Outcome, Scheduler

KINDS: tuple[type[Scheduler], ...] = get_args(get_args(KnownScheduler)[0])
SIZE = 5
PARTS = [
    {"name": "first", "curriculum": {"kind": "staged"}, "gate": {"kind": "steps", "steps": 3}},
    {"name": "then", "curriculum": {"kind": "replay", "wraps": {"kind": "sec"}}},
]
NEEDED: dict[str, dict[str, Any]] = {"sequence": {"parts": PARTS}}
"""Settings that a kind cannot do without."""
COMES_BACK = {"vcrl", "speed", "replay", "sequence"}
"""Kinds that draw a problem again before the others have come, on purpose."""
ORDERED = {"sequential"}
"""Kinds that keep the order of the pool, whatever the seed."""
WRAPPERS = [k.model_fields["kind"].default for k in KINDS if "wraps" in k.model_fields]
INNER = [{"kind": k.model_fields["kind"].default} for k in KINDS]


def make_pool(
    buckets: bool = True, domains: int = 3, each: int = 7, rate: float | None = None
) -> list[Item]:
    rates = {"hard": 0.1, "medium": 0.5, "easy": 0.9}
    return [
        Item(
            f"{d}-{b}-{i}",
            f"domain{d}",
            "test",
            b if buckets else None,
            rates[b] if rate is None else rate,
        )
        for d in range(domains)
        for b in rates
        for i in range(each)
    ]


def make(kind: type[Scheduler]) -> Scheduler:
    return kind.model_validate(NEEDED.get(kind.model_fields["kind"].default, {}))


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def scheduler(request: pytest.FixtureRequest) -> Scheduler:
    return make(request.param)


def half_right(uid: str) -> Outcome:
    """Two rollouts; most groups vary, some are all right, some all wrong; by uid."""
    return Outcome(uid, {0: (0.0, 0.0), 1: (1.0, 1.0)}.get(sum(map(ord, uid)) % 4, (0.0, 1.0)))


def always(reward: float) -> Callable[[str], Outcome]:
    return lambda uid: Outcome(uid, (reward, reward))


def walk(
    curriculum: Curriculum, answer: Callable[[str], Outcome] = half_right, size: int = SIZE
) -> list[Batch]:
    batches: list[Batch] = []
    while batch := curriculum.next_batch(size):
        batches.append(batch)
        curriculum.observe([answer(uid) for uid in batch.uids])
    return batches


def test_it_ends_after_its_steps_with_full_batches_of_known_problems(scheduler: Scheduler) -> None:
    batches = walk(scheduler.build(make_pool(), 12, seed=0))
    known = {item.uid for item in make_pool()}
    assert [batch.step for batch in batches] == list(range(1, 13))
    assert all(len(batch.uids) == SIZE and {*batch.uids} <= known for batch in batches)


def test_a_batch_does_not_repeat_a_problem(scheduler: Scheduler) -> None:
    for batch in walk(scheduler.build(make_pool(), 2, seed=0)):
        assert len({*batch.uids}) == SIZE


def test_a_pass_does_not_repeat_a_problem(scheduler: Scheduler) -> None:
    if scheduler.kind in COMES_BACK:
        pytest.skip(f"{scheduler.kind} comes back to problems")
    batches = walk(scheduler.build(make_pool(each=20), 4, seed=0))
    assert max(Counter(uid for batch in batches for uid in batch.uids).values()) == 1


def test_the_same_seed_gives_the_same_batches_and_another_seed_does_not(
    scheduler: Scheduler,
) -> None:
    first, again, other = (walk(scheduler.build(make_pool(), 8, seed=s)) for s in (1, 1, 2))
    assert first == again
    assert (first == other) == (scheduler.kind in ORDERED)


def test_the_order_of_the_pool_changes_nothing_that_is_drawn(scheduler: Scheduler) -> None:
    pool = make_pool()
    names = dict.fromkeys((i.domain, i.bucket) for i in pool)
    shuffled = [i for pair in names for i in reversed(pool) if (i.domain, i.bucket) == pair]
    assert shuffled != pool
    drawn, drawn_from_shuffled = (walk(scheduler.build(p, 4, seed=0)) for p in (pool, shuffled))
    assert (drawn == drawn_from_shuffled) == (scheduler.kind not in ORDERED)


@pytest.mark.parametrize("cut", [0, 1, 4, 7])
def test_a_restored_curriculum_has_the_same_future(scheduler: Scheduler, cut: int) -> None:
    original = scheduler.build(make_pool(), 8, seed=0)
    for _ in range(cut):
        batch = original.next_batch(SIZE)
        assert batch is not None
        original.observe([half_right(uid) for uid in batch.uids])
    state: dict[str, Any] = json.loads(json.dumps(original.state_dict()))
    restored = scheduler.build(make_pool(), 8, seed=0)
    restored.load_state_dict(state)
    assert walk(restored) == walk(original)
    assert restored.metrics() == original.metrics()


def test_a_state_is_not_changed_by_what_comes_after_it(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 8, seed=0)
    for _ in range(3):
        batch = curriculum.next_batch(SIZE)
        assert batch is not None
        curriculum.observe([half_right(uid) for uid in batch.uids])
    state = curriculum.state_dict()
    before = json.dumps(state)
    walk(curriculum)
    assert json.dumps(state) == before


SELECTS = {"dynamic_sampling", "pods", "vcrl"}
"""Kinds that refill a step or leave rollouts out."""


def test_one_that_does_not_select_trains_on_whatever_comes(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 8, seed=0)
    assert curriculum.selects() == (scheduler.kind in SELECTS)
    if curriculum.selects():
        return
    while batch := curriculum.next_batch(SIZE):
        outcomes = [half_right(uid) for uid in batch.uids]
        assert curriculum.refill(outcomes) == ()
        assert curriculum.choose(outcomes) == ((0, 1),) * len(outcomes)
        curriculum.observe(outcomes)


@pytest.mark.parametrize("kind", sorted(set(WRAPPERS) | {"sequence"}))
@pytest.mark.parametrize("inner", ["mixed", "pods"])
def test_around_one_that_selects_every_wrapper_does(kind: str, inner: str) -> None:
    part = {"kind": inner}
    settings = (
        {"parts": [{"name": "all", "curriculum": part}]} if kind == "sequence" else {"wraps": part}
    )
    scheduler = next(k for k in KINDS if k.model_fields["kind"].default == kind)
    curriculum = scheduler.model_validate(settings).build(make_pool(), 8, seed=0)
    assert curriculum.next_batch(SIZE)
    assert curriculum.selects() == (inner == "pods" or kind in SELECTS)


def test_refills_are_known_problems_and_part_of_the_state(scheduler: Scheduler) -> None:
    known = {item.uid for item in make_pool()}
    original = scheduler.build(make_pool(), 6, seed=0)
    batch = original.next_batch(SIZE)
    assert batch is not None
    further = original.more(3)
    assert len(further) == 3
    assert {*further} <= known
    original.observe([half_right(uid) for uid in (*batch.uids, *further)])
    restored = scheduler.build(make_pool(), 6, seed=0)
    restored.load_state_dict(json.loads(json.dumps(original.state_dict())))
    assert [b.step for b in walk(restored)] == list(range(2, 7))
    following = original.next_batch(SIZE)
    assert following is not None
    assert following.step == 2


def test_the_loop_of_a_trainer_that_refills_and_chooses_ends(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 5, seed=0)
    steps = 0
    while batch := curriculum.next_batch(SIZE):
        outcomes = [half_right(uid) for uid in batch.uids]
        for _ in range(100):
            further = curriculum.refill(outcomes)
            outcomes += [half_right(uid) for uid in further]
            if not further:
                break
        else:
            pytest.fail("it refills for ever")
        choices = curriculum.choose(outcomes)
        assert len(choices) == len(outcomes)
        assert any(choices)
        for choice, outcome in zip(choices, outcomes, strict=True):
            assert {*choice} <= {*range(len(outcome.rewards))}
        curriculum.observe(outcomes)
        steps += 1
    assert steps == 5


def test_one_prompt_at_a_time_is_a_batch_of_one(scheduler: Scheduler) -> None:
    batches = walk(scheduler.build(make_pool(), 30, seed=0), size=1)
    assert [len(batch.uids) for batch in batches] == [1] * 30


def test_a_pool_smaller_than_a_batch_repeats_itself(scheduler: Scheduler) -> None:
    batches = walk(scheduler.build(make_pool(domains=1, each=1), 4, seed=0), size=8)
    assert [len(batch.uids) for batch in batches] == [8] * 4


@pytest.mark.parametrize("reward", [0.0, 1.0], ids=["never solved", "all solved"])
@pytest.mark.parametrize("measured", [True, False])
def test_it_survives_pools_that_teach_nothing(
    scheduler: Scheduler, reward: float, measured: bool
) -> None:
    pool = make_pool(rate=min(0.99, max(0.01, reward)) if measured else None)
    assert len(walk(scheduler.build(pool, 9, seed=0), always(reward))) == 9


def test_it_survives_one_domain_and_outcomes_that_never_come(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(domains=1), 6, seed=0)
    assert sum(1 for _ in iter(lambda: curriculum.next_batch(SIZE), None)) == 6


def test_it_survives_a_bucket_that_a_domain_lacks(scheduler: Scheduler) -> None:
    pool = [i for i in make_pool() if (i.domain, i.bucket) != ("domain1", "easy")]
    assert len(walk(scheduler.build(pool, 9, seed=0))) == 9


def test_outcomes_may_be_empty_or_late_or_strange(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 4, seed=0)
    late = curriculum.next_batch(SIZE)
    curriculum.observe([])
    curriculum.next_batch(SIZE)
    assert late is not None
    curriculum.observe([Outcome(uid, (1.0,)) for uid in late.uids])
    curriculum.observe([Outcome("unheard of", (1.0, 0.0)), Outcome(late.uids[0], ())])
    failed = Outcome(late.uids[0], (0.0, 0.0), ("verifier_error", "verifier_error"))
    curriculum.observe([failed])
    assert curriculum.next_batch(SIZE) is not None


def test_problems_that_are_not_scored_are_used_or_refused_in_words(scheduler: Scheduler) -> None:
    pool = [Item(f"{i}", "math", "test") for i in range(20)]
    try:
        curriculum = scheduler.build(pool, 3, seed=0)
    except ValueError as error:
        assert "score" in str(error)  # noqa: PT017
    else:
        assert len(walk(curriculum)) == 3


@pytest.mark.parametrize("inner", INNER, ids=lambda settings: settings["kind"])
@pytest.mark.parametrize("kind", WRAPPERS)
def test_wrappers_go_around_any_kind(kind: str, inner: dict[str, Any]) -> None:
    (cls,) = (k for k in KINDS if k.model_fields["kind"].default == kind)
    whole = inner | NEEDED.get(inner["kind"], {})
    scheduler = cls.model_validate({"wraps": {"kind": "retire", "wraps": whole}})
    original = scheduler.build(make_pool(), 8, seed=0)
    for _ in range(3):
        batch = original.next_batch(SIZE)
        assert batch is not None
        original.observe([half_right(uid) for uid in batch.uids])
    restored = scheduler.build(make_pool(), 8, seed=0)
    restored.load_state_dict(json.loads(json.dumps(original.state_dict())))
    future = walk(restored)
    assert future == walk(original)
    assert all(len(batch.uids) == SIZE for batch in future)


def test_metrics_are_finite_before_and_after(scheduler: Scheduler) -> None:
    curriculum = scheduler.build(make_pool(), 2, seed=0)
    assert all(math.isfinite(value) for value in curriculum.metrics().values())
    walk(curriculum)
    assert all(math.isfinite(value) for value in curriculum.metrics().values())
