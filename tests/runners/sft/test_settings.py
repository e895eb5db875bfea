"""Which problems are set apart for SFT."""

from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domains.checkers.exact import Exact
from domains.problem import Problem
from runners.config import validate
from runners.sft import RejectionSFT

GOOD: dict[str, Any] = {"name": "x", "problems": [{"kind": "tiny"}]}


def problems(count: int, domain: str = "math") -> list[Problem]:
    return [
        Problem.make(domain=domain, source="s", prompt=f"{domain} {i}", answer="1", checker=Exact())
        for i in range(count)
    ]


@pytest.mark.parametrize("text", ["3:7", "'3:7'", "30:70", "0:1", "1:99"])
def test_a_ratio_means_the_same_with_quotes_and_without(text: str) -> None:
    first, second = map(int, text.strip("'").split(":"))
    settings = RejectionSFT.model_validate({"ratio": yaml.safe_load(text)})
    apart, rest = settings.split(problems(100))
    assert len(apart) == round(100 * first / (first + second))
    assert len(apart) + len(rest) == 100
    assert settings.wanted == (first > 0)


def test_the_parts_are_disjoint_even_over_domains_and_nested() -> None:
    pool = problems(60, "math") + problems(20, "logic")
    apart, rest = RejectionSFT(share=0.25).split(pool)
    assert Counter(p.domain for p in apart) == {"math": 15, "logic": 5}
    assert {p.uid for p in apart} | {p.uid for p in rest} == {p.uid for p in pool}
    assert not {p.uid for p in apart} & {p.uid for p in rest}
    more, _ = RejectionSFT(size=50).split(pool)
    assert len(more) == 50
    assert {p.uid for p in apart} < {p.uid for p in more}


def test_without_a_split_all_problems_serve_both() -> None:
    pool = problems(5)
    assert RejectionSFT().split(pool) == (pool, pool)
    assert RejectionSFT().wanted
    assert not RejectionSFT(share=0).wanted
    assert RejectionSFT(size=0).split(pool) == ([], pool)


@given(st.integers(2, 40), st.integers(1, 39))
def test_any_size_below_the_pool_is_taken_exactly(count: int, size: int) -> None:
    pool = problems(count, "math") + problems(3, "logic")
    if size < len(pool):
        assert len(RejectionSFT(size=size).split(pool)[0]) == size


@pytest.mark.parametrize("size", [5, 6])
def test_something_must_be_left_for_reinforcement_learning(size: int) -> None:
    with pytest.raises(ValueError, match=f"would take {size} of 5 training problems"):
        RejectionSFT(size=size).split(problems(5))


@pytest.mark.parametrize(
    ("sft", "message"),
    [
        ({"ratio": "3:0"}, "sft.ratio: must be two whole numbers"),
        ({"ratio": 37}, "but got 37"),
        ({"ratio": "3:7", "share": 0.3}, "only one of share, ratio and size may be given"),
        ({"epoch": 3}, "sft.epoch: no such setting (did you mean 'epochs'?)"),
        ({"kind": "file"}, "sft.path: must be given"),
        ({"kind": "rejektion"}, "did you mean 'rejection'?"),
    ],
)
def test_mistakes_are_named(sft: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        validate({**GOOD, "sft": sft}, "here")
    assert message in str(caught.value)


def test_what_cannot_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="a learner model has no weights"):
        validate({**GOOD, "sft": {}, "trainer": {"kind": "simulated"}}, "here")
    imported = {"imported": {"kind": "file", "path": "rates.jsonl", "model": "m"}}
    with pytest.raises(ValueError, match="brings rates alone"):
        validate({**GOOD, "sft": {}, "difficulty": imported}, "here")
    assert validate({**GOOD, "sft": {"path": "a.jsonl"}}, "here").sft
    with pytest.raises(ValidationError):
        RejectionSFT.model_validate({"share": 1.0})
