import json
from pathlib import Path
from typing import Any

import pytest

from difficulty.prediction.text_features import Example
from domains.problem import content_uid
from runners.profiling.counted_rows import read_examples


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def test_rows_are_read_with_and_without_everything(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": 7, "prompt": "a", "labels": {"level": 3}, "correct": 2, "n": 8, "answer": 4},
        "",
        {"prompt": [{"role": "user", "content": "b"}], "domain": "code", "labels": None},
    )
    assert read_examples(path) == [
        ("7", Example("a", {"level": 3}, 2, 8, "4")),
        (content_uid("b", ""), Example("b", {"domain": "code"})),
    ]


def test_rates_stand_for_the_least_number_of_completions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"prompt": "a", "pass_rate": 0.125},
        {"prompt": "b", "pass_rate": 0.5},
        {"prompt": "c", "pass_rate": 0.3333, "n": 3},
        {"prompt": "d", "pass_rate": None},
    )
    found = [(e.correct, e.n) for _, e in read_examples(path)]
    assert found == [(1, 8), (4, 8), (pytest.approx(1, abs=1e-3), 3), (None, None)]


def test_rates_that_are_no_simple_fractions_count_as_128(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "pass_rate": x} for x in (0.123456, 0.76543, 0.31831, 0.9111)]
    assert {e.n for _, e in read_examples(write(tmp_path, *rows))} == {128}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "line 2 must be a JSON object"),
        ([1], "line 2 must be a JSON object"),
        ("[" * 50_000, "line 2 must be a JSON object"),
        ({"promt": "b"}, "'promt' meant"),
        ({"prompt": "b", "correct": 9, "n": 8}, "from 0 to n, but got correct=9"),
        ({"prompt": "b", "correct": 1}, "must have n beside it"),
        ({"prompt": "b", "correct": "1", "n": 8}, "must be a number"),
        ({"prompt": "b", "correct": 1, "n": 1.5}, "whole number"),
        ({"prompt": "b", "pass_rate": 1.5}, "from 0 to 1"),
        ({"prompt": "b", "labels": [1]}, "labels must be an object"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_examples(write(tmp_path, {"prompt": "fine"}, row))


def test_a_missing_and_an_empty_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not there"):
        read_examples(tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match="at least one line"):
        read_examples(write(tmp_path, ""))
