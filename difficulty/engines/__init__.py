"""Who answers prompts, one engine a file. To add one: its file, then its class in `AnyEngine`."""

from typing import Annotated

from pydantic import Field

from difficulty.engines.scripted import Scripted
from difficulty.engines.server import Server
from difficulty.engines.transformers import Transformers
from difficulty.engines.vllm import Vllm

AnyEngine = Annotated[Vllm | Server | Transformers | Scripted, Field(discriminator="kind")]

__all__ = ["AnyEngine", "Scripted", "Server", "Transformers", "Vllm"]
