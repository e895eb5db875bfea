import json
from pathlib import Path

import pytest

from difficulty.store.completions import ScoredCompletion, ScoreStore
from domains.problem import Status
from runners.profiling.drift import compare_files, read_rates


def write_store(folder: Path, solved: dict[str, int], model: str, temperature: float = 1) -> Path:
    """A store with 16 completions of every problem, one of them with a failed checker more."""
    key = {"model": model, "decoding": {"temperature": temperature}}
    store = ScoreStore(folder, key, {"s": "math@1"})
    for uid, k in solved.items():
        statuses: list[Status] = ["correct"] * k + ["wrong"] * (16 - k) + ["verifier_error"]
        store.write(
            [
                ScoredCompletion(uid, "math", i, "text", 1, "stop", status, 0.0, "", "")
                for i, status in enumerate(statuses)
            ]
        )
    return folder


def test_runs_are_compared_by_their_stores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_store(tmp_path / "a" / "scores", {"up": 1, "same": 8}, "base")
    write_store(tmp_path / "b" / "scores", {"up": 15, "same": 8}, "checkpoint")
    found = compare_files(tmp_path / "a", tmp_path / "b", 0.1, as_json=False)
    assert found.stale == ("up",)
    assert found.changes[0].n_before == 16
    printed = capsys.readouterr()
    assert "mean change +0.438" in printed.out
    assert printed.err == ""


def test_json_is_one_object_and_other_decoding_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_store(tmp_path / "a", {"p": 4, "q": 4}, "base")
    second = write_store(tmp_path / "b", {"p": 5, "q": 4}, "base", temperature=0.6)
    compare_files(first, second, 0.1, as_json=True)
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["n"] == 2
    assert found["asked_differently"] == ["decoding"]
    assert found["changes"][0]["uid"] in ("p", "q")
    assert "decoding" in printed.err


def test_a_store_elsewhere_and_plain_rows_are_found(tmp_path: Path) -> None:
    kept = write_store(tmp_path / "kept", {"p": 4}, "base")
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"config": {"difficulty": {"store": str(kept)}}}))
    assert read_rates(run)[0].correct == 4
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"uid": "p", "correct": 3, "n": 8}\n{"uid": "q", "correct": null, "n": 0}\n')
    assert [(rate.uid, rate.correct, rate.n) for rate in read_rates(rows)] == [
        ("p", 3, 8),
        ("q", 0, 0),
    ]
    with pytest.raises(ValueError, match="not there"):
        read_rates(tmp_path / "nothing")
