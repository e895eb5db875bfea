"""Too long for every day: many kills at random moments, and a storm of hostile completions.

make soak
"""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from difficulty.engines.model_files import weights_hash
from runners.files import read_lines

pytestmark = pytest.mark.soak

KILLS = 10
ROOT = Path(__file__).parents[1]


def make_config(folder: Path, model: Path, name: str) -> Path:
    settings: dict[str, Any] = {
        "name": name,
        "out": str(folder),
        "model": str(model),
        "problems": [{"kind": "tiny", "size": 60}],
        "decoding": {"max_tokens": 24},
        "difficulty": {"engine": {"kind": "transformers"}, "samples": 8},
        "curriculum": {"kind": "staged", "where": {"domain": ["math"]}, "replay": 0.25},
        "trainer": {"kind": "local", "steps": 60, "checkpoint_every": 5},
        "evaluation": {"holdout": 0.3, "limit": 20, "samples": 4, "k": [1], "every": 10},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_a_run_killed_at_random_moments_ends_as_one_that_was_not(
    tmp_path: Path, tiny_model: Path
) -> None:
    # All in processes of their own: with other numbers of threads sums round differently.
    command = [sys.executable, "-m", "runners.cli", "run"]
    whole = make_config(tmp_path, tiny_model, "whole")
    subprocess.run([*command, str(whole)], check=True)
    path = make_config(tmp_path, tiny_model, "killed")
    moments = random.Random(0)
    for _ in range(KILLS):
        process = subprocess.Popen([*command, str(path)])
        time.sleep(moments.uniform(5, 40))
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert not psutil.wait_procs(family, timeout=10)[1]
    subprocess.run([*command, str(path)], check=True)
    for name in ("pool.jsonl", "evaluations.jsonl", "training/curriculum.jsonl"):
        assert read_lines(tmp_path / "killed" / name) == read_lines(tmp_path / "whole" / name)
    assert weights_hash(tmp_path / "killed/training/model") == weights_hash(
        tmp_path / "whole/training/model"
    )


def test_nothing_a_model_may_say_breaks_a_checker_or_the_sandbox() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/fuzz.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1:]
