from pathlib import Path

import pytest

from difficulty.store import ScoredCompletion, ScoreStore

KEY = {"model": "m", "weights": "abc", "decoding": {"temperature": 1.0}}


def make_row(uid: str, sample: int, status: str = "correct") -> ScoredCompletion:
    return ScoredCompletion(
        uid,
        "math",
        sample,
        f"text {sample}",
        3,
        "stop",
        status,
        1.0,
        "4",
        "",  # type: ignore[arg-type]
    )


def test_rows_come_back_sorted_however_they_were_written(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {"gsm8k": "math@1:0"})
    store.write([make_row("b", 0), make_row("b", 1)])
    store.write([make_row("a", 0)])
    assert [(r.uid, r.sample) for r in store.rows()] == [("a", 0), ("b", 0), ("b", 1)]
    assert store.counts() == {"a": 1, "b": 2}


def test_pass_rates_use_the_first_samples_only_and_keep_missing_apart(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0), make_row("a", 1, "wrong"), make_row("a", 2, "truncated")])
    one, none = store.pass_rates(["a", "z"], samples=2)
    assert (one.correct, one.n) == (1, 2)
    assert none.n == 0


def test_another_model_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    ScoreStore(tmp_path / "s", KEY, {"gsm8k": "math@1:0"})
    before = (tmp_path / "s" / "key.json").read_bytes()
    with pytest.raises(ValueError, match="weights: stored abc, asked xyz"):
        ScoreStore(tmp_path / "s", {**KEY, "weights": "xyz"}, {})
    with pytest.raises(ValueError, match="checker of gsm8k: stored math@1:0, asked math@2:0"):
        ScoreStore(tmp_path / "s", KEY, {"gsm8k": "math@2:0"})
    assert (tmp_path / "s" / "key.json").read_bytes() == before


def test_new_sources_join_the_key(tmp_path: Path) -> None:
    ScoreStore(tmp_path / "s", KEY, {"gsm8k": "math@1:0"})
    ScoreStore(tmp_path / "s", KEY, {"mbpp": "unit_tests@1:0"})
    with pytest.raises(ValueError, match="checker of mbpp"):
        ScoreStore(tmp_path / "s", KEY, {"mbpp": "unit_tests@2:0"})


def test_a_part_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0)])
    (tmp_path / "s" / "part-0000.123.tmp").write_bytes(b"half a parquet file")
    assert store.counts() == {"a": 1}
