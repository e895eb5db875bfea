"""A whole run with SFT before reinforcement learning, again, and after a kill between the two."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from difficulty.engines.model_files import weights_hash
from runners.files import read_json, read_lines
from runners.run_dir import RunDir

SETTINGS: dict[str, Any] = {
    "problems": [{"kind": "tiny", "families": ["math"], "size": 24}],
    "decoding": {"max_tokens": 24},
    "difficulty": {"engine": {"kind": "transformers"}, "samples": 4},
    "sft": {"ratio": "1:2", "epochs": 1, "batch_size": 8, "learning_rate": 1e-4},
    "trainer": {"kind": "local", "steps": 2},
    "evaluation": {
        "holdout": 0.3,
        "where": {"labels": {"level": [2, 3]}},
        "limit": 8,
        "samples": 4,
        "k": [1],
        "every": 0,
    },
}
RUN = [sys.executable, "-m", "runners.cli", "run"]


def write_config(folder: Path, model: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump({"name": name, "out": str(folder), "model": str(model), **SETTINGS})
    )
    return path


def without_time(path: Path) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if not key.startswith("seconds")}
        for row in read_lines(path)
    ]


@pytest.mark.slow
def test_a_run_killed_after_sft_ends_as_one_that_was_not(
    tmp_path: Path, tiny_model: Path, run_and_kill: Callable[..., None]
) -> None:
    path = write_config(tmp_path, tiny_model, "whole")
    said = subprocess.run([*RUN, str(path)], check=True, capture_output=True, text=True).stdout
    whole = RunDir(tmp_path / "whole")
    check_whole(whole, said)
    killed = RunDir(tmp_path / "killed")
    path = write_config(tmp_path, tiny_model, "killed")
    run_and_kill(["runners.cli", "run", str(path)], tmp_path, killed.sft_model.is_dir)
    assert not killed.training.exists()
    made = killed.sft_model.stat().st_mtime_ns
    subprocess.run([*RUN, str(path)], check=True, capture_output=True)
    assert killed.sft_model.stat().st_mtime_ns == made
    for part in ("sft/metrics.jsonl", "training/metrics.jsonl", "evaluations.jsonl"):
        assert without_time(killed.root / part) == without_time(whole.root / part)
    for part in ("sft/examples.jsonl", "sft/data.json", "sft/pool.jsonl"):
        assert (killed.root / part).read_text() == (whole.root / part).read_text()
    assert weights_hash(killed.trained_model) == weights_hash(whole.trained_model)


def check_whole(folder: RunDir, said: str) -> None:
    """Parts that never meet, three models compared, all costs counted."""
    learnt = {row["uid"] for row in read_lines(folder.sft / "examples.jsonl")}
    drawn = {uid for row in read_lines(folder.training / "curriculum.jsonl") for uid in row["uids"]}
    evaluations = read_lines(folder.evaluations)
    evaluated = {row["uid"] for row in evaluations}
    assert all((learnt, drawn, evaluated))
    assert not learnt & drawn | learnt & evaluated | drawn & evaluated
    pool = {row["uid"]: row for row in read_lines(folder.pool)}
    after = {row["uid"]: row for row in read_lines(folder.sft_pool)}
    assert drawn <= after.keys()
    assert learnt <= pool.keys() - after.keys()
    assert any(pool[uid]["correct"] != after[uid]["correct"] for uid in after)
    assert [*dict.fromkeys(row["phase"] for row in evaluations)] == ["before", "sft", "after"]
    summary = read_json(folder.summary)
    assert {"sft", "rescoring", "scoring", "training"} < summary["flops"].keys()
    tokens = sum(row["tokens"] for row in read_lines(folder.sft / "metrics.jsonl"))
    parameters = summary["flops"]["rescoring"] / (2 * summary["tokens"]["rescore"])
    assert summary["flops"]["sft"] == 6 * parameters * tokens
    stages = summary["stages"]["all"]
    assert stages["after RL - base"][0] == pytest.approx(
        stages["after SFT - base"][0] + stages["after RL - after SFT"][0]
    )
    assert "never solved" in said
    assert "after RL" in said
    assert "Fine-tuning first" in (folder.root / "report.html").read_text()
