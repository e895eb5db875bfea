"""The local trainer: one process, one machine, small models, seconds instead of minutes.

The loop is the whole of reinforcement learning with verifiable rewards: draw prompts from the
curriculum, roll out, judge, estimate advantages, update, tell the curriculum. Rollouts and updates
use the same weights in memory. Advantages and losses are verl's own (`losses.py`), so what is tried
here in seconds means the same there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from curricula.base import Batch, Outcome
from difficulty.engine import Request, sampling_seed
from difficulty.transformers_engine import Device, Rollout, TransformersEngine
from domains.judge import judge
from domains.problem import Verdict
from runners.console import progress_bar
from runners.local.checkpoint import load_checkpoint, save_checkpoint
from runners.tracking import TrainingLog, outcome_figures
from runners.trainer import Trainer, TrainingJob

if TYPE_CHECKING:
    from runners.local.learner import Learner, Update


class LocalTrainer(Trainer):
    """Train in this process."""

    kind: Literal["local"] = "local"
    device: Device = "auto"
    """`auto` is cuda where there is a GPU, else cpu."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto` is float32 on a CPU and the model's own type on a GPU."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of PyTorch; None leaves its own choice."""

    def train(self, job: TrainingJob) -> Path:
        if job.sampling.temperature == 0:
            raise ValueError(
                "decoding.temperature must be above 0 to train, but got 0: greedy rollouts of a "
                "prompt are all the same"
            )
        trained = job.folder / "model"
        if not trained.is_dir():
            _Training(self, job).run(trained)
        return trained


class _Training:
    """One training as it runs."""

    def __init__(self, settings: LocalTrainer, job: TrainingJob) -> None:
        from runners.local.learner import Learner
        from runners.local.policy import load_policy

        self.settings, self.job = settings, job
        model, self.tokenizer = load_policy(
            job.model,
            settings.device,
            settings.dtype,
            settings.threads,
            settings.lora_rank,
            job.seed,
        )
        template = job.prompter.style.chat_template
        self.engine = TransformersEngine(model, self.tokenizer, chat_template=template)
        self.learner: Learner = Learner(settings, model, job.model, job.seed)
        self.curriculum = job.scheduler.build(job.pool, settings.steps, job.seed)
        self.log = TrainingLog(job.folder, job.wandb_project, settings.model_dump(mode="json"))
        self.checkpoints = job.folder / "checkpoints"

    def run(self, trained: Path) -> None:
        from runners.local.policy import save_policy

        done = self._resume()
        with progress_bar(f"training ({self.settings.algorithm})") as progress:
            progress(done, self.settings.steps)
            while batch := self.curriculum.next_batch(self.settings.prompts_per_step):
                self._step(batch)
                if self._evaluates_at(batch.step):
                    self.job.evaluate(self.engine, batch.step)
                if batch.step % self.settings.checkpoint_every == 0:
                    self._checkpoint(batch.step)
                progress(batch.step, self.settings.steps)
        self.log.close()
        save_policy(self.learner.model, self.tokenizer, trained)

    def _step(self, batch: Batch) -> None:
        start = time.perf_counter()
        groups = self.engine.roll_out(self._requests(batch), self.job.sampling)
        verdicts = [
            [judge(self.job.problems[uid], r.text, r.finish_reason) for r in group]
            for uid, group in zip(batch.uids, groups, strict=True)
        ]
        rewards = [[float(v.status == "correct") for v in group] for group in verdicts]
        update = self._learn(groups, rewards)
        outcomes = self._outcomes(batch, groups, verdicts, rewards, update)
        self.curriculum.observe(outcomes)
        metrics = self._metrics(batch, outcomes, groups, update)
        metrics["seconds"] = round(time.perf_counter() - start, 3)
        drawn = {
            "step": batch.step,
            "stage": batch.stage,
            "uids": list(batch.uids),
            "mean_reward": metrics["reward/mean"],
        }
        self.log.write(metrics, drawn)

    def _requests(self, batch: Batch) -> list[Request]:
        """A prompt that stands twice in a batch gets further samples, not the same ones again."""
        seen: Counter[str] = Counter()
        requests: list[Request] = []
        samples = self.settings.samples_per_prompt
        for uid in batch.uids:
            first = seen[uid] * samples
            seen[uid] += 1
            seeds = tuple(
                sampling_seed(self.job.seed, uid, batch.step, i)
                for i in range(first, first + samples)
            )
            messages = self.job.prompter.messages(self.job.problems[uid])
            requests.append(Request(uid, messages, seeds))
        return requests

    def _learn(self, groups: list[list[Rollout]], rewards: list[list[float]]) -> Update:
        import torch

        flat = torch.tensor([reward for group in rewards for reward in group])
        return self.learner.update(groups, flat, self.job.sampling.temperature)

    def _outcomes(
        self,
        batch: Batch,
        groups: Sequence[Sequence[Rollout]],
        verdicts: Sequence[Sequence[Verdict]],
        rewards: Sequence[Sequence[float]],
        update: Update,
    ) -> list[Outcome]:
        advantages = update.advantages.reshape(len(groups), -1).tolist()
        return [
            Outcome(
                uid,
                tuple(rewards[i]),
                tuple(verdict.status for verdict in verdicts[i]),
                tuple(advantages[i]),
                tuple(len(rollout.tokens) for rollout in groups[i]),
            )
            for i, uid in enumerate(batch.uids)
        ]

    def _metrics(
        self,
        batch: Batch,
        outcomes: Sequence[Outcome],
        groups: Sequence[Sequence[Rollout]],
        update: Update,
    ) -> dict[str, Any]:
        rollouts = [rollout for group in groups for rollout in group]
        surprise = -sum(rollout.log_probability for rollout in rollouts)
        domain_of = {uid: self.job.problems[uid].domain for uid in batch.uids}
        metrics = outcome_figures(batch, outcomes, domain_of.__getitem__) | {
            # The mean surprise of what was sampled estimates the policy's entropy without bias.
            "entropy": surprise / sum(len(rollout.tokens) for rollout in rollouts),
            "loss": update.loss,
            "grad_norm": update.grad_norm,
            **self.curriculum.metrics(),
        }
        if update.value_loss is not None:
            metrics["value_loss"] = update.value_loss
        return metrics

    def _evaluates_at(self, step: int) -> bool:
        every = self.job.evaluate_every
        return every > 0 and step % every == 0 and step < self.settings.steps

    def _checkpoint(self, step: int) -> None:
        state = {"learner": self.learner.state(), "curriculum": self.curriculum.state_dict()}
        save_checkpoint(self.checkpoints, step, state)

    def _resume(self) -> int:
        """Go back to the last checkpoint; returns its step, 0 before the first."""
        found = load_checkpoint(self.checkpoints)
        if found is None:
            self.log.go_back_to(0)
            return 0
        step, state = found
        self.learner.restore(state["learner"])
        self.curriculum.load_state_dict(state["curriculum"])
        self.log.go_back_to(step)
        return step
