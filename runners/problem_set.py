"""From a config to its problems: the training pool, what evaluation holds out, the examples."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from curricula.base import Item
from difficulty.prompts import Prompter, choose_examples
from domains.problem import Problem
from domains.splits import nested_subset, split
from runners.config import EvaluationSettings, RunConfig
from runners.models.tiny import HELD_OUT


@dataclass(frozen=True)
class ProblemSet:
    """Disjoint by uid."""

    training: list[Problem]
    evaluation: list[Problem]
    prompter: Prompter

    @property
    def everything(self) -> list[Problem]:
        return [*self.training, *self.evaluation]


def load_problems(config: RunConfig) -> ProblemSet:
    """Load every source, drop duplicates, hold out evaluation.

    Problems of `evaluation.problems` that stand in the pool too are taken out of the pool.
    Raises `ValueError` when nothing is left to train on or to evaluate.
    """
    if config.model == "tiny" and config.evaluation.holdout > HELD_OUT:
        raise ValueError(
            f"evaluation.holdout must be at most {HELD_OUT} with model=tiny, whose warm "
            f"start has seen the rest, but got {config.evaluation.holdout}"
        )
    pool = unique(problem for source in config.problems for problem in source.load())
    further = unique(p for source in config.evaluation.problems for p in source.load())
    problems = divide(config, list(pool), list(further))
    if not problems.training:
        raise ValueError("problems must leave at least one to train on, but none is left")
    if not problems.evaluation:
        raise ValueError(
            "evaluation must have at least one problem, but evaluation.holdout="
            f"{config.evaluation.holdout} and evaluation.where leave none and "
            "evaluation.problems is empty"
        )
    return problems


def divide(config: RunConfig, pool: Sequence[Problem], further: Sequence[Problem]) -> ProblemSet:
    """The sets of a config, either of which may be empty.

    `pool` and `further` are all its `problems` and `evaluation.problems`, each without repeats.
    """
    kept_out = {problem.uid for problem in further}
    training, held_out = split(
        [p for p in pool if p.uid not in kept_out], config.evaluation.holdout
    )
    examples = choose_examples(training, config.prompt.shots)
    shown = {problem.uid for problems in examples.values() for problem in problems}
    training = [problem for problem in training if problem.uid not in shown]
    evaluation = [*chosen(held_out, config.evaluation), *further]
    return ProblemSet(training, evaluation, Prompter(config.prompt, examples))


def as_item(problem: Problem, bucket: str | None, pass_rate: float | None) -> Item:
    """What a curriculum may know of a problem."""
    return Item(problem.uid, problem.domain, problem.source, bucket, pass_rate, problem.labels)


def chosen(held_out: Sequence[Problem], settings: EvaluationSettings) -> list[Problem]:
    """The held-out problems that `where` and `limit` leave, domain by domain."""
    by_domain: dict[str, list[Problem]] = {}
    for problem in held_out:
        if settings.where.matches(as_item(problem, None, None)):
            by_domain.setdefault(problem.domain, []).append(problem)
    limit = settings.limit
    return [
        problem
        for problems in by_domain.values()
        for problem in nested_subset(
            problems, min(limit or len(problems), len(problems)), salt="evaluation"
        )
    ]


def unique(problems: Iterable[Problem]) -> Iterator[Problem]:
    """First problem of every uid, in order; only the uids stay in memory."""
    seen: set[str] = set()
    for problem in problems:
        if problem.uid not in seen:
            seen.add(problem.uid)
            yield problem
