"""Rejection sampling worked by hand: what is kept, what is left out and why."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from difficulty.prompts import Prompter, PromptFormat
from difficulty.store.completions import ScoredCompletion
from domains.checkers.exact import Exact
from domains.problem import Problem, Status
from runners.sft import RejectionSFT
from runners.sft.examples import Collected, Example, Material


def problem(name: str, domain: str = "math") -> Problem:
    return Problem(name, domain, "s", f"{name}?", "1", Exact(), {}, {})


def completion(uid: str, sample: int, status: Status, text: str, tokens: int) -> ScoredCompletion:
    return ScoredCompletion(uid, "", sample, text, tokens, "stop", status, 0.0, "", "")


def material(problems: list[Problem], rows: Iterable[ScoredCompletion], **more: Any) -> Material:
    by_uid = {p.uid: p for p in problems}
    others = {"evaluation": {}, "buckets": {}, "seed": 0, **more}
    return Material(
        by_uid, by_uid, prompter=Prompter(PromptFormat(), {}), completions=rows, **others
    )


ROWS = [
    completion("a", 0, "correct", "one  is\n1", 9),
    completion("a", 1, "correct", "one is 1", 4),  # the same text but for its spacing
    completion("a", 2, "correct", "it is 1", 6),
    completion("a", 3, "correct", "surely 1", 5),
    completion("a", 3, "correct", "surely 1", 5),  # written by two writers of one store
    completion("a", 4, "wrong", "2", 1),
    completion("b", 0, "correct", "1", 2),
    completion("b", 1, "truncated", "1 and so on and", 24),
    completion("b", 2, "no_answer", "hm", 1),
    completion("c", 0, "wrong", "3", 1),  # never solved
    completion("c", 1, "truncated", "4 and", 24),
    completion("d", 0, "verifier_error", "1", 2),  # never judged
    completion("held out", 0, "correct", "1", 2),
]
PROBLEMS = [problem(name) for name in "abcde"]


def named(found: Collected) -> list[tuple[tuple[str | None, int | None], Example]]:
    return [((example.uid, example.sample), example) for example in found.examples]


def kept(found: Collected) -> list[tuple[str | None, int | None]]:
    return sorted(name for name, _ in named(found))


def test_the_shortest_of_each_problem_are_kept_and_the_rest_is_accounted_for() -> None:
    found = RejectionSFT(per_problem=2, keep="shortest").collect(material(PROBLEMS, ROWS))
    told = {kept: (e.messages[0]["content"], e.completion) for kept, e in named(found)}
    assert told == {
        ("a", 1): ("a?", "one is 1"),
        ("a", 3): ("a?", "surely 1"),
        ("b", 0): ("b?", "1"),
    }
    assert found.left_out == {
        "wrong": 2,
        "truncated": 2,
        "no_answer": 1,
        "verifier_error": 1,
        "repeats": 1,
        "beyond per_problem": 1,
    }
    assert found.problems == {
        "problems for SFT": 5,
        "solved at least once": 2,
        "never solved": 1,
        "never judged": 2,  # d's checker failed, e has no completion
    }
    assert found.never_solved == ["c"]


def test_chance_picks_by_seed_and_never_another_text_twice() -> None:
    chosen = {
        seed: kept(RejectionSFT(per_problem=1).collect(material(PROBLEMS, ROWS, seed=seed)))
        for seed in range(8)
    }
    assert len({str(one) for one in chosen.values()}) > 1
    again = RejectionSFT(per_problem=1).collect(material(PROBLEMS, reversed(ROWS), seed=3))
    assert kept(again) == chosen[3]
    everything = RejectionSFT(per_problem=9).collect(material(PROBLEMS, ROWS))
    assert Counter(e.uid for e in everything.examples) == {"a": 3, "b": 1}


def test_balance_cuts_to_the_smallest_group_taking_every_problem_once_first() -> None:
    problems = [problem("a"), problem("b"), problem("x", "logic"), problem("y", "logic")]
    rows = [completion(u, i, "correct", f"{u}{i}", 1) for u in "ab" for i in range(3)]
    rows += [completion("x", 0, "correct", "x", 1), completion("y", 0, "correct", "y", 1)]
    found = RejectionSFT(balance="domain").collect(material(problems, rows))
    assert sorted(e.uid or "" for e in found.examples) == ["a", "b", "x", "y"]
    assert found.left_out == {"for balance": 4}
    buckets = {"a": "hard", "b": "easy", "x": "easy", "y": "easy"}
    found = RejectionSFT(balance="bucket").collect(material(problems, rows, buckets=buckets))
    assert Counter(buckets[e.uid or ""] for e in found.examples) == {"hard": 3, "easy": 3}
    assert {e.uid for e in found.examples} == {"a", "b", "x", "y"}


def test_nothing_ever_solved_is_said() -> None:
    with pytest.raises(ValueError, match="none of the 5 problems for SFT was ever solved"):
        RejectionSFT().collect(material(PROBLEMS, [r for r in ROWS if r.status != "correct"]))
