"""Loaded in every verl process (`VERL_USE_EXTERNAL_MODULES=runners.verl.plugin`).

Registers the trainer `curricle` and, on a machine without an accelerator, the platform and the
two rollouts, and keeps the garbage collector off what a start leaves behind. What is expensive to
import is named here and loaded where it is used: a run starts seven processes one after another,
and only one of them trains.
"""

from __future__ import annotations

import os
from typing import Any

import wrapt

from runners.verl.collector import set_start_aside
from runners.verl.versions import installed_version


def _load_transformers_replica() -> Any:
    from runners.verl.cpu_rollout import TransformersReplica

    return TransformersReplica


def _load_vllm_replica() -> Any:
    from runners.verl.cpu_vllm import CPUReplica

    return CPUReplica


def _register_rollouts(base: Any) -> None:
    # verl has no call to register the trainer's side of a rollout, only this table
    rollouts = base._ROLLOUT_REGISTRY
    rollouts["transformers", "async"] = "runners.verl.cpu_rollout.TransformersAdapter"
    rollouts["vllm_cpu", "async"] = rollouts["vllm", "async"]


def _register_replicas(replica: Any) -> None:
    replica.RolloutReplicaRegistry.register("transformers", _load_transformers_replica)
    replica.RolloutReplicaRegistry.register("vllm_cpu", _load_vllm_replica)


def _register_trainer(_: Any) -> None:
    """With verl's own trainers, which are looked up by name in the process that trains."""
    from runners.verl import curriculum_trainer  # noqa: F401  registers itself


installed_version()  # an unknown verl is refused before anything of it is used
set_start_aside()
if os.environ.get("VERL_PLATFORM") == "cpu":
    from runners.verl import cpu_platform  # noqa: F401  registers itself

    wrapt.when_imported("verl.workers.rollout.base")(_register_rollouts)
    wrapt.when_imported("verl.workers.rollout.replica")(_register_replicas)
wrapt.when_imported("verl.trainer.ppo.v1")(_register_trainer)
