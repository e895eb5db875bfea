"""The local trainer: reinforcement learning in one process."""

from runners.local.trainer import LocalTrainer

__all__ = ["LocalTrainer"]
