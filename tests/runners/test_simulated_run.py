"""A simulated run, whole: its page, its plan, and a learner fitted to its log."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from domains.sources.tiny_families import TinyFamilies
from runners.config import RunConfig, validate
from runners.files import read_lines
from runners.planning.plan import plan_simulated
from runners.run import run
from runners.run_dir import RunDir
from runners.simulated.learner_fit import fit
from runners.trainers import SimulatedTrainer

pytestmark = pytest.mark.slow

FAMILIES = ("math", "stem")
TRUE = {"rate": 0.5, "transfer": {"math": {"stem": 0.8}}, "forgetting": 0.0, "wander": 0.0}
"""A learner unlike the default one."""


def make_config(folder: Path, **changes: Any) -> RunConfig:
    """Every problem is answered rightly half the time, by a script: no model is needed."""
    problems = TinyFamilies(families=FAMILIES, size=25).load()
    script = {problem.prompt: [f":{problem.answer}", ":no"] for problem in problems}
    engine = {"kind": "scripted", "script": script}
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "config.json").write_text("{}")
    save_file({"weights": np.zeros(10, np.float32)}, folder / "model" / "model.safetensors")
    settings = {
        "name": "x",
        "out": str(folder),
        "model": str(folder / "model"),
        "problems": [{"kind": "tiny", "families": FAMILIES, "size": 25}],
        "difficulty": {"engine": engine, "samples": 8},
        "curriculum": {"kind": "mixed", "where": {"domain": ["math"]}},
        "trainer": {"kind": "simulated", "steps": 30, "learner": TRUE},
        "evaluation": {"engine": engine, "holdout": 0.4, "every": 5},
    }
    return validate({**settings, **changes}, "c")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("simulated")
    run(make_config(folder))
    return RunDir(folder / "x")


def test_it_writes_what_every_trainer_writes(finished: RunDir) -> None:
    metrics = read_lines(finished.training / "metrics.jsonl")
    drawn = read_lines(finished.training / "curriculum.jsonl")
    assert [row["step"] for row in metrics] == [row["step"] for row in drawn] == [*range(1, 31)]
    assert all(len(row["uids"]) == len(row["rewards"]) == 16 for row in drawn)
    flat = [sum(reward in (0, 1) for reward in row["rewards"]) for row in drawn]
    assert [row["effective_batch"] for row in metrics] == [16 - count for count in flat]
    moments = {(row["phase"], row["step"]) for row in read_lines(finished.evaluations)}
    during = {("during", step) for step in (5, 10, 15, 20, 25)}
    assert moments == {("before", 0), ("after", 30)} | during
    abilities = json.loads((finished.trained_model / "learner.json").read_text())["abilities"]
    assert set(abilities) == set(FAMILIES)


def test_its_page_says_that_it_is_simulated(finished: RunDir) -> None:
    page = (finished.root / "report.html").read_text()
    assert "Simulated run" in page
    assert "Regret so far" in page


def test_a_finished_training_is_not_done_again(finished: RunDir) -> None:
    before = (finished.training / "metrics.jsonl").stat().st_mtime_ns
    run(make_config(finished.root.parent))
    assert (finished.training / "metrics.jsonl").stat().st_mtime_ns == before


def test_a_fit_finds_the_learner_again(finished: RunDir) -> None:
    found = fit(finished.root)
    assert 0.3 < found.rate < 0.8  # the default is .2
    assert found.transfer["math"]["stem"] == pytest.approx(0.8, abs=0.25)
    assert found.tokens == 512


def test_a_run_is_simulated_like_another(finished: RunDir) -> None:
    trainer = SimulatedTrainer(like=finished.root)
    assert trainer.fitted() == fit(finished.root)
    assert SimulatedTrainer().fitted() == SimulatedTrainer().learner


def test_a_plan_is_simulated_from_the_scores(finished: RunDir) -> None:
    picture = plan_simulated(make_config(finished.root.parent), seeds=2)
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = read_lines(finished.root / "plan-simulated.jsonl")
    assert len(rows) == 30
    assert set(rows[0]["levels"]) == set(FAMILIES)
    assert rows[-1]["levels"]["math"][0] > rows[0]["levels"]["math"][0] + 0.1
    assert rows[-1]["domains"] == {"math": 1.0}
    mean, low, high = rows[-1]["levels"]["stem"]
    assert low <= mean <= high


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="curricle score"):
        plan_simulated(make_config(tmp_path), seeds=1)
    with pytest.raises(ValueError, match="config"):
        fit(tmp_path)
