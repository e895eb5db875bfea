"""Real verl on the CPU: each algorithm trains through a curriculum; a killed run goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from difficulty.prompts import Prompter, PromptFormat
from runners.tracking.trackers import TrackingSettings
from runners.trainer import TrainingJob
from runners.verl.processes import MARK
from runners.verl.trainer import VerlTrainer

pytestmark = pytest.mark.slow

JobMaker = Callable[..., TrainingJob]
TrainerMaker = Callable[..., VerlTrainer]
RowReader = Callable[[Path], list[dict[str, Any]]]


def planned(job: TrainingJob, steps: int, size: int = 4) -> list[tuple[int, str, list[str]]]:
    """The batches of a curriculum that heeds no rewards."""
    curriculum = job.scheduler.build(job.pool, steps, job.seed)
    batches = [curriculum.next_batch(size) for _ in range(steps)]
    return [(batch.step, batch.stage, list(batch.uids)) for batch in batches if batch]


def trained_on(job: TrainingJob, rows: RowReader) -> list[tuple[int, str, list[str]]]:
    lines = rows(job.folder / "curriculum.jsonl")
    return [(line["step"], line["stage"], line["uids"]) for line in lines]


def largest_change(before: Path, after: Path) -> float:
    """The largest difference between any two weights of two models of the same shape."""
    import torch
    from transformers import AutoModelForCausalLM

    states = [
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
        for folder in (before, after)
    ]
    assert states[0].keys() == states[1].keys()
    return max(float((states[0][name] - states[1][name]).abs().max()) for name in states[0])


def test_grpo_trains_and_evaluates_through_the_curriculum(grpo_run: Any, rows: RowReader) -> None:
    job = grpo_run.job
    assert trained_on(job, rows) == planned(job, steps=10)
    for row in rows(job.folder / "metrics.jsonl"):
        assert 0 <= row["reward/math"] <= 1
        assert row["verdict/correct"] == row["reward/mean"]
        assert 1 <= row["response_length"] <= 4
        assert row["zero_variance"] < 1
        assert row["grad_norm"] > 0
    evaluations = rows(job.folder.parent / "evaluations.jsonl")
    assert [(row["phase"], row["step"], row["uid"], row["n"]) for row in evaluations] == [
        ("during", 9, problem.uid, 2) for problem in job.evaluation
    ]
    # ten AdamW steps at 2e-5 move a weight by at most about 2e-4, and some weight by nearly that
    assert 1e-4 < largest_change(job.model, grpo_run.model) < 3e-4
    assert list((job.folder / "wandb").glob("offline-run-*"))


def test_every_completion_is_recorded_and_trackers_are_told(grpo_run: Any, rows: RowReader) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job, metrics = grpo_run.job, rows(grpo_run.job.folder / "metrics.jsonl")
    recorded = rows(job.folder / "rollouts.jsonl")
    buckets = {item.uid: item.bucket for item in job.pool}
    for step, (row, drawn) in enumerate(zip(metrics, trained_on(job, rows), strict=True), start=1):
        own = [line for line in recorded if line["step"] == step]
        assert [line["uid"] for line in own] == [uid for uid in drawn[2] for _ in range(8)]
        assert [line["sample"] for line in own] == [*range(8)] * 4
        assert sum(line["reward"] for line in own) / 32 == pytest.approx(row["reward/mean"])
        assert all(line["bucket"] == buckets[line["uid"]] for line in own)
        for line in own:
            assert line["reward"] == (line["status"] == "correct")
            assert line["components"] == {"credit": line["reward"]}
            assert (line["text"].strip() == job.problems[line["uid"]].answer) <= line["reward"]
            assert line["trained"]
        # a group's advantages are around its mean
        group = own[:8]
        assert sum(line["advantage"] for line in group) == pytest.approx(0, abs=1e-4)
    found = EventAccumulator(str(job.folder / "tensorboard"))
    found.Reload()
    told = {name: found.Scalars(f"curricle/{name}") for name in ("reward/math", "component/credit")}
    for name, events in told.items():
        assert [event.value for event in events] == pytest.approx([row[name] for row in metrics])
    [evaluation] = found.Scalars("evaluation/pass@1/math")
    evaluated = rows(job.folder.parent / "evaluations.jsonl")
    rates = [row["correct"] / row["n"] for row in evaluated]
    assert (evaluation.step, evaluation.value) == (9, pytest.approx(sum(rates) / len(rates)))


def test_ppo_trains_a_critic_on_what_vllm_rolls_out_with_the_weights_of_the_step(
    make_job: JobMaker, make_trainer: TrainerMaker, rows: RowReader
) -> None:
    job = make_job()
    model = make_trainer(algorithm="ppo", kl_coefficient=0.1, rollout="vllm").train(job)
    assert trained_on(job, rows) == planned(job, steps=2)
    metrics = rows(job.folder / "metrics.jsonl")
    assert [row["value_loss"] > 0 for row in metrics] == [True, True]
    assert 1e-3 < largest_change(job.model, model) < 4e-3
    # verl compares vLLM's probability of every token with the trainer's own
    differences = [
        float(line.split("training/rollout_probs_diff_max:")[1].split(" ")[0])
        for line in (job.folder / "verl.log").read_text().splitlines()
        if "training/rollout_probs_diff_max:" in line
    ]
    assert len(differences) == 2
    assert max(differences) < 1e-4


def test_reinforce_plus_plus_trains_an_adapter_until_the_curriculum_is_over(
    make_job: JobMaker, make_trainer: TrainerMaker, rows: RowReader
) -> None:
    job = make_job(prompter=Prompter(PromptFormat(style="plain"), {}))
    trainer = make_trainer(
        algorithm="reinforce_plus_plus",
        lora_rank=4,
        learning_rate=1e-2,
        checkpoint_every=3,
        overrides={"trainer.total_training_steps": 3},
    )
    model = trainer.train(job)
    assert trained_on(job, rows) == planned(job, steps=2)
    assert any(row["grad_norm"] > 0 for row in rows(job.folder / "metrics.jsonl"))
    assert largest_change(job.model, model) > 1e-4
    assert not list(model.glob("adapter*"))


DRIVER = """
import pickle, sys
from pathlib import Path
trainer, job = pickle.loads(Path(sys.argv[1]).read_bytes())
trainer.train(job)
"""


def descendants_or_marked(process: psutil.Process) -> list[psutil.Process]:
    """Every process of a run: the family of its driver, and what left the family (Ray)."""
    family = process.children(recursive=True)
    marks = {p.environ().get(MARK) for p in family} - {None}
    found = {p.pid: p for p in family}
    for other in psutil.process_iter():
        try:
            if other.environ().get(MARK) in marks:
                found[other.pid] = other
        except psutil.Error:
            continue
    return list(found.values())


def test_a_killed_run_leaves_nothing_behind_and_ends_as_one_that_was_not_killed(
    grpo_run: Any, rows: RowReader, tmp_path: Path
) -> None:
    import cloudpickle

    trainer = grpo_run.trainer.model_copy(update={"checkpoint_every": 2})
    folder = tmp_path / "run" / "training"
    job = replace(grpo_run.job, folder=folder, tracking=TrackingSettings())
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(cloudpickle.dumps((trainer, job)))
    driver = psutil.Popen(
        [sys.executable, "-c", DRIVER, str(pickled)], env=os.environ, stdout=subprocess.DEVNULL
    )
    metrics = job.folder / "metrics.jsonl"
    deadline = time.monotonic() + 600
    while not (metrics.exists() and len(metrics.read_text().splitlines()) >= 3):
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    processes = descendants_or_marked(driver)
    assert any("raylet" in " ".join(p.cmdline()) for p in processes)
    driver.kill()
    driver.wait()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive

    trainer.train(job)
    assert "global_step_2" in (job.folder / "verl.log").read_text()
    whole = grpo_run.job.folder
    assert rows(job.folder / "curriculum.jsonl") == rows(whole / "curriculum.jsonl")
    for row, expected in zip(rows(metrics), rows(whole / "metrics.jsonl"), strict=True):
        exact = ("step", "reward/mean", "response_length", "zero_variance")
        assert [row[name] for name in exact] == [expected[name] for name in exact]
        assert row["loss"] == pytest.approx(expected["loss"], abs=1e-5)
        assert row["grad_norm"] == pytest.approx(expected["grad_norm"], rel=1e-3)


@pytest.mark.soak
def test_a_vllm_that_hangs_while_it_rolls_out_is_ended(
    make_job: JobMaker, make_trainer: TrainerMaker, tmp_path: Path
) -> None:
    import cloudpickle

    # long enough for the first step, which begins with the start of Ray and vLLM
    job, trainer = make_job(), make_trainer(rollout="vllm", steps=1000, stall_seconds=240)
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(cloudpickle.dumps((trainer, job)))
    with psutil.Popen(
        [sys.executable, "-c", DRIVER, str(pickled)], stderr=subprocess.PIPE, text=True
    ) as driver:
        metrics = job.folder / "metrics.jsonl"
        while not (metrics.exists() and metrics.read_text()):
            assert driver.poll() is None
            time.sleep(0.1)
        processes = descendants_or_marked(driver)
        [engine] = [p for p in processes if "EngineCore" in " ".join(p.cmdline())]
        engine.suspend()
        said = driver.communicate(timeout=600)[1]
    assert "no step finished within trainer.stall_seconds=240; the run was ended" in said
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


def test_a_failing_run_says_why(make_job: JobMaker, make_trainer: TrainerMaker) -> None:
    trainer = make_trainer(overrides={"actor_rollout_ref.actor.loss_agg_mode": "nonsense"})
    with pytest.raises(RuntimeError, match=r"code 1;[\s\S]*loss_agg_mode: nonsense"):
        trainer.train(make_job())


def test_a_run_without_progress_is_ended(make_job: JobMaker, make_trainer: TrainerMaker) -> None:
    with pytest.raises(RuntimeError, match=r"within trainer\.stall_seconds=3; the run was ended"):
        make_trainer(stall_seconds=3).train(make_job())
