"""`score --status`, `score --regrade` and imported rates, from configs with a scripted engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from runners.config import RunConfig, validate
from runners.files import read_json, read_lines
from runners.profiling.stored_scores import regrade_scores, show_status
from runners.run_dir import RunDir
from runners.stages import export_only, score_only

BOXED = {"kind": "math", "extract": ["boxed"]}


def make_config(folder: Path, **changes: Any) -> RunConfig:
    lines = [json.dumps({"prompt": f"{n} + 0?", "answer": str(n)}) for n in range(40)]
    (folder / "sums.jsonl").write_text("\n".join(lines))
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "config.json").write_text("{}")
    (folder / "model" / "model.safetensors").write_bytes(b"")
    texts = [f"The answer is {n}." for n in range(4)]
    settings = {
        "name": "x",
        "out": str(folder),
        "model": str(folder / "model"),
        "problems": [{"kind": "file", "path": str(folder / "sums.jsonl"), "checker": BOXED}],
        "difficulty": {"engine": {"kind": "scripted", "otherwise": texts}, "samples": 3},
        "evaluation": {"holdout": 0.2},
    }
    return validate({**settings, **changes}, "here")


def mended(folder: Path) -> RunConfig:
    file = {"kind": "file", "path": str(folder / "sums.jsonl"), "checker": {"kind": "math"}}
    return make_config(folder, problems=[file])


def test_status_tells_what_is_stored_and_what_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_status(make_config(tmp_path))
    assert "nothing is scored: 0 of 40 problems" in capsys.readouterr().out
    assert not (tmp_path / "x").exists(), "status writes nothing"
    score_only(make_config(tmp_path))
    capsys.readouterr()
    show_status(make_config(tmp_path))
    said = capsys.readouterr().out
    assert "3.0 completions a scored problem (3 to 3)" in said
    assert "engine: scripted" in said
    assert "verdicts: all by the asked checkers" in said
    show_status(mended(tmp_path))
    assert "stale: 120 completions of sums" in capsys.readouterr().out
    show_status(make_config(tmp_path, seed=1))
    assert "seed: stored 0, asked 1" in capsys.readouterr().out


def test_a_mended_checker_regrades_without_generating(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score_only(make_config(tmp_path))
    with pytest.raises(ValueError, match="--regrade"):
        score_only(mended(tmp_path))
    parts = sorted(path.name for path in (tmp_path / "x" / "scores").glob("part-*"))
    capsys.readouterr()
    regrade_scores(mended(tmp_path))
    assert "120 completions judged anew, 0 had a fresh verdict" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "x" / "scores").glob("part-*")) == parts
    score_only(mended(tmp_path))
    pool = RunDir(tmp_path / "x")
    key = read_json(pool.scores / "key.json")
    [[fingerprint]] = key["checkers"].values()
    assert fingerprint == mended(tmp_path).problems[0].load()[0].checker.fingerprint()
    regrade_scores(mended(tmp_path))
    assert "0 completions judged anew, 120 had a fresh" in capsys.readouterr().out


def test_without_scores_there_is_nothing_to_regrade(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must find stored scores"):
        regrade_scores(make_config(tmp_path))


@pytest.mark.slow
def test_rates_of_others_fill_buckets_without_an_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = [{"prompt": f"{n} + 0?", "correct": n % 9, "n": 8} for n in range(30)]
    (tmp_path / "rates.jsonl").write_text("\n".join(json.dumps(row) for row in rates))
    rates_file = {"kind": "file", "path": str(tmp_path / "rates.jsonl"), "model": "big"}
    imported = {**rates_file, "zero_is_missing": True}
    config = make_config(
        tmp_path,
        model="no/such-model-anywhere",
        difficulty={"imported": imported},
        buckets={"kind": "counts", "counts": {"some": [1, 4], "most": [5, 8]}},
    )
    export_only(config)
    said = capsys.readouterr().out
    assert "rates from rates.jsonl, big: 26 of 40 problems, 14 missing" in said
    assert "4 rates of exactly 0.0 are taken as missing" in said
    folder = RunDir(tmp_path / "x")
    assert (folder.buckets / "buckets.png").stat().st_size > 1000
    manifest = read_json(folder.buckets / "manifest.json")
    assert manifest["rates_from"] == "rates.jsonl, big"
    rows = read_lines(folder.pool)
    assert all(row["rates_from"] == "rates.jsonl, big" for row in rows)
    missing = [row for row in rows if row["n"] == 0]
    assert missing
    assert all(row["pass_rate"] is None and row["bucket"] is None for row in missing)
    assert not folder.scores.exists()
