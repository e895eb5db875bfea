"""The local trainer's whole loop, for every algorithm."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from curricula import Mixed
from curricula.base import Item
from curricula.dynamic_sampling import DynamicSampling
from curricula.pods import PODS
from difficulty.engines.base import Sampling
from difficulty.engines.model_files import weights_hash
from difficulty.prompts import Prompter, PromptFormat
from domains.sources.tiny_families import TinyFamilies
from runners.files import read_lines
from runners.local import LocalTrainer
from runners.tracking.trackers import TrackingSettings
from runners.trainer import TrainingJob

pytestmark = pytest.mark.slow


def make_job(folder: Path, model: Path, **changes: Any) -> TrainingJob:
    problems = TinyFamilies(families=("math",), levels=(2, 3), size=40).load()
    words: dict[str, Any] = {
        "model": model,
        "folder": folder,
        "problems": {p.uid: p for p in problems},
        "pool": tuple(Item(p.uid, p.domain, p.source) for p in problems),
        "scheduler": Mixed(),
        "prompter": Prompter(PromptFormat(), {}),
        "sampling": Sampling(max_tokens=24),
        "seed": 0,
        "evaluation": (),
        "evaluation_samples": 4,
        "evaluate_every": 0,
        "evaluate": lambda engine, step: [],
    }
    return TrainingJob(**{**words, **changes})


@pytest.mark.parametrize("algorithm", ["grpo", "ppo", "reinforce_plus_plus"])
def test_every_algorithm_trains_and_writes_its_lines(
    tmp_path: Path, tiny_model: Path, algorithm: Any
) -> None:
    trainer = LocalTrainer(algorithm=algorithm, steps=3, kl_coefficient=0.01, checkpoint_every=2)
    trained = trainer.train(make_job(tmp_path / "t", tiny_model))
    metrics = read_lines(tmp_path / "t" / "metrics.jsonl")
    assert [row["step"] for row in metrics] == [1, 2, 3]
    assert all(row["grad_norm"] > 0 for row in metrics)
    assert metrics[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert metrics[-1]["kl"] > 1e-6
    assert ("value_loss" in metrics[0]) == (algorithm == "ppo")
    drawn = read_lines(tmp_path / "t" / "curriculum.jsonl")
    assert all(len(row["uids"]) == trainer.prompts_per_step for row in drawn)
    assert weights_hash(trained) != weights_hash(tiny_model)
    assert json.loads((trained / "config.json").read_text())["model_type"] == "llama"


def test_grpo_lifts_the_skill_that_the_warm_start_planted(tmp_path: Path, tiny_model: Path) -> None:
    LocalTrainer(steps=40).train(make_job(tmp_path / "t", tiny_model))
    rewards = [row["reward/mean"] for row in read_lines(tmp_path / "t" / "metrics.jsonl")]
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.15


def test_lora_trains_adapters_and_saves_a_whole_model(tmp_path: Path, tiny_model: Path) -> None:
    trainer = LocalTrainer(steps=2, lora_rank=4, learning_rate=1e-3)
    trained = trainer.train(make_job(tmp_path / "t", tiny_model))
    assert (trained / "model.safetensors").is_file()
    assert weights_hash(trained) != weights_hash(tiny_model)


def test_a_prompt_that_stands_twice_in_a_batch_gets_further_samples(
    tmp_path: Path, tiny_model: Path
) -> None:
    job = make_job(tmp_path / "t", tiny_model)
    one = job.pool[:1]
    trainer = LocalTrainer(steps=1, prompts_per_step=4, samples_per_prompt=8)
    trainer.train(
        make_job(
            tmp_path / "t", tiny_model, pool=one, problems={one[0].uid: job.problems[one[0].uid]}
        )
    )
    [row] = read_lines(tmp_path / "t" / "metrics.jsonl")
    assert row["reward/mean"] * 32 == int(row["reward/mean"] * 32)


def test_evaluation_happens_between_the_ends_and_sees_the_trained_weights(
    tmp_path: Path, tiny_model: Path
) -> None:
    seen: list[tuple[int, str]] = []
    job = make_job(
        tmp_path / "t",
        tiny_model,
        evaluate_every=2,
        evaluate=lambda engine, step: seen.append((step, engine.identity()["weights"])) or [],
    )
    LocalTrainer(steps=6).train(job)
    assert [step for step, _ in seen] == [2, 4]
    assert seen[0][1] != seen[1][1]


def test_greedy_rollouts_are_refused(tmp_path: Path, tiny_model: Path) -> None:
    job = make_job(tmp_path / "t", tiny_model, sampling=Sampling(temperature=0))
    with pytest.raises(ValueError, match=r"temperature must be above 0 to train"):
        LocalTrainer(steps=1).train(job)


def test_weights_and_biases_gets_the_same_figures_offline(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    job = make_job(
        tmp_path / "run" / "training",
        tiny_model,
        tracking=TrackingSettings(wandb="curricle-test", tensorboard=True),
    )
    LocalTrainer(steps=2).train(job)
    [recorded] = (tmp_path / "run" / "training" / "wandb").glob("offline-run-*/*.wandb")
    # W&B's own process writes the file, and on a busy machine it may take its time.
    deadline = time.monotonic() + 30
    while b"reward/mean" not in recorded.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_curriculum_may_refill_a_step_and_choose_what_is_trained_on(
    tmp_path: Path, tiny_model: Path
) -> None:
    scheduler = PODS(keep=2, wraps=DynamicSampling(rounds=2))
    trainer = LocalTrainer(steps=2, prompts_per_step=8, samples_per_prompt=4)
    trainer.train(make_job(tmp_path / "t", tiny_model, scheduler=scheduler))
    metrics = read_lines(tmp_path / "t" / "metrics.jsonl")
    drawn = read_lines(tmp_path / "t" / "curriculum.jsonl")
    assert any(row["curriculum/refills"] > 0 for row in metrics)
    for row, batch in zip(metrics, drawn, strict=True):
        assert row["rollouts"] == 4 * len(batch["uids"])
        assert 0 < row["trained_tokens"] <= 8 * 2 * 24  # eight groups of two of 24 tokens at most
        assert row["grad_norm"] > 0
