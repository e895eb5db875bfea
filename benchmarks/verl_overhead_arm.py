"""Loaded into the processes of `verl_overhead.py`: bare verl, taking turns, and a stopwatch.

Bare verl is its own synchronous trainer. What it cannot do without on a CPU is what ours uses
there too (workers, rollout), and it looks for finished rollouts as often as ours. In the mode
`alternating` both train in one run, a step each: the trainer's class changes from step to step, and
its loader of prompts and its buffer with it. All else is the same: processes, memory, weights.

`VERL_OVERHEAD_ARM` names a folder for `steps.jsonl`, one line a step:

- `arm`: whose step it was, `ours` or `bare`;
- `seconds`: from its beginning to the next step's;
- `own`: seconds of it in the code where the trainers differ, whichever is running: drawing prompts,
  reading and choosing once the last rollout has been seen to be finished, and what the trainer does
  beside verl's own step;
- `tokens`: response tokens, to see that both do the same work;
- `phases`: verl's own seconds of each part of the step, by its names.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from verl.trainer.ppo.v1 import register_trainer
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer
from verl.trainer.ppo.v1.trainer_base import PPOTrainer
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils.debug import marked_timer

from runners.verl import safe_trainer
from runners.verl.curriculum_trainer import POLL_SECONDS, CurriculumTrainer
from runners.verl.step_buffer import StepBuffer

FOLDER = "VERL_OVERHEAD_ARM"


@register_trainer("bare")
class BareTrainer(PPOTrainerSync):  # type: ignore[misc]
    """verl's synchronous trainer, on the machine and at the pace of ours."""

    def __init__(self, config: Any) -> None:
        config.trainer.v1.trainer_mode = "sync"
        super().__init__(config)

    def _build_replay_buffer(self) -> Any:
        return bare_buffer(self)

    def _init_resource_pool_mgr(self) -> None:
        super()._init_resource_pool_mgr()
        if self.config.trainer.device == "cpu":
            from runners.verl.cpu_workers import use_cpu_workers

            use_cpu_workers(self.role_worker_mapping)


def bare_buffer(trainer: PPOTrainerSync) -> Any:
    """verl's own buffer, which looks for rollouts as often as ours."""
    buffer = PPOTrainerSync._build_replay_buffer(trainer)
    buffer.poll_interval = POLL_SECONDS
    return buffer


@register_trainer("alternating")
class AlternatingTrainer(CurriculumTrainer):
    """Begins as ours, with what bare verl draws from and waits at beside."""

    def _build_replay_buffer(self) -> StepBuffer:
        self.turn = "ours"
        self.waiting = {"bare": {"replay_buffer": bare_buffer(self), "train_dataloader_it": None}}
        return super()._build_replay_buffer()

    def _init_dataloader(self) -> None:
        PPOTrainerSync._init_dataloader(self)
        self.waiting["bare"]["train_dataloader"] = self.train_dataloader
        super()._init_dataloader()


def arm_of(step: int) -> str:
    """Whose turn it is, counting steps from 1: both in every pair, first in every other."""
    pair, place = divmod(step - 1, 2)
    return "ours" if place == pair % 2 else "bare"


def take_turn(trainer: Any, arm: str) -> None:
    """Make this trainer the other one, if it is not already."""
    if trainer.turn == arm:
        return
    theirs = trainer.waiting.pop(arm)
    trainer.waiting[trainer.turn] = {name: getattr(trainer, name) for name in theirs}
    for name, value in theirs.items():
        setattr(trainer, name, value)
    trainer.turn = arm
    trainer.__class__ = CurriculumTrainer if arm == "ours" else BareTrainer


class Stopwatch:
    """Seconds of the step that is running, and those of them that count as the trainer's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arm = "ours"
        self.started: float | None = None
        self.own = 0.0
        self.tokens = 0
        self.phases: dict[str, float] = {}
        self.waited = 0.0
        """When the running step last stopped waiting for rollouts."""

    def step_begins(self, arm: str) -> None:
        """Write down the step that has ended."""
        now = time.perf_counter()
        if self.started is not None:
            row = {
                "arm": self.arm,
                "seconds": now - self.started,
                "own": self.own,
                "tokens": self.tokens,
                "phases": self.phases,
            }
            with (self.folder / "steps.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
        self.arm, self.own, self.started = arm, 0.0, time.perf_counter()

    @contextmanager
    def counting(self, sign: float) -> Iterator[None]:
        """Add what happens within to the trainer's own seconds, or take it off them."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.own += sign * (time.perf_counter() - started)


def count(owner: type, name: str, sign: float, clock: Stopwatch) -> None:
    """Every call of a method counts as the trainer's own work, or as none of it."""
    method: Callable[..., Any] = getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        with clock.counting(sign):
            return method(*arguments, **named)

    setattr(owner, name, counted)


def install(clock: Stopwatch) -> None:
    """Put the stopwatch around what the trainers do differently, and give both the same tokens."""
    begin, once = PPOTrainer.on_step_begin, PPOTrainer._step_once
    wait, dead_actor = ReplayBuffer._wait_for_next_poll, safe_trainer.dead_actor

    def on_step_begin(self: Any) -> None:
        arm = arm_of(self.global_steps)
        clock.step_begins(arm)
        take_turn(self, arm)
        begin(self)

    def on_step_end(self: Any) -> None:
        # completions are seeded by this number: both steps of a pair decode the same
        with marked_timer("update_weights", self.timing_raw):
            self.checkpoint_manager.update_weights(self.global_steps // 2)

    def step_once(self: Any, *arguments: Any, **named: Any) -> Any:
        with clock.counting(-1):
            batch = once(self, *arguments, **named)
        clock.tokens = sum(tag["response_len"] for tag in batch.tags)
        clock.phases = self.timing_raw  # which verl goes on filling
        return batch

    def wait_for_next_poll(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return wait(self, *arguments, **named)
        finally:
            clock.waited = time.perf_counter()

    PPOTrainer.on_step_begin, PPOTrainer._step_once = on_step_begin, step_once
    PPOTrainerSync.on_step_end = on_step_end
    # bare verl does not ask Ray who has died
    safe_trainer.dead_actor = lambda: dead_actor() if clock.arm == "ours" else None
    ReplayBuffer._wait_for_next_poll = wait_for_next_poll
    # the whole step, less verl's part of it; sending prompts off is verl's work in either arm
    for trainer in (BareTrainer, CurriculumTrainer):
        count(trainer, "step", 1, clock)
        count(trainer, "_submit_batch_to_rollout", -1, clock)
    for buffer in (ReplayBuffer, StepBuffer):
        buffer.sample = after_waiting(buffer.sample, clock)


def after_waiting(sample: Callable[..., Any], clock: Stopwatch) -> Callable[..., Any]:
    """What a buffer does after its last wait counts as the trainer's own work.

    What it did before was done while rollouts were still under way.
    """

    def counted(*arguments: Any, **named: Any) -> Any:
        clock.waited = time.perf_counter()
        handed = sample(*arguments, **named)
        clock.own += time.perf_counter() - clock.waited
        return handed

    return counted


if folder := os.environ.get(FOLDER):
    install(Stopwatch(Path(folder)))
