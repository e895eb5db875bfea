"""What an SFT trainer gets, and the batches that all of them train on, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runners.local import LocalTrainer
from runners.sft.examples import Tokens
from runners.sft.settings import SFT
from runners.tracking.trackers import TrackingSettings
from runners.tracking.training_log import NOWHERE_ELSE
from runners.verl.trainer import VerlTrainer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SFTJob:
    """All that a trainer needs to know."""

    model: Path
    """Hugging Face folder to start from."""
    folder: Path
    """Gets `metrics.jsonl` (a line an update: step, epoch, loss in nats a completion token,
    grad_norm, tokens read, seconds), checkpoints, and the `model` folder."""
    examples: Sequence[Tokens]
    settings: SFT
    place: LocalTrainer | VerlTrainer
    """Where and in which precision to train; the rest of it is reinforcement learning's."""
    seed: int
    tracking: TrackingSettings = NOWHERE_ELSE
    """Where its metrics go besides, as a run of its own: its steps are not the training's."""

    @property
    def workers(self) -> int:
        """Processes that share a batch."""
        return self.place.gpus_per_node if isinstance(self.place, VerlTrainer) else 1

    @property
    def batch_size(self) -> int:
        """Examples in an update: a multiple of the workers, no more than there are examples.

        Raises `ValueError` for fewer examples than workers.
        """
        most = min(self.settings.batch_size, len(self.examples))
        if most < self.workers:
            raise ValueError(
                f"sft must have at least one example and one place in sft.batch_size for each of "
                f"the {self.workers} workers, but got {len(self.examples)} examples and "
                f"batch_size={self.settings.batch_size}"
            )
        return most - most % self.workers

    @property
    def steps(self) -> int:
        """Updates in all; what is left of an epoch after its last whole batch waits for the next
        epoch's shuffling."""
        return self.settings.epochs * (len(self.examples) // self.batch_size)

    def epoch(self, step: int) -> int:
        """The epoch that an update lies in; both count from 1."""
        return (step - 1) * self.settings.epochs // self.steps + 1

    def batches(self) -> Iterator[Sequence[int]]:
        """Places of the examples of each update.

        The order is that of torch's `DistributedSampler`, which verl's trainer shuffles by; the
        run's seed has shuffled the examples themselves.
        """
        from torch.utils.data import DistributedSampler

        every: Sequence[int] = range(len(self.examples))
        sampler: torch.utils.data.DistributedSampler[int] = DistributedSampler(
            every, num_replicas=1, rank=0, drop_last=True
        )
        size = self.batch_size
        for epoch in range(self.settings.epochs):
            sampler.set_epoch(epoch)
            order = list(sampler)
            yield from (order[i : i + size] for i in range(0, len(order) - size + 1, size))
