import pytest
from pydantic import ValidationError

from difficulty.buckets import Counts, Edges, Quantiles
from difficulty.pass_rate import PassRate, Posterior


def make_scored(
    counts: dict[str, tuple[int, int]],
) -> tuple[list[PassRate], dict[str, Posterior]]:
    rates = [PassRate(uid, "math", c, n - c, 0, 0, 0) for uid, (c, n) in counts.items()]
    found = {uid: Posterior(c / n, 0, 1, 1 + c, 1 + n - c) for uid, (c, n) in counts.items() if n}
    return rates, found


def test_edges_hold_their_lower_bound_and_the_top_bucket_holds_one() -> None:
    rates, found = make_scored({"a": (0, 10), "b": (2, 10), "c": (10, 10)})
    edges = Edges(edges=(0, 0.2, 1), names=("hard", "easy"))
    assert edges.assign(rates, found) == {"a": "hard", "b": "easy", "c": "easy"}


def test_counts_name_the_usual_evaluation_files() -> None:
    rates, found = make_scored({"a": (0, 8), "b": (1, 8), "c": (5, 8), "missing": (0, 0)})
    assert Counts().assign(rates, found) == {
        "a": "very_difficult_0",
        "b": "difficult_1",
        "c": "medium_2_8",
    }


def test_a_count_in_no_range_is_in_no_bucket() -> None:
    rates, found = make_scored({"a": (3, 8)})
    assert Counts(counts={"never": (0, 0)}).assign(rates, found) == {}


def test_quantiles_cut_into_equal_parts_and_keep_ties_together() -> None:
    rates, found = make_scored({str(i): (i, 8) for i in range(8)})
    assert list(Quantiles(parts=2).assign(rates, found).values()) == ["q1"] * 4 + ["q2"] * 4
    rates, found = make_scored({str(i): (4, 8) for i in range(8)})
    assert set(Quantiles(parts=4).assign(rates, found).values()) == {"q2"}


@pytest.mark.parametrize(
    ("kind", "words", "rule"),
    [
        (Edges, {"edges": (0.1, 1.0), "names": ("a",)}, "must start at 0"),
        (Edges, {"edges": (0.0, 0.5, 0.5, 1.0), "names": ("a", "b", "c")}, "must rise"),
        (Edges, {"edges": (0.0, 1.0), "names": ("a", "b")}, "one for each gap"),
        (Counts, {"counts": {"a": (0, 3), "b": (3, 4)}}, "must not overlap"),
    ],
)
def test_impossible_cuts_are_refused(kind: type, words: dict[str, object], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        kind(**words)
