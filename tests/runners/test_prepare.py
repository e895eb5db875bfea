"""From a config to verl parquet: the sets of a run, nested sizes, bands of difficulty."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from difficulty.store.completions import ScoredCompletion, ScoreStore
from domains.problem import Problem, Status
from domains.sources.verl_parquet import VerlParquet
from runners.config import RunConfig
from runners.prepare import parse_sizes, prepare
from runners.problem_set import load_problems
from runners.profiling.measured_rates import measured_rates


def config(folder: Path, **changes: Any) -> RunConfig:
    lines = [json.dumps({"prompt": f"{n} + 1?", "answer": str(n + 1)}) for n in range(200)]
    (folder / "sums.jsonl").write_text("\n".join(lines))
    pool = {"kind": "file", "path": str(folder / "sums.jsonl")}
    settings = {
        "name": "x",
        "model": "a/b",
        "out": str(folder / "runs"),
        "problems": [pool],
        **changes,
    }
    return RunConfig.model_validate(settings)


def load(folder: Path, name: str) -> list[Problem]:
    return VerlParquet(path=folder / f"{name}.parquet").load()


def test_the_sets_are_those_of_a_run(tmp_path: Path) -> None:
    asked = config(tmp_path, prompt={"shots": 2, "system": "Add."}, evaluation={"holdout": 0.3})
    manifest = prepare(asked, tmp_path / "data")
    run = load_problems(asked)
    assert load(tmp_path / "data", "train") == run.training
    assert load(tmp_path / "data", "test") == run.evaluation
    first = pq.read_table(tmp_path / "data" / "train.parquet").to_pylist()[0]
    assert first["prompt"] == [dict(m) for m in run.prompter.messages(run.training[0])]
    assert [entry["rows"] for entry in manifest["files"]] == [
        len(run.training), len(run.evaluation)
    ]  # fmt: skip


def test_sizes_are_nested_and_what_they_replace_is_gone(tmp_path: Path) -> None:
    asked, out = config(tmp_path), tmp_path / "data"
    prepare(asked, out, sizes=[8, 100])
    (out / "notes.txt").write_text("mine")
    prepare(asked, out, sizes=[16, 64])
    assert sorted(path.name for path in out.iterdir()) == [
        "notes.txt", "prepared.json", "test.parquet", "train.parquet", "train_16.parquet",
        "train_64.parquet",
    ]  # fmt: skip
    small, large, whole = (
        {p.uid for p in load(out, name)} for name in ("train_16", "train_64", "train")
    )
    assert (len(small), len(large)) == (16, 64)
    assert small < large < whole


def test_too_large_a_size_changes_nothing(tmp_path: Path) -> None:
    asked, out = config(tmp_path), tmp_path / "data"
    prepare(asked, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match="sizes must be from 1 to the set's size"):
        prepare(asked, out, sizes=[500])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_bands_come_from_measured_rates(tmp_path: Path) -> None:
    asked, out = config(tmp_path, evaluation={"holdout": 0.5}), tmp_path / "data"
    kept = load_problems(asked).evaluation
    lines = [{"uid": p.uid, "correct": 2 * (i % 4), "n": 6} for i, p in enumerate(kept)]
    scored = tmp_path / "rates.jsonl"
    scored.write_text("".join(json.dumps(line) + "\n" for line in lines))
    prepare(asked, out, bands=7, scored=scored)
    rates = {line["uid"]: line["correct"] for line in lines}
    for name, correct in (("never", 0), ("hard", 2), ("medium", 4), ("easy", 6)):
        problems = load(out, f"test_{name}")
        assert len(problems) == 7
        assert {rates[p.uid] for p in problems} == {correct}
    with pytest.raises(ValueError, match="`curricle score` the config first"):
        prepare(asked, out, bands=7)


def test_rates_of_a_store_count_all_its_completions(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "run" / "scores", {"model": "m"}, {})
    verdicts: list[tuple[str, int, Status]] = [
        ("a", 0, "correct"), ("a", 1, "truncated"), ("a", 2, "verifier_error"),
        ("b", 0, "verifier_error"),
    ]  # fmt: skip
    store.write(
        [ScoredCompletion(uid, "math", i, "", 1, "stop", s, 0.0, "", "") for uid, i, s in verdicts]
    )
    assert measured_rates(tmp_path / "run") == {"a": 0.5}, "what failed is missing, not 0"
    assert measured_rates(tmp_path / "run" / "scores") == {"a": 0.5}


def test_without_a_holdout_there_is_no_test_file(tmp_path: Path) -> None:
    prepare(config(tmp_path, evaluation={"holdout": 0.0}), tmp_path / "data")
    assert len(load(tmp_path / "data", "train")) == 200
    assert not (tmp_path / "data" / "test.parquet").exists()


def test_further_evaluation_sets_are_kept_out_of_training(tmp_path: Path) -> None:
    pool = {"kind": "file", "path": str(tmp_path / "sums.jsonl"), "limit": 20}
    asked = config(tmp_path, evaluation={"holdout": 0.0, "problems": [pool]})
    prepare(asked, tmp_path / "data")
    assert len(load(tmp_path / "data", "train")) == 180
    assert len(load(tmp_path / "data", "test")) == 20


def test_sizes_are_read_from_text() -> None:
    assert parse_sizes("") == []
    assert parse_sizes("100, 64,64") == [64, 100]
    with pytest.raises(ValueError, match="whole numbers from 1, as in 64,100, but got '64,x'"):
        parse_sizes("64,x")
