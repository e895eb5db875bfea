"""The memory that a verl run needs of each GPU, beside the plan of what it trains on."""

from __future__ import annotations

from runners.config import RunConfig
from runners.console import console, print_table
from runners.trainers import VerlTrainer
from runners.verl.memory import GPU_BYTES, described, estimate
from runners.verl.model_shapes import shape_of


def print_memory(config: RunConfig) -> None:
    """Print the estimate for a verl trainer; the formulas stand in `runners/verl/memory.py`."""
    trainer = config.trainer
    if not isinstance(trainer, VerlTrainer) or config.model == "tiny":
        return
    shape = shape_of(config.model)
    if shape is None:
        console.print(
            f"[yellow]no memory estimate: the shape of {config.model} is not known (a model folder "
            "with a config.json would say)[/yellow]"
        )
        return
    gpu_bytes = _gpu_bytes()
    gpus = trainer.gpus_per_node * trainer.nodes
    title = f"Memory of each of {gpus} GPUs ({shape.parameters / 1e9:.1f}B parameters, estimated)"
    print_table(title, ["", ""], described(estimate(trainer, shape, gpu_bytes), gpu_bytes))


def _gpu_bytes() -> float:
    """The memory of this machine's GPU, or that of the GPUs that presets are for."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.get_device_properties(0).total_memory)
    return GPU_BYTES
