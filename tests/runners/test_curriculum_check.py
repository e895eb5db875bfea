"""Curricula that name what is not there are refused before anything is scored."""

from typing import Any

import pytest

from runners.config import validate
from runners.curriculum_check import check_names
from runners.problem_set import load_problems

MATH = {"kind": "mixed", "where": {"domain": "math"}}


def check(curriculum: Any, **changes: Any) -> None:
    raw = {
        "name": "c",
        "problems": [{"kind": "tiny", "families": ["math", "stem"], "size": 12}],
        "evaluation": {"holdout": 0.3},
        "curriculum": curriculum,
        **changes,
    }
    config = validate(raw, "c.yaml")
    check_names(config, load_problems(config).training)


@pytest.mark.parametrize(
    ("curriculum", "place", "rule"),
    [
        ({"kind": "mixd"}, "curriculum.kind", "did you mean 'mixed'"),
        ({"kind": "adarft", "etta": 3}, "curriculum.etta", "did you mean 'eta'"),
        ({"kind": "mixed", "weights": {"mth": 1}}, "curriculum.weights", "did you mean 'math'"),
        ({"kind": "mixed", "quotas": {"maths": 3}}, ".quotas", "did you mean 'math'"),
        ({"kind": "mixed", "where": {"bucket": "esy"}}, "where.bucket", "did you mean 'easy'"),
        ({"kind": "mixed", "where": {"labels": {"levl": 1}}}, "where.labels", "mean 'level'"),
        ({"kind": "mixed", "where": {"labels": {"level": 9}}}, "labels.level", "but got '9'"),
        ({"kind": "mixed", "where": {"ranges": {"lvl": [0, 5]}}}, "where.ranges", "mean 'level'"),
        ({"kind": "mixed", "where": {"ranges": {"level": [5, 1]}}}, "curriculum.where", "[5, 1]"),
        ({"kind": "mixed", "where": {"pass_rate": [20, 80]}}, "where", "in [0, 1], but got [20,"),
        (
            {"kind": "mixed", "weights": {"math": {"kind": "liner", "start": 1, "end": 0}}},
            "curriculum.weights.math.kind",
            "did you mean 'linear'",
        ),
        (
            {"kind": "mixed", "weights": {"math": {"kind": "linear", "start": 1, "ends": 0}}},
            "curriculum.weights.math.ends",
            "did you mean 'end'",
        ),
        ({"kind": "staged", "gate": {"kind": "rewrd"}}, "curriculum.gate.kind", "'reward'"),
        ({"kind": "staged", "by": "dificulty"}, "curriculum.by", "did you mean 'difficulty'"),
        ({"kind": "staged", "domains": ["stm"]}, "curriculum.domains", "did you mean 'stem'"),
        (
            {"kind": "staged", "stages": [{"name": "a", "where": {"domain": "mth"}}]},
            "curriculum.stages.0.where.domain",
            "did you mean 'math'",
        ),
        ({"kind": "interleaved", "over": "domian"}, "curriculum.over", "did you mean 'domain'"),
        ({"kind": "interleaved", "weights": {"math": -1}}, "weights.math", "but got -1"),
        ({"kind": "sec", "arms": ["bukcet"]}, "curriculum.arms", "did you mean 'bucket'"),
        ({"kind": "sequential", "by": "levl"}, "curriculum.by", "did you mean 'level'"),
        ({"kind": "nemotron3", "shares": {"mth": 1}}, "curriculum.shares", "mean 'math'"),
        ({"kind": "retire", "wraps": {"kind": "adarft", "bta": 1}}, "curriculum.wraps.bta", "beta"),
        (
            {"kind": "sequence", "parts": [{"name": "a", "curriculum": {"kind": "stagd"}}]},
            "curriculum.parts.0.curriculum.kind",
            "did you mean 'staged'",
        ),
        (
            {
                "kind": "sequence",
                "parts": [{"name": "a", "where": {"domain": "mat"}, "curriculum": MATH}],
            },
            "curriculum.parts.0.where.domain",
            "did you mean 'math'",
        ),
        ("adarft", "curriculum", "{kind: adarft}"),
        ({"kind": "no_such.module:Thing"}, "curriculum", "no_such"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_misspelled_name_is_one_message_with_the_nearest(
    curriculum: Any, place: str, rule: str
) -> None:
    with pytest.raises(ValueError, match="curriculum") as error:
        check(curriculum)
    assert place in str(error.value)
    assert rule in str(error.value)


def test_what_only_the_pass_rates_can_tell_is_left_to_them() -> None:
    check({"kind": "mixed", "where": {"pass_rate": [0.51, 0.52]}})
    check({"kind": "staged", "stages": [{"name": "a", "where": {"bucket": "hard"}}]})
    check({"kind": "mixed", "over": "bucket", "weights": {"q2": 1}}, buckets={"kind": "quantiles"})
