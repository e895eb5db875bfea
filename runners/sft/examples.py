"""Examples for SFT: what they are made of, how they are kept, and their tokens.

An example asks in exactly the words in which reinforcement learning will ask, and its tokens are
fixed here once, so that every trainer learns the same: the prompt as the engines encode it, the
completion, and the end token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from difficulty.engines.base import Message
from difficulty.prompts import Prompter
from difficulty.store.completions import ScoredCompletion
from domains.problem import Problem


@dataclass(frozen=True)
class Material:
    """What examples may be made of."""

    apart: Mapping[str, Problem]
    """The problems for SFT, by uid."""
    training: Mapping[str, Problem]
    """All training problems, those for reinforcement learning among them."""
    evaluation: Mapping[str, Problem]
    """Never learnt from."""
    prompter: Prompter
    buckets: Mapping[str, str]
    """The bucket of every problem that is in one, by uid."""
    completions: Iterable[ScoredCompletion]
    """The scored completions of the base model, to be read once."""
    seed: int


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the completion to learn."""

    messages: tuple[Message, ...]
    completion: str
    uid: str | None = None
    """The problem's, where it is one of the training set."""
    sample: int | None = None
    """Which of the problem's scored completions it is."""

    def to_json(self) -> dict[str, Any]:
        """A line that `kind: file` reads, as others do: the last message is the answer."""
        answer = Message(role="assistant", content=self.completion)
        return {
            "uid": self.uid,
            "sample": self.sample,
            "messages": [dict(message) for message in (*self.messages, answer)],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Example:
        *asked, answer = row["messages"]
        messages = tuple(Message(role=m["role"], content=m["content"]) for m in asked)
        return cls(messages, answer["content"], row["uid"], row["sample"])


@dataclass(frozen=True)
class Collected:
    """Examples, and why there are not more."""

    examples: list[Example]
    left_out: dict[str, int] = field(default_factory=dict)
    """Completions or rows by the reason why they are not used."""
    problems: dict[str, int] = field(default_factory=dict)
    """Problems for SFT by what there is of them."""
    never_solved: list[str] = field(default_factory=list)
    """Uids of problems for SFT whose judged completions are all not correct."""


def normal(text: str) -> str:
    """A text as repeats are found by: without differences of spacing and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


@dataclass(frozen=True, slots=True)
class Tokens:
    """An example as a model reads it."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    """What is learnt, the end token included."""

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def encode(
    examples: Sequence[Example], model: Path, chat_template: str | None
) -> tuple[list[Tokens], int]:
    """The tokens of the examples that fit the model's positions, and the number of the others.

    `chat_template` replaces the tokenizer's own; None keeps that.
    """
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    ending = _end_token(model, tokenizer)
    room = getattr(AutoConfig.from_pretrained(model), "max_position_embeddings", None)
    found: list[Tokens] = []
    for example in examples:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in example.messages],
            chat_template=chat_template,
            tokenize=False,
            add_generation_prompt=True,
        )
        tokens = _tokens(tokenizer, text, example.completion)
        found.append(Tokens(tokens.prompt, (*tokens.completion, *ending)))
    fitting = [tokens for tokens in found if room is None or len(tokens) <= room]
    return fitting, len(found) - len(fitting)


def _tokens(tokenizer: Any, prompt: str, completion: str) -> Tokens:
    """The completion's tokens as they follow the prompt's: some tokenizers put a space before
    what stands alone. A prompt whose last token would grow into the completion is cut off first,
    as it is when the model generates.
    """
    asked = tokenizer.encode(prompt, add_special_tokens=False)
    whole = tokenizer.encode(prompt + completion, add_special_tokens=False)
    if whole[: len(asked)] == asked:
        return Tokens(tuple(asked), tuple(whole[len(asked) :]))
    return Tokens(tuple(asked), tuple(tokenizer.encode(completion, add_special_tokens=False)))


def _end_token(model: Path, tokenizer: Any) -> list[int]:
    """The token that ends a generation: the tokenizer's, unless the model has only others."""
    from transformers import GenerationConfig

    own = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    if not (model / "generation_config.json").is_file():
        return own
    ends = GenerationConfig.from_pretrained(model).eos_token_id
    if ends is None:
        return own
    listed = ends if isinstance(ends, list) else [ends]
    return own if set(own) & set(listed) else listed[:1]
