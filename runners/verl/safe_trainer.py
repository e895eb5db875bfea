"""verl's trainer with two faults mended: checkpoints half written, and actors that die unnoticed.

verl waits for rollouts by looking for their results. When the process that was to give them dies,
nobody hears of it, and the run waits for ever. So the trainer's process asks Ray itself.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import ray
from omegaconf import OmegaConf
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync

from runners.verl.checkpoints import finish, fresh, last_step

ASK_SECONDS = 2.0
"""Between two looks at Ray's table of actors."""
NOTICE_SECONDS = 10.0
"""What a death that verl notices by itself takes to end the run, with a better message."""
UNEXPECTED = frozenset({"WORKER_DIED", "NODE_DIED", "OOM"})
"""Ray's reasons for the end of an actor that nobody asked for."""


class SafeTrainer(PPOTrainerSync):  # type: ignore[misc]
    """verl's synchronous trainer."""

    config: Any
    global_steps: int

    def __init__(self, config: Any) -> None:
        threading.Thread(target=end_with_any_actor, daemon=True).start()
        super().__init__(config)

    def _save_checkpoint(self) -> None:
        """verl's checkpoint, whole or not at all; in others' launch scripts it stays verl's own."""
        if OmegaConf.select(self.config, "curricle.job_file") is None:
            super()._save_checkpoint()
            return
        settings = self.config.trainer
        folder = Path(settings.default_local_dir)
        if last_step(folder) == self.global_steps:
            return
        settings.default_local_dir = str(fresh(folder))
        try:
            super()._save_checkpoint()
        finally:
            settings.default_local_dir = str(folder)
        finish(folder, self.global_steps, settings.max_actor_ckpt_to_keep)


def end_with_any_actor() -> None:
    """End this process, and with it the run, soon after another actor of the run has died."""
    while (died := dead_actor()) is None:
        time.sleep(ASK_SECONDS)
    time.sleep(NOTICE_SECONDS)
    print(f"curricle: ActorDiedError: {died}; the run is ended", flush=True)
    os._exit(1)


def dead_actor() -> str | None:
    """An actor of this Ray job that has died though nobody ended it: its class, and why."""
    from ray._private.state import actors

    job = ray.JobID.from_hex(ray.get_runtime_context().get_job_id())
    for actor in actors(job_id=job, actor_state_name="DEAD").values():
        cause = actor["DeathCause"]
        context = cause.actor_died_error_context
        reason = context.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number
        oom = cause.HasField("oom_context")
        if oom or reason[context.reason].name in UNEXPECTED:
            said = cause.oom_context.error_message if oom else context.error_message
            return f"{actor['ActorClassName']} (pid {actor['Pid']}): {said}"
    return None
