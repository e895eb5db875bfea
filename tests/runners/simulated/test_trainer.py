"""The simulated trainer by itself: what it writes, and what it makes of what it does not know."""

import json
from pathlib import Path
from typing import Any

import pytest

from curricula import Item, Mixed
from curricula.learner import LearnerSettings
from difficulty.engines.base import Sampling
from difficulty.prompts import Prompter, PromptFormat
from domains.problem import Problem
from domains.sources.tiny_families import TinyFamilies
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow
from runners.files import read_lines
from runners.trainer import TrainingJob
from runners.trainers import SimulatedTrainer


def row(problem: Problem, correct: int, errors: int = 0) -> EvaluationRow:
    """Of eight completions before training."""
    return EvaluationRow(
        "before", 0, problem.uid, problem.domain, "tiny", None, 8 - errors, correct,
        8 - errors - correct, 0, 0, errors,
    )  # fmt: skip


def make_job(folder: Path, rate: float | None = 0.5, **changes: Any) -> TrainingJob:
    """Sums solved at a rate; the last of six held-out ones could not be judged."""
    problems = TinyFamilies(families=("math",), levels=(3,), size=30).load()
    pool, tested = problems[6:], problems[:6]
    before = [row(problem, 4) for problem in tested[:-1]] + [row(tested[-1], 0, errors=8)]
    folder.mkdir()
    EvaluationLog(folder / "evaluations.jsonl").write(before)
    words: dict[str, Any] = {
        "model": folder,
        "folder": folder / "training",
        "problems": {p.uid: p for p in pool},
        "pool": tuple(Item(p.uid, p.domain, p.source, None, rate) for p in pool),
        "scheduler": Mixed(),
        "prompter": Prompter(PromptFormat(), {}),
        "sampling": Sampling(),
        "seed": 0,
        "evaluation": tuple(tested),
        "evaluation_samples": 16,
        "evaluate_every": 10,
        "evaluate": lambda engine, step: [],
    }
    return TrainingJob(**{**words, **changes})


def make_trainer(**learner: float) -> SimulatedTrainer:
    settings = LearnerSettings.model_validate({"wander": 0.0, **learner})
    return SimulatedTrainer(steps=30, learner=settings)


def test_it_learns_and_writes_every_line(tmp_path: Path) -> None:
    job = make_job(tmp_path / "x")
    trained = make_trainer().train(job)
    metrics = read_lines(job.folder / "metrics.jsonl")
    assert [line["step"] for line in metrics] == [*range(1, 31)]
    assert all(line["rollouts"] == 16 * 8 for line in metrics)
    assert all(line["trained_tokens"] == 16 * 8 * 512 for line in metrics)
    assert metrics[-1]["reward/math"] > metrics[0]["reward/math"] + 0.15
    assert json.loads((trained / "learner.json").read_text())["kind"] == "simulated"
    rows = EvaluationLog(tmp_path / "x" / "evaluations.jsonl").rows()
    assert {(r.phase, r.step) for r in rows} == {
        ("before", 0), ("during", 10), ("during", 20), ("after", 30),
    }  # fmt: skip
    after = [r for r in rows if r.phase == "after"]
    assert [r.n for r in after] == [16] * 5 + [0]  # of every problem, with nothing made up
    assert sum(r.correct for r in after) / (16 * 5) > 0.65


def test_one_seed_is_one_training_and_an_interrupted_one_is_the_same(tmp_path: Path) -> None:
    first, second = (make_job(tmp_path / name) for name in "ab")
    make_trainer().train(first)
    second.folder.mkdir()
    (second.folder / "metrics.jsonl").write_text('{"step": 1}\n{"st')  # killed while writing
    make_trainer().train(second)
    for name in ("metrics.jsonl", "curriculum.jsonl"):
        assert (first.folder / name).read_text() == (second.folder / name).read_text()
    other = make_job(tmp_path / "c", seed=1)
    make_trainer().train(other)
    assert read_lines(other.folder / "metrics.jsonl") != read_lines(first.folder / "metrics.jsonl")


def test_nothing_is_learnt_from_rewards_that_are_noise(tmp_path: Path) -> None:
    job = make_job(tmp_path / "x")
    make_trainer(false_positives=0.5, false_negatives=0.5).train(job)
    after = [r for r in EvaluationLog(tmp_path / "x" / "evaluations.jsonl").rows() if r.step == 30]
    assert abs(sum(r.correct for r in after) / (16 * 5) - 0.5) < 0.2


def test_a_pool_that_nobody_scored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="curricle score"):
        make_trainer().train(make_job(tmp_path / "x", rate=None))
