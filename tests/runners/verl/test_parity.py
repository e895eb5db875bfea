"""verl and the local trainer are one mathematics: the same batch, the same update."""

import os
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from difficulty.engine import Sampling
from difficulty.transformers_engine import Rollout
from runners.local import LocalTrainer
from runners.trainer import TrainingJob
from runners.verl import VerlTrainer

pytestmark = pytest.mark.slow

# loaded in verl's processes beside our own plug-in: keeps what the step was computed from
TAP = """
import torch, transfer_queue
from runners.verl.curriculum_trainer import CurriculumTrainer

FIELDS = ["prompts", "responses", "rm_scores", "old_log_probs", "advantages"]
own_step = CurriculumTrainer.step

def step(self, metrics, timing_raw):
    batch = own_step(self, metrics, timing_raw)
    data = transfer_queue.kv_batch_get(
        keys=batch.keys, partition_id=batch.partition_id, select_fields=FIELDS
    )
    columns = {name: [row.clone() for row in data[name]] for name in FIELDS}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    tapped = dict(zip(batch.keys, rows))
    torch.save(tapped, self.job.training_folder / "tapped.pt")
    return batch

CurriculumTrainer.step = step
"""


def tapped_groups(folder: Path) -> list[list[dict[str, Any]]]:
    """Rows of the tapped step, the samples of a prompt together and in order."""
    import torch

    rows = torch.load(folder / "tapped.pt", weights_only=True)
    ordered = sorted(rows, key=lambda key: (key.split("_")[0], int(key.split("_")[1])))
    return [
        [rows[key] for key in keys]
        for _, keys in groupby(ordered, key=lambda key: key.split("_")[0])
    ]


def test_one_step_of_verl_is_one_step_of_the_local_trainer(
    make_job: Callable[..., TrainingJob],
    make_trainer: Callable[..., VerlTrainer],
    rows: Callable[[Path], list[dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from runners.local.learner import Learner
    from runners.local.policy import Rows, load_policy, log_probabilities

    (tmp_path / "tap_of_the_parity_test.py").write_text(TAP)
    # hot, so that lengths differ and a token mean is not a mean of sequences
    job = make_job(sampling=Sampling(temperature=2.0, max_tokens=4))
    trainer = make_trainer(steps=1, samples_per_prompt=8)
    with monkeypatch.context() as during:
        during.setenv("VERL_USE_EXTERNAL_MODULES", "tap_of_the_parity_test")
        during.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        folder = trainer.train(job)
    trained = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    (metrics,) = rows(job.folder / "metrics.jsonl")

    tapped = tapped_groups(job.folder)
    flat = [row for group in tapped for row in group]
    groups = [
        [
            Rollout(
                tuple(row["prompts"].tolist()), tuple(row["responses"].tolist()), "", "stop", 0.0
            )
            for row in group
        ]
        for group in tapped
    ]
    assert len({len(row["responses"]) for row in flat}) > 1
    model, _ = load_policy(job.model, "cpu", "float32", None, 0, job.seed)
    local = LocalTrainer.model_validate(
        trainer.model_dump(include=set(LocalTrainer.model_fields) - {"kind", "device"})
    )
    learner = Learner(local, model, job.model, job.seed)

    batch = Rows.of(groups, model.device)
    with torch.no_grad():
        ours = log_probabilities(model, batch, job.sampling.temperature)
    theirs = torch.nn.utils.rnn.pad_sequence([r["old_log_probs"] for r in flat], batch_first=True)
    torch.testing.assert_close(ours * batch.mask, theirs * batch.mask, atol=1e-5, rtol=0)

    rewards = torch.stack([row["rm_scores"].sum() for row in flat])
    update = learner.update(groups, rewards, job.sampling.temperature)
    advantages = torch.stack([row["advantages"].mean() for row in flat])
    torch.testing.assert_close(update.advantages, advantages, atol=1e-6, rtol=0)
    assert abs(metrics["loss"]) > 1e-3
    assert update.loss == pytest.approx(metrics["loss"], abs=1e-5)
    assert update.grad_norm == pytest.approx(metrics["grad_norm"], rel=1e-4)
    after = model.state_dict()
    moved = {name: weight - after[name] for name, weight in trained.state_dict().items()}
    # AdamW's first step is the sign of the gradient, and a sign near zero may differ
    apart = sum(int((difference.abs() > 1e-5).sum()) for difference in moved.values())
    assert apart < 1e-3 * sum(difference.numel() for difference in moved.values())
