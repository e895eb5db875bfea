"""The trainers. To add one: write its file or package, then name its class in `AnyTrainer`."""

from typing import Annotated

from pydantic import Field

from runners.local import LocalTrainer
from runners.trainer import Trainer, TrainingJob
from runners.verl import VerlTrainer

AnyTrainer = Annotated[LocalTrainer | VerlTrainer, Field(discriminator="kind")]

__all__ = ["AnyTrainer", "LocalTrainer", "Trainer", "TrainingJob", "VerlTrainer"]
