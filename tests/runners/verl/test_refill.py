"""Real verl: what a curriculum refills is rolled out within the step, what it drops is left out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curricula.dynamic_sampling import DynamicSampling
from curricula.pods import PODS
from curricula.staged import Staged
from runners.trainer import TrainingJob
from runners.verl.trainer import VerlTrainer

pytestmark = pytest.mark.soak

JobMaker = Callable[..., TrainingJob]
TrainerMaker = Callable[..., VerlTrainer]
RowReader = Callable[[Path], list[dict[str, Any]]]


def test_zero_variance_groups_are_refilled_within_the_step_and_dropped(
    make_job: JobMaker, make_trainer: TrainerMaker, rows: RowReader
) -> None:
    job = make_job(scheduler=DynamicSampling(rounds=4, margin=1.0, wraps=Staged()))
    # two rollouts of a prompt agree more often than not, so most steps need a refill; two ranks
    # that update twice a step, so that what was chosen has to be filled up and split
    trainer = make_trainer(
        samples_per_prompt=2,
        steps=3,
        checkpoint_every=3,
        gpus_per_node=2,
        kl_coefficient=0.05,
        kl_in="reward",
        overrides={"actor_rollout_ref.actor.ppo_mini_batch_size": 2},
    )
    trainer.train(job)
    metrics, drawn = rows(job.folder / "metrics.jsonl"), rows(job.folder / "curriculum.jsonl")
    assert len(metrics) == 3
    assert any(len(line["uids"]) > 4 for line in drawn)
    for row, line in zip(metrics, drawn, strict=True):
        groups = len(line["uids"])
        assert row["rollouts"] == 2 * groups
        varied = sum(0 < reward < 1 for reward in line["rewards"])
        assert row["effective_batch"] == varied
        assert row["curriculum/dropped"] == pytest.approx(1 - varied / groups)
        assert row["trained_rollouts"] == 2 * (min(4, varied) or groups)
        assert row["curriculum/refills"] == (0 if groups == 4 else pytest.approx(1, abs=3))
        assert row["grad_norm"] > 0 or not varied
        # there is nothing to be far from before the first update
        assert (row["kl"] > 1e-6) == (row["step"] > 1)


def test_chosen_rollouts_alone_are_trained_on_with_a_critic_too(
    make_job: JobMaker, make_trainer: TrainerMaker, rows: RowReader
) -> None:
    job = make_job(scheduler=PODS(keep=3))
    make_trainer(algorithm="ppo", samples_per_prompt=6).train(job)
    metrics = rows(job.folder / "metrics.jsonl")
    assert [(row["rollouts"], row["trained_rollouts"]) for row in metrics] == [(24, 12), (24, 12)]
    assert all(row["value_loss"] > 0 and row["grad_norm"] > 0 for row in metrics)
