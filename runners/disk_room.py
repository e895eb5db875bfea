"""Whether the disk has room for a training's checkpoints, asked before any long work.

With P parameters of which T are trained, in float32:

    checkpoint   4 P + 8 T   verl: weights and Adam's two moments; PPO's critic as much again
                 12 T        the local trainer, which keeps no more than it trains
    model        4 P         the trained model as a Hugging Face folder

A checkpoint is finished before the one it follows is removed, so two of them stand for a moment;
the model is written beside the last one. What stands already in the folder is counted as room.
"""

from __future__ import annotations

import json
import shutil
from math import prod
from pathlib import Path

from runners.trainer import Trainer
from runners.verl.model_shapes import shape_of


def check_room(trainer: Trainer, model: Path, folder: Path) -> None:
    """Raises `ValueError` when the disk of `folder` has less room than the training needs.

    A model in another format than safetensors says too little about its size: nothing is checked.
    """
    parameters = count_parameters(model)
    shape = shape_of(str(model)) if trainer.lora_rank else None
    trained = shape.lora_parameters(trainer.lora_rank) if shape else parameters
    checkpoint = trainer.checkpoint_bytes(parameters, trained)
    saves = -(-trainer.steps // trainer.checkpoint_every)
    needed = max(min(saves, 2) * checkpoint, checkpoint + 4 * parameters) if checkpoint else 0
    room = _free(folder) + _size(folder)
    if room < needed:
        raise ValueError(
            f"the disk must have room for the training's checkpoints, about {_gigabytes(needed)} "
            f"for {parameters / 1e6:,.0f}M parameters, but got {_gigabytes(room)} at {folder}; "
            "free some space, or choose another folder with `out`"
        )


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
    return sum(path.stat().st_size for path in folder.glob("checkpoints/**/*") if path.is_file())


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.2g} GB" if size < 1e10 else f"{size / 1e9:,.0f} GB"
