"""What comes next. To add a scheduler: write its file, then name its class in `AnyScheduler`."""

from typing import Annotated

from pydantic import Field

from curricula.base import Batch, Curriculum, Item, Outcome, Scheduler
from curricula.mixed import Mixed
from curricula.staged import Staged

AnyScheduler = Annotated[Mixed | Staged, Field(discriminator="kind")]

__all__ = [
    "AnyScheduler",
    "Batch",
    "Curriculum",
    "Item",
    "Mixed",
    "Outcome",
    "Scheduler",
    "Staged",
]
