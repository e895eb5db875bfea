"""Supervised fine-tuning before reinforcement learning: the kinds of data it may have.

To add one: write its file, then name its class in `AnySFT`. `stage.py` does it within a run;
`runners/local/sft.py` and `runners/verl/sft.py` train.
"""

from typing import Annotated

from pydantic import Field

from runners.sft.file import FileSFT
from runners.sft.rejection import RejectionSFT
from runners.sft.settings import SFT

AnySFT = Annotated[RejectionSFT | FileSFT, Field(discriminator="kind")]

__all__ = ["SFT", "AnySFT", "FileSFT", "RejectionSFT"]
