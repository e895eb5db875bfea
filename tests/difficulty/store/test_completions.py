from pathlib import Path

import pyarrow.parquet as pq
import pytest

from difficulty.store.completions import ScoredCompletion, ScoreStore
from domains.problem import Status

KEY = {"model": "m", "weights": "abc", "decoding": {"temperature": 1.0}}


def make_row(uid: str, sample: int, status: Status = "correct") -> ScoredCompletion:
    return ScoredCompletion(
        uid, "math", sample, f"text {sample}", 3, "stop", status, 1.0, "4", "", "math@1:0"
    )


def test_rows_come_back_sorted_however_they_were_written(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {"gsm8k": ["math@1:0"]})
    store.write([make_row("b", 0), make_row("b", 1)])
    store.write([make_row("a", 0)])
    assert [(r.uid, r.sample) for r in store.rows()] == [("a", 0), ("b", 0), ("b", 1)]
    assert store.rows()[0] == make_row("a", 0)
    assert store.counts() == {"a": 1, "b": 2}
    assert store.generated_tokens() == 9


def test_pass_rates_use_the_first_samples_only_and_keep_missing_apart(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0), make_row("a", 1, "wrong"), make_row("a", 2, "truncated")])
    one, none = store.pass_rates(["a", "z"], samples=2)
    assert (one.correct, one.n) == (1, 2)
    assert none.n == 0


def test_statuses_end_where_one_is_missing(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0), make_row("a", 2, "wrong")])
    assert store.statuses() == {"a": ["correct"]}
    store.write([make_row("a", 1, "no_answer")])
    assert store.statuses() == {"a": ["correct", "no_answer", "wrong"]}


def test_a_completion_that_two_writers_made_is_counted_once(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0), make_row("a", 1, "wrong"), make_row("b", 0)])
    store.write([make_row("a", 1, "wrong"), make_row("a", 2, "truncated")])
    profile = store.profile()
    assert profile.uids.to_pylist() == ["a", "b"]
    assert profile.statuses.tolist() == [[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]]
    assert profile.tokens.tolist() == [9, 3]
    assert [row.sample for row in store.rows()] == [0, 1, 2, 0]


def test_a_profile_counts_every_status_and_reads_no_text(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    statuses: list[Status] = ["verifier_error", "wrong", "wrong", "no_answer", "truncated"]
    store.write([make_row("a", i, status) for i, status in enumerate(statuses)])
    [part] = store.parts()
    without = pq.read_table(part).drop_columns(["text", "answer", "reason"])
    pq.write_table(without, part)
    [rate] = store.profile().pass_rates()
    assert (rate.uid, rate.domain) == ("a", "math")
    assert (rate.correct, rate.wrong, rate.no_answer, rate.truncated) == (0, 2, 1, 1)
    assert (rate.n, rate.verifier_errors) == (4, 1)
    assert store.profile(samples=2).drawn.tolist() == [2]


def test_an_empty_store_has_an_empty_profile(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    assert store.profile().pass_rates() == []
    assert store.statuses() == {}
    assert store.generated_tokens() == 0


def test_another_model_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    ScoreStore(tmp_path / "s", KEY, {"gsm8k": ["math@1:0"]})
    before = (tmp_path / "s" / "key.json").read_bytes()
    with pytest.raises(ValueError, match="weights: stored abc, asked xyz"):
        ScoreStore(tmp_path / "s", {**KEY, "weights": "xyz"}, {})
    with pytest.raises(ValueError, match=r"decoding.temperature: stored 1.0, asked 0.5"):
        ScoreStore(tmp_path / "s", {**KEY, "decoding": {"temperature": 0.5}}, {})
    assert (tmp_path / "s" / "key.json").read_bytes() == before


def test_new_sources_join_the_key(tmp_path: Path) -> None:
    ScoreStore(tmp_path / "s", KEY, {"gsm8k": ["math@1:0"]})
    ScoreStore(tmp_path / "s", KEY, {"mbpp": ["unit_tests@1:0"]})
    text = (tmp_path / "s" / "key.json").read_text()
    assert '"math@1:0"' in text
    assert '"unit_tests@1:0"' in text


def test_a_part_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 0)])
    (tmp_path / "s" / "part-0000.parquet.host.123.tmp").write_bytes(b"half a parquet file")
    assert store.counts() == {"a": 1}


def test_half_of_a_surrogate_pair_is_stored_as_a_question_mark(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    row = ScoredCompletion("a", "math", 0, "x\ud83d\x00y", 1, "stop", "wrong", 0.0, "", "")
    store.write([row])
    assert store.rows()[0].text == "x?\x00y"


def test_statuses_end_before_the_first_missing_completion(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "s", KEY, {})
    store.write([make_row("a", 3), make_row("a", 1, "wrong")])
    store.write([make_row("a", 0, "truncated"), make_row("b", 1)])
    assert store.statuses() == {"a": ["truncated", "wrong"], "b": []}
