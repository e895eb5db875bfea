"""verl's own vLLM rollout on the CPU build of vLLM (rollout name `vllm_cpu`).

One thing must differ: on a CPU vLLM packs the linear weights anew after loading and empties the
parameters they came from, so verl's `model.load_weights` finds nothing to load into. vLLM's own
`reload_weights` does the same transfer properly.
"""

from __future__ import annotations

from typing import Any

import ray
import torch
from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightReceiver
from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension
from verl.workers.rollout.vllm_rollout.vllm_async_server import vLLMHttpServer, vLLMReplica


class CPUWorkerExtension(vLLMColocateWorkerExtension):  # type: ignore[misc]
    """Takes new weights over shared memory and reloads the model with them."""

    def update_weights_from_ipc(
        self, peft_config: Any = None, base_sync_done: bool = False, use_shm: bool = False
    ) -> None:
        received: list[tuple[str, torch.Tensor]] = []

        def keep(weights: list[tuple[str, torch.Tensor]], is_last: bool) -> None:
            # the shared memory under these tensors is used again for the next bucket
            received.extend((name, tensor.detach().clone()) for name, tensor in weights)

        receiver = BucketedWeightReceiver(
            zmq_handle=self._get_zmq_handle(), device=torch.device("cpu"), use_shm=use_shm
        )
        receiver.receive_weights(on_bucket_received=keep)
        self.model_runner.reload_weights(weights_iterator=iter(received))


class CPUServer(vLLMHttpServer):  # type: ignore[misc]
    """verl's vLLM server with the CPU worker extension."""

    def _get_worker_extension_cls(self) -> str:
        return f"{__name__}.{CPUWorkerExtension.__name__}"


class CPUReplica(vLLMReplica):  # type: ignore[misc]
    """verl's vLLM replica with the CPU server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.server_class = ray.remote(CPUServer)

    def _get_server_name_prefix(self) -> str:
        return "vllm_cpu_"
