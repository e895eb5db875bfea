"""What a verl run needs of each GPU, estimated before one is spent.

With P parameters, T of them trained, G GPUs (FSDP2 shards over all of them), N tokens of a
micro-batch on each GPU, L layers of width h, a vocabulary of V, and R-way tensor parallel:

    weights      b P / G        b = 4 bytes (float32 masters); 2 for the frozen base under LoRA
    gradients    4 T / G
    Adam         8 T / G        two moments in float32
    reference    b P / G        only with a KL term, and not under LoRA (the base is the reference)
    gathered     2 P / L + 2 h V   one layer and the embedding whole, in bfloat16
    activations  N (2 h L + 34 h + 8 V)   checkpointed inputs of every layer, one layer in full
                 (Korthikanti et al. 2205.05198); in bfloat16 the logits, a copy divided by the
                 temperature, and the gradients by log-probabilities and by entropy
    rollout      2 P / R        vLLM's own copy, in bfloat16
    KV cache     what `gpu_memory` of the GPU leaves after that

PPO's critic doubles weights, gradients and Adam. vLLM sleeps while the policy trains, so the peak
is the larger of the two phases; `offload` takes weights, Adam and reference to the host while vLLM
rolls out. An estimate: fragmentation and CUDA's own 1 to 2 GB come on top, for which 8 % are kept.
It takes flash attention for granted: without it rows are padded and log-softmaxes kept in float32.
By the same formulas the smallest machines that verl's documentation has run GRPO on (Qwen2-7B on
two GPUs of 80 GB, 14B on four) have room, and half as many GPUs have not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runners.verl.model_shapes import ModelShape

if TYPE_CHECKING:
    from runners.verl.trainer import VerlTrainer

GPU_BYTES = 80e9
"""The GPU that presets are for."""
USABLE = 0.92
"""Share of a GPU's memory that may be planned with."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on each GPU."""

    weights: float
    gradients: float
    adam: float
    reference: float
    gathered: float
    activations: float
    rollout_weights: float
    kv_cache: float
    offload: bool
    kv_tokens: int
    """Tokens that the KV cache of one rollout engine has room for."""

    @property
    def training(self) -> float:
        """Peak while the policy is updated."""
        kept = self.weights + self.gradients + self.adam + self.reference
        return kept + self.gathered + self.activations

    @property
    def rollout(self) -> float:
        """Peak while vLLM generates."""
        kept = 0.0 if self.offload else self.weights + self.adam + self.reference
        return kept + self.rollout_weights + self.kv_cache

    def fits(self, gpu_bytes: float = GPU_BYTES) -> bool:
        """Whether both phases do, with something to spare, and the rollout has a KV cache."""
        return max(self.training, self.rollout) <= USABLE * gpu_bytes and self.kv_cache > 0


def estimate(trainer: VerlTrainer, shape: ModelShape, gpu_bytes: float = GPU_BYTES) -> Memory:
    """The formulas above for one trainer and one model."""
    gpus = trainer.gpus_per_node * trainer.nodes
    lora = trainer.lora_rank > 0
    trained = shape.lora_parameters(trainer.lora_rank) if lora else shape.parameters
    models = 2 if trainer.algorithm == "ppo" else 1
    width = 2 if lora else 4
    weights = (width * shape.parameters + (4 * trained if lora else 0)) / gpus
    rollout_weights = 2 * shape.parameters / trainer.tensor_parallel
    kv_cache = trainer.gpu_memory * gpu_bytes - rollout_weights
    per_token = 2 * shape.hidden * shape.layers + 34 * shape.hidden + 8 * shape.vocabulary
    kv_share = shape.kv_bytes_per_token / min(trainer.tensor_parallel, shape.kv_heads)
    return Memory(
        weights=models * weights,
        gradients=models * 4 * trained / gpus,
        adam=models * 8 * trained / gpus,
        reference=width * shape.parameters / gpus if trainer.has_reference and not lora else 0.0,
        gathered=2 * shape.parameters / shape.layers + 2 * shape.hidden * shape.vocabulary,
        activations=trainer.tokens_per_gpu * per_token,
        rollout_weights=rollout_weights,
        kv_cache=kv_cache,
        offload=trainer.offload,
        kv_tokens=max(0, int(kv_cache / kv_share)),
    )


def described(memory: Memory, gpu_bytes: float = GPU_BYTES) -> list[tuple[str, str]]:
    """Name and figure of each part, for people."""
    parts = ("weights", "gradients", "adam", "reference", "gathered", "activations")
    rows = [(name, _gigabytes(getattr(memory, name))) for name in parts]
    verdict = "fits" if memory.fits(gpu_bytes) else "does NOT fit"
    return [
        *rows,
        ("rollout weights", _gigabytes(memory.rollout_weights)),
        ("KV cache", f"{_gigabytes(memory.kv_cache)} ({memory.kv_tokens:,} tokens)"),
        ("peak while training", _gigabytes(memory.training)),
        ("peak while rolling out", _gigabytes(memory.rollout)),
        ("in all", f"{verdict} into {gpu_bytes / 1e9:.0f} GB with {1 - USABLE:.0%} to spare"),
    ]


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
