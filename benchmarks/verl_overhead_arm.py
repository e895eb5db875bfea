"""Loaded into the processes of every arm of `verl_overhead.py`: bare verl, a gate and a stopwatch.

Bare verl is its own synchronous trainer. What it cannot do without on a CPU is what ours uses
there too (workers, rollout), and it looks for finished rollouts as often as ours. Its garbage
collector is set up as ours is, but for the arm whose folder is named `plain`.

`VERL_OVERHEAD_ARM` names a folder with a pipe `gate`, from which a run reads how many steps it may
take before it waits again, and `steps.jsonl`, one line a step:

- `seconds`: from its beginning to the next step's, without waiting at the gate;
- `own`: seconds of it in the code where the trainers differ, whichever is running: drawing prompts,
  reading and choosing once the last rollout has been seen to be finished, and what the trainer does
  beside verl's own step;
- `tokens`: response tokens, to see that both arms do the same work;
- `phases`: verl's own seconds of each part of the step, by its names.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from verl.trainer.ppo.v1 import register_trainer
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer
from verl.trainer.ppo.v1.trainer_base import PPOTrainer
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync

from runners.verl.collector import SettingAside
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
        buffer = super()._build_replay_buffer()
        buffer.poll_interval = POLL_SECONDS
        return buffer

    def _init_resource_pool_mgr(self) -> None:
        super()._init_resource_pool_mgr()
        if self.config.trainer.device == "cpu":
            from runners.verl.cpu_workers import use_cpu_workers

            use_cpu_workers(self.role_worker_mapping)


class Stopwatch:
    """Seconds of the step that is running, and those of them that count as the trainer's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.allowed = 0
        self.gate: TextIO | None = None
        self.started: float | None = None
        self.own = 0.0
        self.tokens = 0
        self.phases: dict[str, float] = {}
        self.waited = 0.0
        """When the running step last stopped waiting for rollouts."""

    def step_begins(self) -> None:
        """Write down the step that has ended and, when no more are allowed, wait for leave."""
        if self.started is not None:
            row = {
                "seconds": time.perf_counter() - self.started,
                "own": self.own,
                "tokens": self.tokens,
                "phases": self.phases,
            }
            with (self.folder / "steps.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
        self.gate = self.gate or (self.folder / "gate").open()
        while not self.allowed:
            self.allowed = int(self.gate.readline())
        self.allowed -= 1
        self.own, self.started = 0.0, time.perf_counter()

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
    """Put the gate before every step and the stopwatch around what the trainers do differently."""
    begin, once = PPOTrainer.on_step_begin, PPOTrainer._step_once
    wait = ReplayBuffer._wait_for_next_poll

    def on_step_begin(self: Any) -> None:
        clock.step_begins()
        begin(self)

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
    if Path(folder).name == "plain":
        gc.callbacks[:] = [call for call in gc.callbacks if not isinstance(call, SettingAside)]
