"""What carries out training: the `Trainer` settings that all kinds share, and the job they get.

One settings block serves `local` (one process, small models) and `verl` (Ray, clusters): the same
words mean the same mathematics, and a parity test holds them together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from curricula.base import Item, Scheduler
from difficulty.engines.base import Engine, Sampling
from difficulty.prompts import Prompter
from domains.base import Settings
from domains.problem import Problem
from runners.algorithms import RULES, Algorithm, KLEstimator, Rule, plain
from runners.evaluation.summary import EvaluationRow
from runners.segments import Leg, Segment, check_segments, legs
from runners.tracking.trackers import TrackingSettings


@dataclass(frozen=True)
class TrainingJob:
    """All that a trainer needs to know, the settings apart."""

    model: Path
    """Hugging Face folder of the policy to start from."""
    folder: Path
    """Where checkpoints, logs and the trained model go; what stands there is resumed."""
    problems: Mapping[str, Problem]
    """Training problems by uid."""
    pool: tuple[Item, ...]
    """The same problems as the curriculum sees them."""
    scheduler: Scheduler
    prompter: Prompter
    sampling: Sampling
    seed: int
    evaluation: tuple[Problem, ...]
    evaluation_samples: int
    evaluate_every: int
    """Steps between evaluations during training; 0 for none."""
    evaluate: Callable[[Engine, int], Sequence[EvaluationRow]]
    """Evaluates an engine's weights and records the rows under a step number; returns them."""
    evaluation_buckets: Mapping[str, str] = field(default_factory=dict)
    """The bucket of each evaluation problem that has been scored, by uid."""
    evaluation_k: tuple[int, ...] = (1,)
    """The k of the pass@k that trackers are told after an evaluation."""
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    """Where figures go besides the JSON lines."""


class Trainer(Settings, ABC):
    """Settings of a training run, common to all kinds of trainer."""

    algorithm: Algorithm = "grpo"
    """grpo, ppo, reinforce_plus_plus, reinforce_plus_plus_baseline, rloo, dr_grpo, dapo or gspo
    (`runners/algorithms.py` has the papers)."""
    steps: int = Field(60, ge=1)
    """Training steps: one batch of prompts, one round of rollouts, one policy update each."""
    prompts_per_step: int = Field(16, ge=1)
    samples_per_prompt: int = Field(8, ge=1)
    """Rollouts of each prompt: GRPO's group size."""
    learning_rate: float = Field(1e-4, gt=0)
    critic_learning_rate: float = Field(3e-4, gt=0)
    """PPO only."""
    betas: tuple[float, float] = (0.9, 0.99)
    """AdamW."""
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    clip_low: float = Field(0.2, gt=0, lt=1)
    clip_high: float = Field(0.2, gt=0)
    """The policy ratio is clipped to [1 - clip_low, 1 + clip_high]; both are the algorithm's own
    by default (DAPO's clip-higher is 0.28)."""
    entropy_coefficient: float = Field(0.0, ge=0)
    """Weight of a bonus on the policy's entropy."""
    kl_coefficient: float = Field(0.0, ge=0)
    """Weight of the KL divergence from the starting policy; 0 keeps no reference."""
    kl_estimator: KLEstimator = "k3"
    """k1 (log ratio), k2 (half its square), k3 (low variance) or abs."""
    kl_in: Literal["loss", "reward"] = "loss"
    """Where the KL counts: a loss of its own, as in GRPO, or off the rewards, as in PPO."""
    gamma: float = Field(1.0, gt=0, le=1)
    lam: float = Field(1.0, ge=0, le=1)
    """GAE's lambda; PPO only."""
    lora_rank: int = Field(0, ge=0)
    """0 trains all weights."""
    checkpoint_every: int = Field(20, ge=1)
    """Steps between checkpoints; an interrupted run goes on from the last one."""
    segments: tuple[Segment, ...] = ()
    """Stretches of steps with a learning rate, a response length or frozen parameters of their own;
    the steps after the last one have this block's."""

    @model_validator(mode="before")
    @classmethod
    def _clip_of_algorithm(cls, raw: Any) -> Any:
        """What is not given is the algorithm's own."""
        rule = RULES.get(_algorithm_in(raw))
        if rule is None:
            return raw
        low, high = rule.clip
        return {"clip_low": low, "clip_high": high, **raw}

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        check_segments(self.segments, self.steps)
        return self

    @property
    def rule(self) -> Rule:
        """The algorithm in verl's words."""
        return RULES[self.algorithm]

    def legs(self, max_tokens: int) -> list[Leg]:
        """The whole training as stretches of equal settings, in order."""
        return legs(self.segments, self.steps, self.learning_rate, max_tokens)

    def check(self, scheduler: Scheduler, sampling: Sampling) -> None:
        """Raises `ValueError` for what cannot run here, before any long work."""

    def checkpoint_bytes(self, parameters: int, trained: int) -> int:
        """What a checkpoint takes on disk for one model with so many parameters, in float32."""
        return 0

    @property
    def rollouts_per_step(self) -> int:
        return self.prompts_per_step * self.samples_per_prompt

    @abstractmethod
    def train(self, job: TrainingJob) -> Path:
        """Train to the end, resuming what stands in `job.folder`; returns the model's folder.

        Writes under `job.folder`:
        - `metrics.jsonl`: one line a step, {"step": int, "stage": str, name: float ...}
        - `curriculum.jsonl`: one line a step, {"step", "stage", "uids", "rewards", "mean_reward"},
          the uids in the order in which they were rolled out, each with its mean reward
        - `rollouts.jsonl`: the single completions (`runners/tracking/rollout_records.py`)
        - `model/`: the trained policy as a Hugging Face folder

        Raises `ValueError` for what a user can cause, before any long work.
        """


def _algorithm_in(raw: Any) -> Any:
    """The algorithm that settings before validation ask for, or None where they are no settings."""
    if not isinstance(raw, dict):
        return None
    return plain(raw.get("algorithm", "grpo"))
