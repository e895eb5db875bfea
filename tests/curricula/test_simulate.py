"""The simulated loop: every scheduler runs in it, and it counts what was rolled out and trained."""

from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from curricula import AnyScheduler, Item, KnownScheduler, Mixed, Scheduler
from curricula.learner import LearnerSettings
from curricula.machinery.pool import Pool
from curricula.simulate import SimulatedStep, Simulation, learner_table

KINDS: tuple[type[Scheduler], ...] = get_args(get_args(KnownScheduler)[0])
NEEDED: dict[str, dict[str, Any]] = {
    "sequence": {"parts": [{"name": "all", "curriculum": {"kind": "sec"}}]}
}
ADAPTER: TypeAdapter[Scheduler] = TypeAdapter(AnyScheduler)


def make_pool(domains: tuple[str, ...] = ("math", "code"), each: int = 8) -> list[Item]:
    rates = {"easy": 0.9, "medium": 0.5, "hard": 0.05}
    return [
        Item(f"{domain}-{bucket}-{i}", domain, "test", bucket, rate)
        for domain in domains
        for bucket, rate in rates.items()
        for i in range(each)
    ]


def simulate(scheduler: Scheduler, pool: list[Item] | None = None, **changes: Any) -> Simulation:
    words: dict[str, Any] = {"steps": 10, "prompts": 6, "samples": 4, "seed": 0, **changes}
    return Simulation(scheduler, pool or make_pool(), LearnerSettings(), **words)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_scheduler_is_simulated_alike_under_one_seed(kind: type[Scheduler]) -> None:
    scheduler = kind.model_validate(NEEDED.get(kind.model_fields["kind"].default, {}))
    first, again = (list(simulate(scheduler)) for _ in range(2))
    assert first == again
    assert [step.batch.step for step in first] == list(range(1, 11))
    assert all(step.trained <= step.rollouts for step in first)


def test_what_is_refilled_and_what_is_chosen_is_counted() -> None:
    sampled = ADAPTER.validate_python({"kind": "dynamic_sampling", "rounds": 2})
    step: SimulatedStep = next(iter(simulate(sampled)))
    assert step.rollouts == 4 * len(step.outcomes)
    assert len(step.outcomes) > 6
    assert step.trained <= 6 * 4
    assert step.informative == step.trained
    pods = ADAPTER.validate_python({"kind": "pods", "keep": 2})
    assert next(iter(simulate(pods))).trained == 6 * 2


def test_what_can_be_learnt_is_learnt() -> None:
    middle = ADAPTER.validate_python({"kind": "mixed", "where": {"bucket": ["medium"]}})
    solved = ADAPTER.validate_python({"kind": "mixed", "where": {"bucket": ["easy"]}})
    gains = []
    for scheduler in (middle, solved):
        simulation = simulate(scheduler, steps=30)
        before = simulation.learner.pass_rates(simulation.learner.problems).mean()
        list(simulation)
        gains.append(simulation.learner.pass_rates(simulation.learner.problems).mean() - before)
    assert gains[0] > 1.5 * gains[1] > 0


def test_alignments_are_told_where_there_are_domains_to_align() -> None:
    aware = ADAPTER.validate_python({"kind": "transfer_aware"})
    for domains, told in ((("math", "code"), 1.0), (("math",), 0.0)):
        simulation = simulate(aware, make_pool(domains))
        next(iter(simulation))
        assert simulation.curriculum.metrics()["curriculum/alignment_told"] == told


def test_the_learner_may_know_better_than_the_pool() -> None:
    pool = make_pool()
    truth = {item.uid: 0.5 for item in pool}
    simulation = simulate(Mixed(), pool, rates=truth)
    assert simulation.learner.problems.start == pytest.approx(np.zeros(len(pool)))
    assert simulate(Mixed(), pool).learner.problems.start != pytest.approx(np.zeros(len(pool)))


def test_problems_that_are_not_scored_are_like_their_domain() -> None:
    pool = Pool.of([Item("a", "math", "t", None, 0.5), Item("b", "math", "t"), Item("c", "x", "t")])
    assert learner_table(pool).start == pytest.approx([0, 0, 0])
    with pytest.raises(ValueError, match="curricle score"):
        simulate(Mixed(), [Item("a", "math", "t")])
