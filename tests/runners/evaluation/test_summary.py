"""pass@k, its intervals and paired differences, against numbers worked by hand."""

import math
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.evaluation.summary import (
    EvaluationRow,
    grouped,
    paired_difference,
    pass_at_k,
    summarise,
)


def row(uid: str, correct: int, n: int = 4, **changes: Any) -> EvaluationRow:
    values: dict[str, Any] = {
        "phase": "before", "step": 0, "uid": uid, "domain": "math", "source": "gsm8k",
        "bucket": "easy", "n": n, "correct": correct, "wrong": n - correct, "no_answer": 0,
        "truncated": 0, "verifier_errors": 0,
    }  # fmt: skip
    return EvaluationRow.from_json(values | changes)


def test_pass_at_k_by_hand() -> None:
    assert pass_at_k(4, 1, 1) == 0.25
    assert pass_at_k(4, 1, 2) == 0.5  # 1 - C(3,2)/C(4,2) = 1 - 3/6
    assert pass_at_k(4, 3, 2) == 1.0  # one wrong completion cannot fill two places
    assert pass_at_k(10, 3, 4) == pytest.approx(1 - 35 / 210)
    assert math.isnan(pass_at_k(3, 3, 4))


@given(st.integers(1, 8), st.data())
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_correct_one(
    n: int, data: st.DataObject
) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    subsets = list(combinations(range(n), k))
    share = sum(any(i < c for i in subset) for subset in subsets) / len(subsets)
    assert pass_at_k(n, c, k) == pytest.approx(share)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 2, 0)])
def test_pass_at_k_refuses_impossible_counts(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"must be .* but got"):
        pass_at_k(n, c, k)


def test_summarise_counts_and_mean_by_domain() -> None:
    rows = [
        row("a", 4),
        row("b", 2, wrong=1, no_answer=1),
        row("c", 0, wrong=1, truncated=3, verifier_errors=2),
        row("d", 1, domain="logic"),
    ]
    math_, logic = summarise(rows, k=1, by=("domain",))
    assert (math_.group, logic.group) == (("math",), ("logic",))
    assert math_.pass_at_k.mean == 0.5  # (1 + .5 + 0) / 3
    assert 0.0 <= math_.pass_at_k.low < 0.5 < math_.pass_at_k.high <= 1.0
    assert (math_.n_problems, math_.n_samples) == (3, 12)
    assert (math_.wrong, math_.no_answer, math_.truncated, math_.verifier_errors) == (2, 1, 3, 2)
    assert logic.pass_at_k.mean == logic.pass_at_k.low == 0.25


def test_problems_with_too_few_completions_leave_the_mean_and_are_counted() -> None:
    (summary,) = summarise([row("a", 4), row("b", 0, n=1), row("c", 0, n=0)], k=2)
    assert summary.pass_at_k.mean == 1.0
    assert (summary.pass_at_k.n_problems, summary.n_problems) == (1, 3)
    (empty,) = summarise([row("c", 0, n=0)], k=1)
    assert math.isnan(empty.pass_at_k.mean)
    assert empty.pass_at_k.n_problems == 0


def test_interval_covers_what_theory_says() -> None:
    """200 problems, half at 1: the mean's standard error is .5 / sqrt(200) = .0354."""
    rows = [row(f"{i:03}", 4 * (i % 2)) for i in range(200)]
    (summary,) = summarise(rows, k=1, seed=7)
    assert summary.pass_at_k.low == pytest.approx(0.5 - 1.96 * 0.0354, abs=0.01)
    assert summary.pass_at_k.high == pytest.approx(0.5 + 1.96 * 0.0354, abs=0.01)


def test_a_groups_interval_depends_on_seed_and_group_alone() -> None:
    rows = [row(f"{i:02}", i % 5) for i in range(20)]
    others = [row(f"x{i}", 1, domain="logic") for i in range(5)]
    alone = summarise(rows, 1, ("domain",), seed=3)[0]
    assert summarise([*others, *reversed(rows)], 1, ("domain",), seed=3)[1] == alone
    assert summarise(rows, 1, ("domain",), seed=4)[0] != alone


def test_paired_difference_is_over_shared_problems() -> None:
    before = [row("a", 0), row("b", 2), row("only-before", 4)]
    after = [row("a", 2), row("b", 4), row("only-after", 0)]
    difference = paired_difference(before, after, k=1)
    assert (difference.mean, difference.low, difference.high) == (0.5, 0.5, 0.5)
    assert difference.n_problems == 2
    assert math.isnan(paired_difference(before, [], k=1).mean)


def test_a_problem_twice_in_a_group_is_refused() -> None:
    rows = [row("a", 1), row("a", 2, step=5, phase="during")]
    with pytest.raises(ValueError, match=r"each problem once.*uid='a'"):
        summarise(rows, k=1)
    assert len(summarise(rows, k=1, by=("step",))) == 2
    assert list(grouped(rows, ("phase", "step"))) == [("before", 0), ("during", 5)]


def test_rows_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"counted apart.*n=4 and 3"):
        row("a", 1, wrong=2, verifier_errors=1)
    with pytest.raises(ValueError, match="phase must be one of"):
        row("a", 1, phase="later")
    with pytest.raises(ValueError, match=r"got no \['phase', 'step'"):
        EvaluationRow.from_json({"uid": "a"})


def test_rows_survive_json() -> None:
    one = row("a", 1, bucket=None)
    assert EvaluationRow.from_json(one.to_json()) == one
