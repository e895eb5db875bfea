"""Checkpoints of the local trainer: one file, written beside, synced and renamed; one is kept.

Every random draw of a step belongs to (seed, uid, step, sample), so weights, optimisers, the
curriculum's state and the step's number are all there is to restore.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from difficulty.store.durable import put_in_place


def save_checkpoint(folder: Path, step: int, state: Mapping[str, Any]) -> None:
    """Write `step-N.pt` and then remove older ones."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:06d}.pt"
    beside = path.with_suffix(".tmp")
    try:
        torch.save(dict(state), beside)
    except BaseException:
        beside.unlink(missing_ok=True)  # half a checkpoint helps nobody where the disk is full
        raise
    put_in_place(beside, path)
    for old in folder.glob("step-*.pt"):
        if old != path:
            old.unlink()


def load_checkpoint(folder: Path) -> tuple[int, dict[str, Any]] | None:
    """(step, state) of the newest checkpoint, or None before the first."""
    import torch

    found = sorted(folder.glob("step-*.pt"))
    if not found:
        return None
    state: dict[str, Any] = torch.load(found[-1], weights_only=True, map_location="cpu")
    return int(found[-1].stem.removeprefix("step-")), state


def trainable(model: Any) -> dict[str, Any]:
    """The parameters that training changes, by name: all, or the LoRA adapters."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def restore_trainable(model: Any, state: Mapping[str, Any]) -> None:
    """Put back what `trainable` gave."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(state[name])
