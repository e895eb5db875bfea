"""`curricle predict` as a user runs it; and the predictor on real pass rates."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runners.profiling.predict import predict

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data" / "math"


def write_rows(path: Path, m: int, n: int | None = 8, start: int = 0) -> Path:
    """Sums of one digit are solved, others are not; no labels, no ids."""
    rows = []
    for i in range(start, start + m):
        easy = i % 2 == 0
        row = {"prompt": f"What is {i} + {'3' if easy else '3333 * 77'}? Say it."}
        if n is not None:
            row |= {"correct": n - i % 3 if easy else i % 3, "n": n}
        rows.append(row)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_and_card_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, apply = write_rows(tmp_path / "t", 60), write_rows(tmp_path / "a", 40, 8, 100)
    predict(train, apply, tmp_path / "new" / "out.jsonl", tmp_path / "card.json")
    rows = [json.loads(line) for line in (tmp_path / "new" / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 40
    assert rows[0]["pass_rate"] > 0.7 > 0.3 > rows[1]["pass_rate"]
    assert all(row["low"] <= row["high"] and row["concentration"] > 0 for row in rows)
    assert sum(rows[0]["buckets"].values()) == pytest.approx(1, abs=1e-3)
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["on_apply"]["n"] == 40
    assert card["on_apply"]["r2"]["value"] > 0.8
    printed = capsys.readouterr().out
    for word in ("R2", "Spearman", "ECE", "coverage", "apply, n = 40"):
        assert word in printed


def test_without_out_the_rows_are_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(write_rows(tmp_path / "t", 60), write_rows(tmp_path / "a", 3, None))
    printed = capsys.readouterr()
    assert [set(json.loads(line)) >= {"id", "pass_rate"} for line in printed.out.splitlines()] == [
        True, True, True,
    ]  # fmt: skip
    assert "R2" in printed.err


def test_problems_that_were_learnt_from_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = write_rows(tmp_path / "t", 40)
    predict(train, train, tmp_path / "out.jsonl")
    assert "40 of them stand in the training file too" in capsys.readouterr().out


def test_nothing_scored_is_one_message(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "t", 5, None)
    done = subprocess.run(
        [sys.executable, "-m", "runners.cli", "predict", "--train", train, "--apply", train],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "none of them scored" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.soak
def test_real_rates_are_predicted_better_than_by_the_baselines(tmp_path: Path) -> None:
    if not (SHARED / "adarft_deepscaler").is_dir():
        pytest.skip(f"no real pass rates at {SHARED}")
    done = subprocess.run(
        [sys.executable, "benchmarks/predictor.py", "--quick"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    for baseline in ("level", "tfidf_ridge", "tfidf_ridge_all"):
        assert found["spearman"] > found[f"spearman_{baseline}"] + 0.05
        assert found["r2"] > found[f"r2_{baseline}"] + 0.05
    assert found["spearman_text"] > found["spearman_tfidf_ridge"]
    assert found["ece"] < 0.03
    assert found["coverage90"] == pytest.approx(0.9, abs=0.02)
