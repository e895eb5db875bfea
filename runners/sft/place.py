"""Where SFT runs: with the run's own trainer, or with another kind that its settings ask for."""

from __future__ import annotations

from runners.local import LocalTrainer
from runners.sft.settings import SFT
from runners.trainers import AnyTrainer
from runners.verl.trainer import VerlTrainer


def place_of(sft: SFT, trainer: AnyTrainer) -> LocalTrainer | VerlTrainer:
    """Whose device and workers SFT takes: the run's trainer, where it is of the kind asked for."""
    asked = sft.trainer or trainer.kind
    if isinstance(trainer, LocalTrainer | VerlTrainer) and trainer.kind == asked:
        return trainer
    return VerlTrainer() if asked == "verl" else LocalTrainer()
