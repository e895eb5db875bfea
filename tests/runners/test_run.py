"""The main path on the tiny model with the local trainer: whole, again, and after a kill."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from difficulty.engines.model_files import weights_hash
from runners.config import RunConfig, load_config
from runners.files import read_json, read_lines
from runners.run import run
from runners.run_dir import RunDir

pytestmark = pytest.mark.slow


def make_config(folder: Path, model: Path, name: str = "x", **trainer: Any) -> RunConfig:
    settings: dict[str, Any] = {
        "name": name,
        "out": str(folder),
        "model": str(model),
        "problems": [{"kind": "tiny", "families": ["math", "logic"], "size": 30}],
        "decoding": {"max_tokens": 24},
        "difficulty": {"engine": {"kind": "transformers"}, "samples": 4},
        "curriculum": {"kind": "staged", "where": {"domain": ["math"]}},
        "trainer": {"kind": "local", "steps": 6, "checkpoint_every": 2, **trainer},
        "evaluation": {
            "holdout": 0.3,
            "where": {"labels": {"level": [2, 3, 4, 5]}},
            "limit": 16,
            "samples": 4,
            "k": [1, 4],
            "every": 3,
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings))
    return load_config(path)


def lines_without_time(path: Path) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if not key.startswith("seconds")}
        for row in read_lines(path)
    ]


def test_the_whole_job_writes_every_part_and_is_not_done_twice(
    tmp_path: Path, tiny_model: Path
) -> None:
    config = make_config(tmp_path, tiny_model)
    page = run(config)
    folder = RunDir(tmp_path / "x")
    evaluations = read_lines(folder.evaluations)
    assert [(p, s) for p, s in dict.fromkeys((r["phase"], r["step"]) for r in evaluations)] == [
        ("before", 0),
        ("during", 3),
        ("after", 6),
    ]
    trained_on = {
        uid for row in read_lines(folder.training / "curriculum.jsonl") for uid in row["uids"]
    }
    assert not trained_on & {row["uid"] for row in evaluations}
    assert trained_on <= {row["uid"] for row in read_lines(folder.pool) if row["domain"] == "math"}
    summary = read_json(folder.summary)
    assert summary["engine"]["engine"] == "transformers"
    assert summary["flops"]["total"] > summary["flops"]["training"] > 0
    assert (folder.buckets / "manifest.json").is_file()
    text = page.read_text()
    assert "math" in text
    assert "pass@1" in text
    start = time.perf_counter()
    run(config)
    assert time.perf_counter() - start < 20
    assert read_lines(folder.evaluations) == evaluations


def test_a_killed_run_ends_as_one_that_was_not(
    tmp_path: Path, tiny_model: Path, run_and_kill: Callable[..., None]
) -> None:
    # All in processes of their own: with other numbers of threads sums round differently.
    make_config(tmp_path, tiny_model, "whole")
    command = [sys.executable, "-m", "runners.cli", "run"]
    subprocess.run([*command, str(tmp_path / "whole.yaml")], check=True, capture_output=True)
    make_config(tmp_path, tiny_model, "killed")
    metrics = tmp_path / "killed" / "training" / "metrics.jsonl"
    run_and_kill(
        ["runners.cli", "run", str(tmp_path / "killed.yaml")],
        tmp_path,
        lambda: len(read_lines(metrics)) >= 3,  # behind the checkpoint at step 2
    )
    subprocess.run([*command, str(tmp_path / "killed.yaml")], check=True, capture_output=True)
    for name in ("training/metrics.jsonl", "training/curriculum.jsonl", "evaluations.jsonl"):
        assert lines_without_time(tmp_path / "killed" / name) == lines_without_time(
            tmp_path / "whole" / name
        )
    assert weights_hash(tmp_path / "killed/training/model") == weights_hash(
        tmp_path / "whole/training/model"
    )


def test_an_impossible_curriculum_is_refused_before_training(
    tmp_path: Path, tiny_model: Path
) -> None:
    config = make_config(tmp_path, tiny_model)
    wrong = config.model_copy(
        update={
            "curriculum": config.curriculum.model_copy(
                update={"where": config.curriculum.where.model_copy(update={"bucket": ("eazy",)})}
            )
        }
    )
    with pytest.raises(ValueError, match="did you mean"):
        run(wrong)
    assert not (tmp_path / "x" / "training").exists()
