"""transformers as an engine: for where vLLM cannot run, and inside the local trainer.

It samples with `difficulty.engines.decoding`: slower than vLLM, but with no start-up, no processes
of its own and, given a model in memory, no copy of the weights.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from difficulty.engines.base import (
    Answered,
    Completion,
    Engine,
    EngineSettings,
    FinishReason,
    Request,
    Sampling,
    in_batches,
)
from difficulty.engines.model_files import model_identity, require_model_folder, where_it_runs

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# PyTorch's CPU threads spin while they wait for one another; next to other busy processes that made
# training ten times slower. Read once, when PyTorch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_STREAMED = 512
"""Completions that are sorted and decoded together."""

Device = Literal["auto", "cpu", "cuda"]


class Transformers(EngineSettings):
    """transformers in this process."""

    kind: Literal["transformers"] = "transformers"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto` is float32 on a CPU, where it makes results independent of batching, and the model's
    own type on a GPU."""
    device: Device = "auto"
    """`auto` is cuda where there is a GPU, else cpu."""
    batch_size: int = Field(256, ge=1)
    """Completions decoded at the same time."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of PyTorch; None leaves its own choice."""

    def open(self, model: Path, chat_template: str | None) -> Engine:
        require_model_folder(model)
        return TransformersEngine(
            *load_model(model, self.dtype, self.device, self.threads),
            chat_template=chat_template,
            batch_size=self.batch_size,
            identity=self.identity(model, chat_template),
        )

    def identity(self, model: Path, chat_template: str | None) -> dict[str, str]:
        facts = model_identity(model, chat_template)
        device = where_it_runs() if self.device == "auto" else self.device
        return {"engine": "transformers", "dtype": self.dtype, "device": device, **facts}


@dataclass(frozen=True, slots=True)
class Rollout:
    """A completion with the tokens behind it, as a trainer needs them."""

    prompt_tokens: tuple[int, ...]
    tokens: tuple[int, ...]
    """Generated tokens, the end token included."""
    text: str
    finish_reason: FinishReason
    log_probability: float
    """Sum over `tokens`, under the distribution they were sampled from."""


class TransformersEngine(Engine):
    """An engine over a model in memory, which the caller may go on changing between calls."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        chat_template: str | None = None,
        batch_size: int = 256,
        identity: dict[str, str] | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.chat_template = chat_template
        self.batch_size = batch_size
        self._identity = identity

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        for batch in in_batches(requests, _STREAMED):
            for request, group in zip(batch, self.roll_out(batch, sampling), strict=True):
                yield (
                    request,
                    [Completion(r.text, len(r.tokens), r.finish_reason) for r in group],
                )

    def close(self) -> None:
        """Let go of the model, so that a GPU has room for whoever trains next."""
        import torch

        vars(self).pop("model", None)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def roll_out(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Rollout]]:
        """`generate` with tokens and log-probabilities: (requests, seeds)."""
        from difficulty.engines.decoding import Decoder

        training = self.model.training
        self.model.eval()
        decoder = Decoder(self.model, self.tokenizer, self._ends())
        prompts = [self._encode(request, sampling.max_tokens) for request in requests]
        groups: list[list[Rollout]] = [[] for _ in requests]
        for part in self._parts(requests, prompts):
            decoded = decoder.decode(
                [prompts[i] for i, _ in part], [seeds for _, seeds in part], sampling
            )
            for (i, _), completions in zip(part, decoded, strict=True):
                for c in completions:
                    text = self._text(c.tokens, sampling.stop)
                    groups[i].append(
                        Rollout(
                            prompts[i], tuple(c.tokens), text, c.finish_reason, c.log_probability
                        )
                    )
        self.model.train(training)
        return groups

    def identity(self) -> dict[str, str]:
        """Of a model in memory the weights are hashed as they are now."""
        if self._identity is not None:
            return dict(self._identity)
        template = self.chat_template or self.tokenizer.chat_template or ""
        return {
            "engine": "transformers",
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "model": type(self.model).__name__,
            "weights": _state_hash(self.model),
            "chat_template": hashlib.sha256(str(template).encode()).hexdigest()[:16],
        }

    def _parts(
        self, requests: Sequence[Request], prompts: Sequence[tuple[int, ...]]
    ) -> list[list[tuple[int, tuple[int, ...]]]]:
        """Parts of at most `batch_size` completions, of prompts of like lengths.

        Each part is a list of (index of the request, those of its seeds that are in the part).
        """
        parts: list[list[tuple[int, tuple[int, ...]]]] = []
        room = 0
        for i in sorted(range(len(requests)), key=lambda i: (len(prompts[i]), i)):
            seeds = requests[i].seeds
            while seeds:
                if room == 0:
                    parts.append([])
                    room = self.batch_size
                parts[-1].append((i, seeds[:room]))
                seeds, room = seeds[room:], room - min(room, len(seeds))
        return parts

    def _encode(self, request: Request, max_tokens: int) -> tuple[int, ...]:
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in request.messages],
            chat_template=self.chat_template,
            tokenize=False,
            add_generation_prompt=True,
        )
        tokens = tuple(self.tokenizer.encode(text, add_special_tokens=False))
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit is not None and len(tokens) + max_tokens > limit:
            raise ValueError(
                f"prompt and completion must fit into the model's {limit} positions, but problem "
                f"{request.uid} has {len(tokens)} prompt tokens and {max_tokens=}"
            )
        return tokens

    def _text(self, tokens: Sequence[int], stop: tuple[str, ...]) -> str:
        text = str(self.tokenizer.decode(tokens, skip_special_tokens=True))
        ends = [position for end in stop if (position := text.find(end)) >= 0]
        return text[: min(ends)] if ends else text

    def _ends(self) -> frozenset[int]:
        """The end tokens: one or several in the generation config, else the tokenizer's own."""
        ends = self.model.generation_config.eos_token_id
        if ends is None:
            ends = self.tokenizer.eos_token_id
        if ends is None:
            return frozenset()
        return frozenset(ends if isinstance(ends, list) else [ends])


def load_model(
    folder: Path, dtype: str, device: Device, threads: int | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal language model and its tokenizer, on the device that the settings name."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # the caller has bars of its own
    if threads is not None:
        torch.set_num_threads(threads)
    where = choose_device(device)
    if dtype == "auto" and where.type == "cpu":
        dtype = "float32"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")
    return model.to(where).eval(), AutoTokenizer.from_pretrained(folder)


def choose_device(device: Device) -> torch.device:
    """The device itself. Raises `ValueError` where cuda is asked for and not there."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device must be one that this machine has, but got {device=}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def _state_hash(model: Any) -> str:
    """16 hex digits of SHA-256 over names and values of a model's tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
