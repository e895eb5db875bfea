"""An engine that says what it is told to: for tests, and for trying a config without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from difficulty.engines.base import Answered, Completion, Engine, EngineSettings, Request, Sampling
from domains.base import as_json

Texts = Annotated[tuple[str, ...], Field(min_length=1)]


class Scripted(EngineSettings):
    """Answers from a script. The model's folder is not looked at and need not exist."""

    kind: Literal["scripted"] = "scripted"
    script: dict[str, Texts] = Field(default_factory=dict)
    """Possible completions by the content of the last message; the seed picks one of them."""
    otherwise: Texts = ("",)
    """Possible completions of a prompt that the script does not hold."""

    def open(self, model: Path, chat_template: str | None) -> Engine:
        return ScriptedEngine(self, self.identity(model, chat_template))

    def identity(self, model: Path, chat_template: str | None) -> dict[str, str]:
        script = hashlib.sha256(as_json(self.model_dump(mode="json")).encode()).hexdigest()[:16]
        return {"engine": "scripted", "model": model.name, "script": script}


class ScriptedEngine(Engine):
    """Picks by seed alone, like an engine that samples; one word is one token."""

    def __init__(self, settings: Scripted, identity: dict[str, str]) -> None:
        self.settings = settings
        self._identity = identity

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        for request in requests:
            yield request, [self._complete(request, seed, sampling) for seed in request.seeds]

    def identity(self) -> dict[str, str]:
        return dict(self._identity)

    def _complete(self, request: Request, seed: int, sampling: Sampling) -> Completion:
        settings = self.settings
        texts = settings.script.get(request.messages[-1]["content"], settings.otherwise)
        text = texts[seed % len(texts)]
        for end in sampling.stop:
            text = text.split(end)[0]
        words = text.split(" ")
        if len(words) >= sampling.max_tokens:  # the end token needs room too
            cut = " ".join(words[: sampling.max_tokens])
            return Completion(cut, sampling.max_tokens, "length")
        return Completion(text, len(words) + 1, "stop")
