"""What can answer prompts: the `Engine` protocol and the records that cross it.

An engine is opened from settings (`kind: vllm | transformers | scripted`), answers batches of
requests, and is closed. It renders chat messages itself, with the model's own tokenizer, so that
scoring, training and evaluation cannot disagree about the template.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypedDict

from pydantic import Field

from domains.base import Settings

FinishReason = Literal["stop", "length"]


class Message(TypedDict):
    """One turn of a chat, as every chat template reads it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt and how many times to answer it."""

    uid: str
    messages: tuple[Message, ...]
    seeds: tuple[int, ...]
    """One completion for each seed (`sampling_seed`); equal seeds give equal completions."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer: decoded text without the end token."""

    text: str
    token_count: int
    """Generated tokens, the end token counted."""
    finish_reason: FinishReason


class Sampling(Settings):
    """Decoding, the same words for scoring, training and evaluation."""

    temperature: float = Field(1.0, ge=0)
    """0 is greedy."""
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(-1, ge=-1)
    """-1 keeps every token."""
    max_tokens: int = Field(256, ge=1)
    """Longest completion, in tokens."""
    stop: tuple[str, ...] = ()
    """Strings that end a completion; they are not part of its text."""


Answered = tuple[Request, list[Completion]]
"""A request, the very object that was asked, and its completions."""


class Engine(ABC):
    """An opened engine: a model in memory, ready to answer. Use it as a context manager."""

    @abstractmethod
    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        """Every request with its completions, one for each seed, in the order they are ready.

        Requests are taken as there is room for them. An engine answers one stream at a time; one
        that is not read to its end is given up.
        """

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """Completions in the order of `requests` and of each one's seeds: (requests, seeds)."""
        places: dict[int, list[int]] = {}
        for i, request in enumerate(requests):
            places.setdefault(id(request), []).append(i)
        found: list[list[Completion]] = [[] for _ in requests]
        for request, completions in self.stream(requests, sampling):
            found[places[id(request)].pop()] = completions
        return found

    @abstractmethod
    def identity(self) -> dict[str, str]:
        """What makes its completions its own: engine, dtype, model, weights, chat template."""

    def close(self) -> None:
        """Give back memory and processes. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class EngineSettings(Settings, ABC):
    """Settings that open an engine on a model folder."""

    @abstractmethod
    def open(self, model: Path, chat_template: str | None) -> Engine:
        """Load the model of a Hugging Face folder. `chat_template` replaces the tokenizer's own.

        Raises `ValueError` when the folder is no model or the engine is not installed.
        """

    @abstractmethod
    def identity(self, model: Path, chat_template: str | None) -> dict[str, str]:
        """What the opened engine's `identity` will say, without opening it: the store's key."""


def in_batches(requests: Iterable[Request], completions: int) -> Iterator[list[Request]]:
    """Lists of requests that ask for so many completions together, or one that asks for more."""
    batch: list[Request] = []
    size = 0
    for request in requests:
        if batch and size + len(request.seeds) > completions:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.seeds)
    if batch:
        yield batch


def sampling_seed(run_seed: int, uid: str, step: int, sample: int) -> int:
    """The seed of one completion: 31 bits of SHA-256 over run seed, uid, step and sample index.

    Depends on nothing else, so resuming, re-ordering and batching change no completion.
    """
    text = f"{run_seed}:{uid}:{step}:{sample}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1
