"""The trainers. To add one: write its file or package, then name its class in `AnyTrainer`."""

from typing import Annotated

from pydantic import Field

from runners.local import LocalTrainer
from runners.simulated.trainer import SimulatedTrainer
from runners.trainer import Trainer, TrainingJob
from runners.verl.trainer import VerlTrainer

AnyTrainer = Annotated[LocalTrainer | VerlTrainer | SimulatedTrainer, Field(discriminator="kind")]

__all__ = [
    "AnyTrainer",
    "LocalTrainer",
    "SimulatedTrainer",
    "Trainer",
    "TrainingJob",
    "VerlTrainer",
]
