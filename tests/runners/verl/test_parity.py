"""verl and the local trainer are one mathematics: the same batches, the same updates."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from difficulty.engines.transformers import Rollout
from runners.local import LocalTrainer

pytestmark = pytest.mark.slow

Group = list[dict[str, Any]]


def tapped_groups(path: Path) -> list[Group]:
    """What verl computed a step from: one group a prompt, its samples in order."""
    import torch

    rows = torch.load(path, weights_only=True)
    ordered = sorted(rows, key=lambda key: (key.split("_")[0], int(key.split("_")[1])))
    return [
        [rows[key] for key in keys]
        for _, keys in groupby(ordered, key=lambda key: key.split("_")[0])
    ]


def as_rollouts(groups: list[Group]) -> list[list[Rollout]]:
    return [
        [
            Rollout(
                tuple(row["prompts"].tolist()), tuple(row["responses"].tolist()), "", "stop", 0.0
            )
            for row in group
        ]
        for group in groups
    ]


@pytest.mark.parametrize("name", ["grpo_run", "two_ranks_run"])
def test_steps_of_verl_are_steps_of_the_local_trainer(
    name: str,
    request: pytest.FixtureRequest,
    rows: Callable[[Path], list[dict[str, Any]]],
) -> None:
    import torch

    from runners.local.learner import Learner
    from runners.local.policy import Rows, load_policy, log_probabilities

    run = request.getfixturevalue(name)
    trainer, job = run.trainer, run.job
    own = set(LocalTrainer.model_fields) - {"kind", "device"}
    settings = LocalTrainer.model_validate(trainer.model_dump(include=own))
    model, _ = load_policy(job.model, "cpu", "float32", None, 0, job.seed)
    learner = Learner(settings, model, job.model, job.seed)
    for metrics in rows(job.folder / "metrics.jsonl"):
        groups = tapped_groups(job.folder / f"tapped-{metrics['step']}.pt")
        flat = [row for group in groups for row in group]
        assert len({len(row["responses"]) for row in flat}) > 1
        batch = Rows.of(as_rollouts(groups), model.device)
        with torch.no_grad():
            ours = log_probabilities(model, batch, job.sampling.temperature) * batch.mask
        theirs = torch.nn.utils.rnn.pad_sequence([r["old_log_probs"] for r in flat], True)
        torch.testing.assert_close(ours, theirs * batch.mask, atol=1e-5, rtol=0)

        learner.config.global_batch_info.update(
            global_batch_size=len(flat), loss_scale_factor=job.sampling.max_tokens
        )
        rewards = torch.stack([row["rm_scores"].sum() for row in flat])
        update = learner.update(as_rollouts(groups), rewards, job.sampling.temperature)
        advantages = torch.stack([row["advantages"].mean() for row in flat])
        torch.testing.assert_close(update.advantages, advantages, atol=1e-6, rtol=0)
        assert update.loss == pytest.approx(metrics["loss"], abs=1e-5)
        assert metrics["grad_norm"] > 1e-3
        assert update.grad_norm == pytest.approx(metrics["grad_norm"], rel=1e-4)
        trained = torch.load(run.folder / f"weights-{metrics['step']}.pt", weights_only=True)
        own_weights = {key: model.state_dict()[key] for key in trained}
        torch.testing.assert_close(trained, own_weights, atol=1e-5, rtol=0)
    start = torch.load(run.folder / "weights-0.pt", weights_only=True)
    moved = max(float((trained[key] - start[key]).abs().max()) for key in start)
    # the tolerance is a small part of the way: AdamW goes about a learning rate a step
    assert moved > 0.5 * trainer.steps * trainer.learning_rate
