"""verl's own FSDP workers and engines with what a CPU needs to be different, and nothing else.

- gloo is initialised before verl would ask torch for the backend `cpu:gloo,cpu:gloo`, which is
  refused because it names one device twice;
- the reference policy is not offloaded to the CPU, where it already is (offloading pins memory,
  which needs an accelerator);
- the critic is loaded with sdpa attention, where verl asks for flash attention in so many words.
"""

from __future__ import annotations

import os
from typing import Any

import ray
import torch
import torch.distributed
from verl.trainer.ppo.utils import Role
from verl.workers.engine import EngineRegistry
from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead, FSDPEngineWithValueHead
from verl.workers.engine_workers import ActorRolloutRefWorker, TrainingWorker

from runners.verl.segment_worker import SegmentTrainingWorker


class CPUTrainingWorker(TrainingWorker):  # type: ignore[misc]
    """verl's training worker over gloo."""

    def __init__(self, config: Any) -> None:
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group(
                "gloo", rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"])
            )
        super().__init__(config)


class CPUActorWorker(SegmentTrainingWorker, CPUTrainingWorker):
    """The same for the policy, which knows segments."""


class CPUActorRolloutRefWorker(ActorRolloutRefWorker):  # type: ignore[misc]
    """verl's actor, rollout and reference worker, its parts over gloo."""

    actor_worker_cls = CPUActorWorker
    ref_worker_cls = CPUTrainingWorker


def use_cpu_workers(workers: dict[Any, Any]) -> None:
    """Put these in the place of verl's own, in its table of workers by role."""
    for role in workers:
        own = CPUTrainingWorker if role == Role.Critic else CPUActorRolloutRefWorker
        workers[role] = ray.remote(own)


class _NotForwardOnly:
    """An engine config that says `forward_only=False` and else what the wrapped one says."""

    def __init__(self, config: Any) -> None:
        self._config = config

    def __getattr__(self, name: str) -> Any:
        return False if name == "forward_only" else getattr(self._config, name)


@EngineRegistry.register(model_type="language_model", backend=["fsdp2"], device="cpu")
class CPULanguageModelEngine(FSDPEngineWithLMHead):  # type: ignore[misc]
    """FSDP2 on the CPU; a reference policy without pinned memory."""

    engine_config: Any

    def _build_fsdp_module(self, module: Any) -> Any:
        own = self.engine_config
        if own.forward_only:
            self.engine_config = _NotForwardOnly(own)
        try:
            return super()._build_fsdp_module(module)
        finally:
            self.engine_config = own


@EngineRegistry.register(model_type="value_model", backend=["fsdp2"], device="cpu")
class CPUValueModelEngine(FSDPEngineWithValueHead):  # type: ignore[misc]
    """The critic: a token classifier of one label, with sdpa attention."""

    def _build_module(self) -> Any:
        from transformers import AutoModelForTokenClassification
        from verl.models.transformers.monkey_patch import apply_monkey_patch

        config = self.model_config.hf_config
        config.num_labels, config.classifier_dropout = 1, 0.0
        module = AutoModelForTokenClassification.from_pretrained(
            self.model_config.local_path,
            dtype=torch.float32,
            config=config,
            attn_implementation="sdpa",
        )
        apply_monkey_patch(
            model=module,
            use_remove_padding=self.use_remove_padding,
            ulysses_sp_size=1,
            use_fused_kernels=False,
            fused_kernels_backend=None,
        )
        return module.to(torch.float32)
