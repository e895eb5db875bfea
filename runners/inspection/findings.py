"""All that an inspection finds, as records of plain values: what `--json` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from difficulty.engines.base import Message
from domains.judge import judge
from domains.overlap import THRESHOLD, find_overlaps, repeated
from domains.problem import Label, Problem
from domains.splits import nested_subset
from domains.uniqueness import unique_solution
from runners.config import RunConfig
from runners.inspection.as_seen import local_tokenizer, rendered, token_counter
from runners.inspection.golds import Golds, check_golds
from runners.inspection.loading import Loaded, RowFault, load_leniently
from runners.inspection.statistics import (
    Count,
    LabelValues,
    Length,
    by_source,
    counts,
    labels,
    lengths,
)

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Makes a progress bar of a label; see `runners.console.progress_bar`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A problem as the model sees it."""

    uid: str
    set: str
    domain: str
    source: str
    messages: list[Message]
    text: str | None
    """The messages in the model's chat template; None where its tokenizer is not on this machine.
    """
    answer: str
    right_completion: str | None
    """A completion that the checker calls correct: the answer format, by example."""
    checker: dict[str, Any]
    labels: dict[str, Label]


@dataclass(frozen=True, slots=True)
class Question:
    """A problem by what it asks."""

    uid: str
    source: str
    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Problems of one set that ask the same."""

    set: str
    same_answer: bool
    """Whether the first one's checker calls the gold answers of the others correct."""
    problems: list[Question]


@dataclass(frozen=True, slots=True)
class Shared:
    """An evaluation problem that stands in training too, nearly or exactly."""

    evaluation: Question
    training: Question
    similarity: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Puzzles with a formal statement, all of whose assignments were tried."""

    source: str
    unique: int
    not_unique: list[str]
    """uids"""
    not_formal: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What a problem set looks like."""

    name: str
    problems: dict[str, int]
    """training and evaluation"""
    counts: list[Count]
    labels: list[LabelValues]
    lengths: list[Length]
    samples: list[Sample]
    faults: list[RowFault]
    repeated_rows: int
    taken_out: int
    repeats: list[Repeat]
    overlap_threshold: float
    overlaps: list[Shared]
    overlapping_training_problems: int
    golds: list[Golds]
    uniqueness: list[Uniqueness]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def inspect(
    config: RunConfig, samples: int = 3, gold_limit: int | None = None, bar: Bar | None = None
) -> Findings:
    """Look at a config's problems.

    `samples` problems are shown of each source; of each source at most `gold_limit` gold answers
    are checked, all by default. `bar` shows what takes long.
    """
    loaded = load_leniently(config)
    problems = loaded.problems
    sets = {"training": problems.training, "evaluation": problems.evaluation}
    tokenizer = local_tokenizer(config.model)
    with bar("checking gold answers") if bar else nullcontext() as progress:
        golds = check_golds(problems.everything, gold_limit, progress)
    shared, in_training = _shared(problems.training, problems.evaluation)
    return Findings(
        name=config.name,
        problems={name: len(members) for name, members in sets.items()},
        counts=counts(sets),
        labels=labels(problems.everything),
        lengths=lengths(sets, token_counter(problems.prompter, tokenizer)),
        samples=_samples(sets, loaded, tokenizer, samples),
        faults=loaded.faults,
        repeated_rows=loaded.repeated_rows,
        taken_out=loaded.taken_out,
        repeats=[_repeat(name, group) for name, members in sets.items() for group in
                 repeated(members)],
        overlap_threshold=THRESHOLD,
        overlaps=shared,
        overlapping_training_problems=in_training,
        golds=golds,
        uniqueness=_uniqueness(problems.everything),
    )  # fmt: skip


def _samples(
    sets: Mapping[str, Sequence[Problem]], loaded: Loaded, tokenizer: Any, number: int
) -> list[Sample]:
    prompter = loaded.problems.prompter
    chosen = [
        (name, problem)
        for name, problems in sets.items()
        for members in by_source(problems).values()
        for problem in nested_subset(members, min(number, len(members)), salt="samples")
    ]
    return [
        Sample(
            problem.uid, name, problem.domain, problem.source,
            list(prompter.messages(problem)),
            rendered(problem, prompter, tokenizer),
            problem.answer, _right_completion(problem),
            problem.checker.model_dump(mode="json"), dict(problem.labels),
        )
        for name, problem in chosen
    ]  # fmt: skip


def _right_completion(problem: Problem) -> str | None:
    try:
        return problem.checker.gold(problem)
    except Exception:  # noqa: BLE001  told with its reason where the gold answers are checked
        return None


def _question(problem: Problem) -> Question:
    return Question(problem.uid, problem.source, problem.prompt, problem.answer)


def _repeat(name: str, group: Sequence[Problem]) -> Repeat:
    first, *others = group
    same = all(_accepts(first, other) for other in others)
    return Repeat(name, same, [_question(problem) for problem in group])


def _accepts(problem: Problem, other: Problem) -> bool:
    """Whether the other's gold answer is right here too."""
    if " ".join(problem.answer.split()) == " ".join(other.answer.split()):
        return True
    completion = _right_completion(other)
    return completion is not None and judge(problem, completion).status == "correct"


def _shared(training: Sequence[Problem], evaluation: Sequence[Problem]) -> tuple[list[Shared], int]:
    found = find_overlaps(training, evaluation)
    known = {problem.uid: problem for problem in (*training, *evaluation)}
    shared = [
        Shared(_question(known[m.evaluation]), _question(known[m.training]), m.similarity, m.exact)
        for m in found.matches
    ]
    return shared, len(found.training)


def _uniqueness(problems: Sequence[Problem]) -> list[Uniqueness]:
    """Of the sources with formal statements, whether one answer fits."""
    found = []
    for source, members in by_source(problems).items():
        answers = {problem.uid: _unique(problem) for problem in members}
        tried = [unique for unique in answers.values() if unique is not None]
        if tried:
            others = [uid for uid, unique in answers.items() if unique is False]
            found.append(Uniqueness(source, sum(tried), others, len(members) - len(tried)))
    return found


def _unique(problem: Problem) -> bool | None:
    try:
        return unique_solution(problem)
    except ValueError:  # statements of a form that is not known: not formal for us
        return None
