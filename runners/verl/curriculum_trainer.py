"""The trainer `curricle` inside verl: PPOTrainerSync whose prompts come from a curriculum.

verl asks its data loader for a batch when a step begins, and our sampler asks the curriculum at
that very moment; what the curriculum refills goes through verl's own rollouts within the step
(`step_buffer.py`), and the step's outcomes are given to it before the next batch is drawn. Its
state rides in verl's checkpoint as the sampler's state (`data.pt`).
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import ray
from omegaconf import OmegaConf, open_dict
from torch.utils.data import Sampler
from torchdata.stateful_dataloader import StatefulDataLoader
from verl.trainer.ppo.utils import Role
from verl.trainer.ppo.v1 import register_trainer
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils import tensordict_utils
from verl.utils.dataset.rl_dataset import collate_fn

from curricula.base import Batch, Curriculum, Outcome
from runners.files import read_lines, write_lines
from runners.tracking.rollout_records import rollout_rows
from runners.tracking.trackers import figures_of, open_trackio
from runners.tracking.training_log import TrainingLog, drawn_row, evaluation_figures
from runners.verl.job_file import JobFile
from runners.verl.own_launch import job_of
from runners.verl.records import evaluation_rows, step_row
from runners.verl.safe_trainer import SafeTrainer
from runners.verl.step_buffer import StepBuffer
from runners.verl.versions import check_hooks

check_hooks(PPOTrainerSync)

POLL_SECONDS = 0.05
"""How often verl looks for finished rollouts; its own 2 s would dominate a small step."""
EVALUATION_POLL_SECONDS = 1.0
"""The same for evaluations, which are large: every look lists all samples."""


class CurriculumOver(Exception):
    """The curriculum has no further batch."""


class CurriculumSampler(Sampler[int]):  # type: ignore[misc]
    """Row numbers in the curriculum's order, a batch at a time; its state is the curriculum's."""

    def __init__(self, curriculum: Curriculum, rows: Mapping[str, int], size: int) -> None:
        self.curriculum = curriculum
        self.rows = rows
        self.size = size
        self.batch: Batch | None = None
        self.latest: Sequence[str] = ()
        """The problems drawn last, by the step itself or by a refill."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[int]:
        while True:
            self.batch = self.curriculum.next_batch(self.size)
            if self.batch is None:
                raise CurriculumOver
            self.latest = self.batch.uids
            yield from (self.rows[uid] for uid in self.batch.uids)

    def state_dict(self) -> dict[str, Any]:
        return self.curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.curriculum.load_state_dict(state)


@register_trainer("curricle")
class CurriculumTrainer(SafeTrainer):
    """verl's synchronous trainer, with any of its algorithms, through a curriculum."""

    def __init__(self, config: Any) -> None:
        # verl takes every mode but this one for an asynchronous trainer
        config.trainer.v1.trainer_mode = "sync"
        super().__init__(config)

    def _build_replay_buffer(self) -> StepBuffer:
        sampler = self.config.trainer.v1.sampler
        return StepBuffer(
            lambda: self.sampler.curriculum,
            self._roll_out,
            trainer_mode="sync",
            trainer_config=self.config.trainer.v1.get("sync", {}),
            max_off_policy_threshold=sampler.max_off_policy_threshold,
            max_off_policy_strategy=sampler.max_off_policy_strategy,
            sampler_kwargs=sampler.sampler_kwargs,
            poll_interval=POLL_SECONDS,
        )

    def _init_resource_pool_mgr(self) -> None:
        super()._init_resource_pool_mgr()
        workers: dict[Any, Any] = self.role_worker_mapping
        if self.config.trainer.device == "cpu":
            from runners.verl.cpu_workers import use_cpu_workers

            use_cpu_workers(workers)
        elif OmegaConf.select(self.config, "curricle.segments"):
            from runners.verl.segment_worker import SegmentActorRolloutRefWorker

            for role in workers.keys() - {Role.Critic}:
                workers[role] = ray.remote(SegmentActorRolloutRefWorker)

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        written = OmegaConf.select(self.config, "curricle.job_file")
        self.job = (
            JobFile.read(Path(written))
            if written
            else job_of(self.config, self.train_dataset.dataframe, self.total_training_steps)
        )
        self.reader = ThreadPoolExecutor(1)
        self.items = {item.uid: item for item in self.job.pool}
        # trackers are verl's own business: it has more to tell
        self.log = TrainingLog(self.job.training_folder)
        self.sampler = CurriculumSampler(
            self.job.build_curriculum(),
            {item.uid: row for row, item in enumerate(self.job.pool)},
            self.job.prompts_per_step,
        )
        self.train_dataloader = StatefulDataLoader(
            self.train_dataset,
            batch_size=self.job.prompts_per_step,
            num_workers=0,  # a worker would draw ahead, before the outcomes are in
            collate_fn=collate_fn,
            sampler=self.sampler,
        )
        # verl counts epochs by the size of the pool, which may be smaller than a batch
        self.steps_per_epoch = self.total_training_steps

    def _load_checkpoint(self) -> None:
        super()._load_checkpoint()
        self.log.go_back_to(self.global_steps)

    def fit(self, agent_loop_manager: Any) -> None:
        """verl's loop; a curriculum that is over early ends it with a checkpoint."""
        names = self.config.trainer
        if "trackio" in names.logger:  # verl itself would begin another run at every resume
            open_trackio(
                names.project_name, names.experiment_name, OmegaConf.to_container(self.config)
            )
        try:
            super().fit(agent_loop_manager)
        except CurriculumOver:
            self.global_steps -= 1
            self._save_checkpoint()
            self._shutdown_dump_executor()

    def step(self, metrics: dict[str, Any], timing_raw: dict[str, Any]) -> Any:
        started = time.perf_counter()
        batch = super().step(metrics, timing_raw)
        drawn, outcomes = self.sampler.batch, self.told.result()
        assert drawn is not None
        self.sampler.curriculum.observe(outcomes)
        row = step_row(drawn, outcomes, self.items, metrics)
        row |= self.sampler.curriculum.metrics()
        row["trained_rollouts"] = self.replay_buffer.rollouts
        row["seconds"] = round(time.perf_counter() - started, 3)
        metrics.update(figures_of(row))
        self.log.write(
            row, drawn_row(drawn, [o.uid for o in outcomes], outcomes), self._records(outcomes)
        )
        return batch

    def _records(self, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        """The step's lines of rollouts.jsonl."""
        groups, drawn = self.replay_buffer.groups, self.sampler.batch
        assert drawn is not None
        return rollout_rows(
            self.job.rollouts,
            drawn,
            outcomes,
            [group.choice for group in groups],
            lambda uid: self.items[uid].domain,
            {outcome.uid: self.items[outcome.uid].bucket for outcome in outcomes},
            [group.texts for group in groups] if all(group.texts for group in groups) else (),
        )

    def _roll_out(self, uids: Sequence[str]) -> None:
        """Send further problems to the rollouts of the step that is running."""
        self.sampler.latest = uids
        rows = collate_fn([self.train_dataset[self.sampler.rows[uid]] for uid in uids])
        rows["uid"] = np.array([str(uuid.uuid4()) for _ in uids], dtype=object)
        batch = tensordict_utils.get_tensordict(rows)
        tensordict_utils.assign_non_tensor_data(batch, "global_steps", self.global_steps)
        self._submit_batch_to_rollout(batch)

    def _compute_advantage(self, batch: Any, metrics: dict[str, Any]) -> Any:
        batch = super()._compute_advantage(batch, metrics)
        # what the curriculum will be told is fetched while the weights are updated
        self.told: Future[list[Outcome]] = self.reader.submit(
            self.replay_buffer.outcomes, batch.partition_id
        )
        return batch

    def _submit_batch_to_rollout(self, batch: Any) -> int:
        self.replay_buffer.expect(list(batch["uid"]), self.sampler.latest)
        return int(super()._submit_batch_to_rollout(batch))

    def _get_required_batch_multiple(self, dp_size: int) -> int:
        """Whole mini-batches: as many as configured, however many rollouts were chosen."""
        if self._is_full():
            return int(super()._get_required_batch_multiple(dp_size))
        parts = [self._updates(part) for part in self._trained_parts()]
        return dp_size * math.lcm(*parts)

    def _update_actor(self, batch: Any, metrics: dict[str, Any]) -> Any:
        with self._sized(self.config.actor_rollout_ref.actor, len(batch)):
            return super()._update_actor(batch, metrics)

    def _update_critic(self, batch: Any, metrics: dict[str, Any]) -> Any:
        with self._sized(self.config.critic, len(batch)):
            return super()._update_critic(batch, metrics)

    def _is_full(self) -> bool:
        """Whether the step trains on as many rollouts as verl's configuration says."""
        samples = self.config.actor_rollout_ref.rollout.n
        return bool(self.replay_buffer.rollouts == self.job.prompts_per_step * samples)

    def _trained_parts(self) -> list[Any]:
        actor, critic = self.config.actor_rollout_ref.actor, self.config.critic
        return [actor, critic] if self.use_critic else [actor]

    def _updates(self, part: Any) -> int:
        """Updates a step of the actor or the critic."""
        return max(1, self.job.prompts_per_step // int(part.ppo_mini_batch_size))

    @contextmanager
    def _sized(self, part: Any, rows: int) -> Iterator[None]:
        """verl's sizes for a step of so many rollouts, padding among them."""
        if self._is_full():
            yield
            return
        rollout = self.config.actor_rollout_ref.rollout
        kept = part.ppo_mini_batch_size, rollout.n
        with open_dict(self.config):
            part.ppo_mini_batch_size, rollout.n = rows // self._updates(part), 1
            try:
                yield
            finally:
                part.ppo_mini_batch_size, rollout.n = kept

    def _validate(self) -> dict[str, float]:
        if not self._evaluates_now():
            return {}
        self.replay_buffer.poll_interval = EVALUATION_POLL_SECONDS
        try:
            return dict(super()._validate())
        finally:
            self.replay_buffer.poll_interval = POLL_SECONDS

    def _evaluates_now(self) -> bool:
        """verl evaluates at the end of every segment too; the end is evaluated by our caller."""
        if self.job.evaluations_file is None:
            return True
        every = self.config.trainer.test_freq
        return bool(self.global_steps < self.job.steps and self.global_steps % every == 0)

    def _val_metrics_update(
        self, data_sources: Any, sample_uids: Any, reward_extra_infos_dict: Any, *a: Any, **k: Any
    ) -> dict[str, float]:
        """Counts by problem in place of verl's bootstrap of a best-of-n."""
        path, here = self.job.evaluations_file, ("during", self.global_steps)
        if path is None:
            theirs: dict[str, float] = super()._val_metrics_update(
                data_sources, sample_uids, reward_extra_infos_dict, *a, **k
            )
            return theirs
        rows = evaluation_rows(
            self.global_steps,
            self.job.evaluation,
            reward_extra_infos_dict["uid"],
            reward_extra_infos_dict["status"],
        )
        # a resumed run comes by here again
        kept = [row for row in read_lines(path) if (row["phase"], row["step"]) != here]
        write_lines(path, [*kept, *(row.to_json() for row in rows)])
        return evaluation_figures(rows, self.job.evaluation_k)
