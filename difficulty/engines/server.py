"""A server as an engine: vLLM's own, or any that speaks OpenAI's completions API.

difficulty:
  engine: {kind: server, urls: ["http://gpu1:8000/v1", "http://gpu2:8000/v1"]}

Prompts are rendered and tokenized here, with the tokenizer of the config's model, and sent as token
ids: the server's own template cannot differ from training's. Each completion is a request with its
own seed. Every server has as many requests in flight as it bears: one more for each round that goes
well, half as many when it is overloaded (as TCP does it), never more than `concurrency`. What fails
in passing is asked again, elsewhere if there is an elsewhere.
"""

from __future__ import annotations

import os
import queue
import random
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from difficulty.engines.base import Answered, Completion, Engine, EngineSettings, Request, Sampling
from difficulty.engines.model_files import model_identity, require_model_folder

_FIRST_LIMIT = 8.0
"""Requests in flight on each server at the start."""
_LONGEST_PAUSE_SECONDS = 30.0
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}
"""HTTP statuses after which the same request may succeed."""


class Server(EngineSettings):
    """One server or several, all with the config's model."""

    kind: Literal["server"] = "server"
    urls: tuple[str, ...] = Field(min_length=1)
    """Base addresses, up to and with /v1."""
    served_model: str | None = None
    """The model's name on the servers; null for the only one they serve."""
    api_key_env: str | None = None
    """Environment variable with the key; null sends none."""
    concurrency: int = Field(256, ge=1)
    """Most requests in flight on each server."""
    timeout_seconds: float = Field(600, gt=0)
    """Longest wait for one completion."""
    retries: int = Field(8, ge=0)
    """How often one completion is asked again before scoring stops."""

    @field_validator("urls")
    @classmethod
    def _are_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"must start with http:// or https://, but got {url!r}")
        return tuple(url.rstrip("/") for url in urls)

    def open(self, model: Path, chat_template: str | None) -> Engine:
        require_model_folder(model)
        return ServerEngine(self, model, chat_template)

    def identity(self, model: Path, chat_template: str | None) -> dict[str, str]:
        served = self.served_model or ""
        return {"engine": "server", "served": served, **model_identity(model, chat_template)}


@dataclass
class _Gate:
    """How many requests one server gets at once."""

    url: str
    most: int
    limit: float = _FIRST_LIMIT
    in_flight: int = 0
    rests_until: float = 0.0
    failures: int = field(default=0)

    def has_room(self, now: float) -> bool:
        return now >= self.rests_until and self.in_flight < max(1, int(self.limit))

    def done(self, well: bool, now: float) -> None:
        self.in_flight -= 1
        if well:
            self.failures = 0
            self.limit = min(self.most, self.limit + 1 / self.limit)
            return
        self.limit = max(1.0, self.limit / 2)
        self.failures += 1
        pause = min(_LONGEST_PAUSE_SECONDS, 0.25 * 2**self.failures)
        self.rests_until = now + pause * random.uniform(0.5, 1)  # not all callers at once again


class ServerEngine(Engine):
    """Asks the servers from threads and hands out what is finished."""

    def __init__(self, settings: Server, model: Path, chat_template: str | None) -> None:
        import httpx
        from transformers import AutoTokenizer

        self.settings = settings
        self._identity = settings.identity(model, chat_template)
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._template = {"chat_template": chat_template} if chat_template else {}
        key = os.environ.get(settings.api_key_env) if settings.api_key_env else None
        if settings.api_key_env and not key:
            raise ValueError(
                f"api_key_env must name a variable that is set, but got {settings.api_key_env!r}"
            )
        at_once = settings.concurrency * len(settings.urls)
        self._client = httpx.Client(
            timeout=settings.timeout_seconds,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
        )
        self._gates = [_Gate(url, settings.concurrency) for url in settings.urls]
        self._turn = threading.Condition()
        self._given_up = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=at_once)
        self._served = settings.served_model or self._only_model()

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        finished: queue.SimpleQueue[tuple[int, int, Completion | Exception]] = queue.SimpleQueue()
        waiting: dict[int, tuple[Request, list[Completion | None]]] = {}
        source = enumerate(requests)
        asked, window = 0, 2 * self.settings.concurrency * len(self._gates)
        self._given_up.clear()
        try:
            while True:
                while asked < window and (entry := next(source, None)):
                    number, request = entry
                    waiting[number] = (request, [None] * len(request.seeds))
                    ids = self._encode(request)
                    for i, seed in enumerate(request.seeds):
                        asked += 1
                        self._pool.submit(self._work, ids, seed, sampling, (number, i), finished)
                if not waiting:
                    return
                number, i, result = finished.get()
                asked -= 1
                if isinstance(result, Exception):
                    raise result
                request, completions = waiting[number]
                completions[i] = result
                ready = [c for c in completions if c is not None]
                if len(ready) == len(completions):
                    del waiting[number]
                    yield request, ready
        finally:
            self._given_up.set()

    def identity(self) -> dict[str, str]:
        return dict(self._identity)

    def close(self) -> None:
        self._given_up.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _encode(self, request: Request) -> list[int]:
        text = self._tokenizer.apply_chat_template(
            list(request.messages), add_generation_prompt=True, tokenize=False, **self._template
        )
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _work(
        self,
        ids: list[int],
        seed: int,
        sampling: Sampling,
        place: tuple[int, int],
        finished: queue.SimpleQueue[tuple[int, int, Completion | Exception]],
    ) -> None:
        try:
            result: Completion | Exception = self._complete(ids, seed, sampling)
        except Exception as error:  # noqa: BLE001  the reader of the stream raises it
            result = error
        finished.put((*place, result))

    def _complete(self, ids: list[int], seed: int, sampling: Sampling) -> Completion:
        """One completion, asked again after passing failures; `ValueError` after the last."""
        import httpx

        body = {
            "model": self._served,
            "prompt": ids,
            "seed": seed,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            **({"top_k": sampling.top_k} if sampling.top_k > 0 else {}),
            **({"stop": list(sampling.stop)} if sampling.stop else {}),
        }
        trouble = ""
        for _ in range(self.settings.retries + 1):
            gate = self._enter()
            well = False
            try:
                response = self._client.post(f"{gate.url}/completions", json=body)
                well = response.status_code not in _PASSING
                if response.status_code == httpx.codes.OK:
                    return _completion(response.json())
                trouble = f"{gate.url}: HTTP {response.status_code}: {response.text[:300]}"
                if well:
                    break
            except httpx.HTTPError as error:
                trouble = f"{gate.url}: {type(error).__name__}: {error}"
            finally:
                self._leave(gate, well)
        raise ValueError(f"the server must answer, but it did not: {trouble}")

    def _enter(self) -> _Gate:
        """Wait for the server with the most room."""
        with self._turn:
            while True:
                if self._given_up.is_set():
                    raise ValueError("given up")
                now = time.monotonic()
                free = [gate for gate in self._gates if gate.has_room(now)]
                if free:
                    gate = max(free, key=lambda g: g.limit - g.in_flight)
                    gate.in_flight += 1
                    return gate
                self._turn.wait(timeout=0.1)

    def _leave(self, gate: _Gate, well: bool) -> None:
        with self._turn:
            gate.done(well, time.monotonic())
            self._turn.notify_all()

    def _only_model(self) -> str:
        import httpx

        url = self.settings.urls[0]
        try:
            response = self._client.get(f"{url}/models")
            names = [str(entry["id"]) for entry in response.json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"urls must be servers that answer, but {url} did not: {error}"
            ) from None
        if len(names) != 1:
            raise ValueError(
                f"served_model must be one of {', '.join(names)}, but got none and {url} serves "
                f"{len(names)}"
            )
        return names[0]


def _completion(answer: dict[str, Any]) -> Completion:
    choice = answer["choices"][0]
    reason: Literal["stop", "length"] = "length" if choice["finish_reason"] == "length" else "stop"
    return Completion(choice["text"], int(answer["usage"]["completion_tokens"]), reason)
