"""Sizes that fit: for each machine and each size of model, one row of settings.

A preset fills in what the config leaves open, and the resolved config shows every number. Rows are
for GPUs of 80 GB and responses of a few thousand tokens; `curricle plan` prints the memory that a
config needs (`memory.py`), whatever of it came from a preset. Starting points, checked against what
verl composes and against the estimate, not tuned for speed.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from runners.verl.model_shapes import SHAPES, shape_of

Preset = Literal["debug", "4gpu", "8gpu", "multinode"]
"""One GPU to try things on, one machine of four or of eight GPUs, two machines of eight."""

SIZES = {"1.5B": 2.2e9, "3B": 4.5e9, "7B": 9e9, "14B": 17e9, "32B": 36e9}
"""Each size class and the parameters up to which a model belongs to it."""

MACHINES: dict[Preset, dict[str, Any]] = {
    "debug": {"gpus_per_node": 1, "nodes": 1, "prompts_per_step": 16, "samples_per_prompt": 8},
    "4gpu": {"gpus_per_node": 4, "nodes": 1, "prompts_per_step": 64, "samples_per_prompt": 8},
    "8gpu": {"gpus_per_node": 8, "nodes": 1, "prompts_per_step": 128, "samples_per_prompt": 8},
    "multinode": {"gpus_per_node": 8, "nodes": 2, "prompts_per_step": 256, "samples_per_prompt": 8},
}


FULL_RATE, LORA_RATE = 1e-6, 1e-5
"""Learning rates with all weights and with adapters."""


def _full(tokens: int, parallel: int, gpu_memory: float, offload: bool) -> dict[str, Any]:
    return {
        "lora_rank": 0, "tokens_per_gpu": tokens, "tensor_parallel": parallel,
        "gpu_memory": gpu_memory, "offload": offload,
    }  # fmt: skip


def _lora(tokens: int, parallel: int, gpu_memory: float, offload: bool) -> dict[str, Any]:
    return {**_full(tokens, parallel, gpu_memory, offload), "lora_rank": 32}


ROWS: dict[tuple[Preset, str], dict[str, Any]] = {
    ("debug", "1.5B"): _full(16384, 1, 0.5, False),
    ("debug", "3B"): _full(8192, 1, 0.5, True),
    ("debug", "7B"): _lora(16384, 1, 0.5, False),
    ("debug", "14B"): _lora(8192, 1, 0.6, True),
    ("4gpu", "1.5B"): _full(32768, 1, 0.6, False),
    ("4gpu", "3B"): _full(24576, 1, 0.6, False),
    ("4gpu", "7B"): _full(16384, 2, 0.5, True),
    ("4gpu", "14B"): _lora(16384, 2, 0.6, False),
    ("4gpu", "32B"): _lora(8192, 4, 0.6, True),
    ("8gpu", "1.5B"): _full(32768, 1, 0.7, False),
    ("8gpu", "3B"): _full(32768, 1, 0.7, False),
    ("8gpu", "7B"): _full(24576, 2, 0.6, False),
    ("8gpu", "14B"): _full(16384, 4, 0.6, True),
    ("8gpu", "32B"): _lora(16384, 4, 0.6, False),
    ("multinode", "1.5B"): _full(32768, 1, 0.7, False),
    ("multinode", "3B"): _full(32768, 1, 0.7, False),
    ("multinode", "7B"): _full(32768, 2, 0.7, False),
    ("multinode", "14B"): _full(24576, 4, 0.6, False),
    ("multinode", "32B"): _full(16384, 8, 0.6, True),
}
"""Without a row: 32B on one GPU, which its weights alone fill."""


def fill_in(trainer: Any, model: Any) -> Any:
    """The trainer's settings, as parsed, with what its preset says of all that is not given.

    Raises `ValueError` for an unknown preset or model, and for a model that does not fit.
    """
    if not isinstance(trainer, dict) or trainer.get("preset") is None:
        return trainer
    preset, names = trainer["preset"], get_args(Preset)
    if preset not in names:
        near = get_close_matches(str(preset), names, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(
            f"trainer.preset must be one of {', '.join(names)}, but got {preset!r}{hint}"
        )
    size = size_of(str(model))
    row = ROWS.get((preset, size))
    if row is None:
        fitting = [name for name in names if (name, size) in ROWS]
        raise ValueError(
            f"trainer.preset must have room for a model of {size}, but got preset={preset!r} and "
            f"model={str(model)!r}; {', '.join(fitting)} have"
        )
    filled = {**MACHINES[preset], **row, **trainer}
    return {"learning_rate": LORA_RATE if filled["lora_rank"] else FULL_RATE, **filled}


def size_of(model: str) -> str:
    """The size class of a model. Raises `ValueError` where it cannot be told."""
    shape = shape_of(model)
    if shape is None:
        raise ValueError(
            "trainer.preset needs a model whose size is known: one of "
            f"{', '.join(SHAPES)}, or a folder with its config.json, but got model="
            f"{Path(model).name!r}; leave the preset out and give gpus_per_node, tensor_parallel, "
            "tokens_per_gpu, gpu_memory and offload"
        )
    for size, most in SIZES.items():
        if shape.parameters <= most:
            return size
    raise ValueError(
        f"trainer.preset knows models up to {list(SIZES)[-1]}, but {model!r} has "
        f"{shape.parameters / 1e9:.0f}B parameters"
    )
