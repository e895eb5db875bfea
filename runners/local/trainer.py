"""The local trainer: one process, one machine, small models, seconds instead of minutes.

The loop is the whole of reinforcement learning with verifiable rewards: draw prompts from the
curriculum, roll out, judge, roll out what it refills, estimate advantages of what it chooses,
update, tell the curriculum. Rollouts and updates use the same weights in memory. Advantages and
losses are verl's own (`losses.py`), so what is tried here in seconds means the same there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from curricula.base import Batch, Choice, Outcome, Scheduler
from difficulty.engines.base import Request, Sampling, sampling_seed
from difficulty.engines.transformers import Device, Rollout, TransformersEngine
from domains.judge import judge
from runners.console import progress_bar
from runners.local.checkpoint import load_checkpoint, save_checkpoint
from runners.run_lock import alone_in
from runners.segments import Leg, frozen_names
from runners.tracking.rollout_records import rollout_rows
from runners.tracking.training_log import TrainingLog, drawn_row, outcome_figures
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
    alignment_every: int = Field(0, ge=0)
    """Steps between comparisons of the domains' gradients, which `transfer_aware` asks for; 0 makes
    none."""

    def check(self, scheduler: Scheduler, sampling: Sampling) -> None:
        if sampling.temperature == 0:
            raise ValueError(
                "decoding.temperature must be above 0 to train, but got 0: greedy rollouts of a "
                "prompt are all the same"
            )
        if self.entropy_coefficient > 0 or (self.kl_coefficient > 0 and self.kl_in == "reward"):
            raise ValueError(
                "trainer.kind=local must have entropy_coefficient=0 and kl_in='loss', but got "
                f"entropy_coefficient={self.entropy_coefficient} and kl_in={self.kl_in!r}: it "
                "sees the probabilities of sampled tokens only; trainer.kind=verl has both"
            )

    def checkpoint_bytes(self, parameters: int, trained: int) -> int:
        return 12 * trained

    def train(self, job: TrainingJob) -> Path:
        self.check(job.scheduler, job.sampling)
        trained = job.folder / "model"
        if not trained.is_dir():
            with alone_in(job.folder):
                _Training(self, job).run(trained)
        return trained


class _Training:
    """One training as it runs."""

    def __init__(self, settings: LocalTrainer, job: TrainingJob) -> None:
        from runners.local.alignment import Alignment
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
        self.alignment = Alignment()
        self.curriculum = job.scheduler.build(job.pool, settings.steps, job.seed)
        self.log = TrainingLog(job.folder, job.tracking, settings.model_dump(mode="json"))
        self.checkpoints = job.folder / "checkpoints"
        self.buckets = {item.uid: item.bucket for item in job.pool}
        self.legs = settings.legs(job.sampling.max_tokens)
        self.leg: Leg | None = None
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def run(self, trained: Path) -> None:
        from runners.local.policy import save_policy

        done = self._resume()
        with progress_bar(f"training ({self.settings.algorithm})") as progress:
            progress(done, self.settings.steps)
            while batch := self.curriculum.next_batch(self.settings.prompts_per_step):
                self._step(batch)
                if self._evaluates_at(batch.step):
                    rows = self.job.evaluate(self.engine, batch.step)
                    self.log.evaluated(batch.step, rows, self.job.evaluation_k)
                if batch.step % self.settings.checkpoint_every == 0:
                    self._checkpoint(batch.step)
                progress(batch.step, self.settings.steps)
        self.log.close()
        save_policy(self.learner.model, self.tokenizer, trained)

    def _enter_leg(self, step: int) -> Leg:
        """Learning rate and frozen parameters of the segment that a step lies in."""
        leg = next(leg for leg in self.legs if step <= leg.last)
        if leg != self.leg:
            self._thaw()
            for group in self.learner.optimizer.param_groups:
                group["lr"] = leg.learning_rate
            for name in frozen_names(self.trained, leg.frozen):
                self.trained[name].requires_grad_(False)
            self.leg = leg
        return leg

    def _thaw(self) -> None:
        """Nothing is frozen, as a checkpoint needs it: it holds all that training may change."""
        self.leg = None
        for parameter in self.trained.values():
            parameter.requires_grad_(True)

    def _step(self, batch: Batch) -> None:
        start = time.perf_counter()
        leg = self._enter_leg(batch.step)
        sampling = self.job.sampling.model_copy(update={"max_tokens": leg.max_tokens})
        groups: list[list[Rollout]] = []
        outcomes: list[Outcome] = []
        seen: Counter[str] = Counter()
        uids = batch.uids
        while uids:
            rolled_out = self.engine.roll_out(self._requests(uids, batch.step, seen), sampling)
            groups += rolled_out
            outcomes += [self._judged(u, group) for u, group in zip(uids, rolled_out, strict=True)]
            uids = self.curriculum.refill(outcomes)
        choices = self.curriculum.choose(outcomes)
        update = self._learn(groups, outcomes, choices, self._compares_at(batch.step))
        outcomes = self._with_advantages(outcomes, choices, update)
        if update.sketches:
            self.alignment.add(update.sketches)
            outcomes = self.alignment.told(outcomes, self._domains(outcomes))
        self.curriculum.observe(outcomes)
        metrics = self._metrics(batch, outcomes, groups, update)
        metrics["trained_tokens"] = sum(
            outcome.token_counts[i]
            for outcome, choice in zip(outcomes, choices, strict=True)
            for i in choice
        )
        metrics["seconds"] = round(time.perf_counter() - start, 3)
        drawn = drawn_row(batch, [outcome.uid for outcome in outcomes], outcomes)
        recorded = rollout_rows(
            self.job.tracking.rollouts,
            batch, outcomes, choices, lambda uid: self.job.problems[uid].domain, self.buckets,
            [[rollout.text for rollout in group] for group in groups],
        )  # fmt: skip
        self.log.write(metrics, drawn, recorded)

    def _requests(self, uids: Sequence[str], step: int, seen: Counter[str]) -> list[Request]:
        """A prompt that stands twice in a step gets further samples, not the same ones again.

        `seen` counts how often each has stood in the step so far, and goes on counting.
        """
        requests: list[Request] = []
        samples = self.settings.samples_per_prompt
        for uid in uids:
            first = seen[uid] * samples
            seen[uid] += 1
            seeds = tuple(
                sampling_seed(self.job.seed, uid, step, i) for i in range(first, first + samples)
            )
            messages = self.job.prompter.messages(self.job.problems[uid])
            requests.append(Request(uid, messages, seeds))
        return requests

    def _judged(self, uid: str, group: Sequence[Rollout]) -> Outcome:
        """How the rollouts of a prompt went, before there are advantages."""
        verdicts = [judge(self.job.problems[uid], r.text, r.finish_reason) for r in group]
        return Outcome(
            uid,
            tuple(float(verdict.status == "correct") for verdict in verdicts),
            tuple(verdict.status for verdict in verdicts),
            token_counts=tuple(len(rollout.tokens) for rollout in group),
            components={"credit": tuple(verdict.score for verdict in verdicts)},
        )

    def _learn(
        self,
        groups: Sequence[Sequence[Rollout]],
        outcomes: Sequence[Outcome],
        choices: Sequence[Choice],
        compare: bool,
    ) -> Update:
        """Update on the chosen rollouts; every group that is chosen at all keeps equally many."""
        import torch

        chosen = [[group[i] for i in c] for group, c in zip(groups, choices, strict=True) if c]
        pairs = zip(outcomes, choices, strict=True)
        rewards = torch.tensor([outcome.rewards[i] for outcome, c in pairs for i in c])
        assert self.leg is not None
        self.learner.config.global_batch_info.update(
            global_batch_size=len(rewards), loss_scale_factor=self.leg.max_tokens
        )
        trained = [o for o, c in zip(outcomes, choices, strict=True) if c] if compare else []
        temperature = self.job.sampling.temperature
        return self.learner.update(chosen, rewards, temperature, self._domains(trained))

    def _domains(self, outcomes: Sequence[Outcome]) -> list[str]:
        return [self.job.problems[outcome.uid].domain for outcome in outcomes]

    def _with_advantages(
        self, outcomes: Sequence[Outcome], choices: Sequence[Choice], update: Update
    ) -> list[Outcome]:
        """Advantages stand with the groups that were trained on whole."""
        left = update.advantages.tolist()
        told: list[Outcome] = []
        for outcome, choice in zip(outcomes, choices, strict=True):
            own, left = left[: len(choice)], left[len(choice) :]
            whole = len(choice) == len(outcome.rewards)
            told.append(replace(outcome, advantages=tuple(own)) if whole else outcome)
        return told

    def _metrics(
        self,
        batch: Batch,
        outcomes: Sequence[Outcome],
        groups: Sequence[Sequence[Rollout]],
        update: Update,
    ) -> dict[str, Any]:
        rollouts = [rollout for group in groups for rollout in group]
        surprise = -sum(rollout.log_probability for rollout in rollouts)
        domain_of = {outcome.uid: self.job.problems[outcome.uid].domain for outcome in outcomes}
        metrics = outcome_figures(batch, outcomes, domain_of.__getitem__, self.buckets) | {
            # The mean surprise of what was sampled estimates the policy's entropy without bias.
            "entropy": surprise / sum(len(rollout.tokens) for rollout in rollouts),
            "loss": update.loss,
            "grad_norm": update.grad_norm,
            **self.curriculum.metrics(),
        }
        if update.sketches:
            metrics |= {f"alignment/{d}": value for d, value in self.alignment.cosines().items()}
        if update.kl is not None:
            metrics["kl"] = update.kl
        if update.value_loss is not None:
            metrics["value_loss"] = update.value_loss
        return metrics

    def _evaluates_at(self, step: int) -> bool:
        every = self.job.evaluate_every
        return every > 0 and step % every == 0 and step < self.settings.steps

    def _compares_at(self, step: int) -> bool:
        every = self.settings.alignment_every
        return every > 0 and step % every == 0

    def _checkpoint(self, step: int) -> None:
        self._thaw()
        state = {
            "learner": self.learner.state(),
            "curriculum": self.curriculum.state_dict(),
            "directions": self.alignment.directions,
        }
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
        self.alignment.directions = dict(state["directions"])
        self.log.go_back_to(step)
        return step
