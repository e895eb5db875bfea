"""Whether the disk has room for a run's checkpoints and models, asked before any long work.

With P parameters of which T are trained, in float32:

    checkpoint   4 P + 8 T   verl: weights and Adam's two moments; PPO's critic as much again
                 12 T        the local trainer, which keeps no more than it trains
    model        4 P         the trained model as a Hugging Face folder

A checkpoint is finished before the one it follows is removed, so two of them stand for a moment;
the model is written beside the last one. What SFT leaves stands while the training after it runs.
What stands already in the run's folder is counted as room.
"""

from __future__ import annotations

import json
import shutil
from math import prod
from pathlib import Path

from runners.run_dir import RunDir
from runners.sft import SFT
from runners.sft.place import place_of
from runners.trainers import AnyTrainer
from runners.verl.model_shapes import shape_of


def check_room(trainer: AnyTrainer, model: Path, folder: RunDir, sft: SFT | None = None) -> None:
    """Raises `ValueError` when the disk of `folder` has less room than the run needs.

    A model in another format than safetensors says too little about its size: nothing is checked.
    """
    parameters = count_parameters(model)
    saves = -(-trainer.steps // trainer.checkpoint_every)
    copies = 2 if trainer.algorithm == "ppo" else 1
    checkpoint = copies * trainer.checkpoint_bytes(parameters, _trained(model, trainer.lora_rank))
    needed = _at_most(checkpoint, saves, parameters)
    if sft and sft.wanted:
        trained = _trained(model, sft.lora_rank)
        checkpoint = place_of(sft, trainer).checkpoint_bytes(parameters, trained)
        left = checkpoint + 4 * parameters
        needed = max(_at_most(checkpoint, 2, parameters), left + needed)
    room = _free(folder.root) + _size(folder.training) + _size(folder.sft)
    if room < needed:
        raise ValueError(
            f"the disk must have room for the run's checkpoints, about {_gigabytes(needed)} "
            f"for {parameters / 1e6:,.0f}M parameters, but got {_gigabytes(room)} at "
            f"{folder.root}; free some space, or choose another folder with `out`"
        )


def _trained(model: Path, lora_rank: int) -> int:
    """Parameters that are trained; all of them where the model's shape is not known."""
    shape = shape_of(str(model)) if lora_rank else None
    return shape.lora_parameters(lora_rank) if shape else count_parameters(model)


def _at_most(checkpoint: int, saves: int, parameters: int) -> int:
    """Bytes that stand at the worst moment of a training."""
    return max(min(saves, 2) * checkpoint, checkpoint + 4 * parameters) if checkpoint else 0


def count_parameters(model: Path) -> int:
    """Numbers in a model folder's safetensors files, from their headers; 0 where there are none."""
    count = 0
    for path in model.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        tensors = (entry for name, entry in header.items() if name != "__metadata__")
        count += sum(prod(entry["shape"]) for entry in tensors)
    return count


def _free(folder: Path) -> int:
    """Bytes that may still be written where a folder stands or will stand."""
    standing = next(f for f in (folder, *folder.absolute().parents) if f.is_dir())
    return shutil.disk_usage(standing).free


def _size(folder: Path) -> int:
    """Bytes of a training's checkpoints and its model."""
    found = (path for name in ("checkpoints", "model") for path in (folder / name).rglob("*"))
    return sum(path.stat().st_size for path in found if path.is_file())


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.2g} GB" if size < 1e10 else f"{size / 1e9:,.0f} GB"
