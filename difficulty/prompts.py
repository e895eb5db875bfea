"""How a problem is put to a model: chat or plain, a system prompt, solved examples before it.

The result is always a list of chat messages and a chat template, so engines, the local trainer
and verl (`data.prompt` column, `model.custom_chat_template`) ask in exactly the same words.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, field_validator

from difficulty.engines.base import Message
from domains.base import Settings
from domains.presets.templates import system_text
from domains.problem import Problem
from domains.splits import nested_subset

PLAIN_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""Messages run together without role tokens: what a base model expects."""


class PromptFormat(Settings):
    """How a problem becomes messages."""

    style: Literal["chat", "plain"] = "chat"
    """`chat` uses the model's own chat template; `plain` is `Question: ... Answer:` without one."""
    system: str | None = None
    """A system prompt (chat) or an opening line (plain); or the name of one in
    `domains/presets/templates.py`, such as qwen2.5-math or r1-zero."""
    shots: int = Field(0, ge=0)
    """Solved examples before the question, of the same source, kept out of training."""

    @field_validator("system")
    @classmethod
    def _in_full(cls, system: str | None) -> str | None:
        return system_text(system)

    @property
    def chat_template(self) -> str | None:
        """The template that replaces the tokenizer's own, or None to keep it."""
        return PLAIN_TEMPLATE if self.style == "plain" else None

    def messages(self, problem: Problem, examples: Sequence[Problem] = ()) -> tuple[Message, ...]:
        """The chat that asks `problem` after `examples` are shown solved."""
        return self.ask(problem.prompt, examples)

    def ask(self, question: str, examples: Sequence[Problem] = ()) -> tuple[Message, ...]:
        """The chat that asks a question which need not be a problem's."""
        if self.style == "plain":
            shown = [f"Question: {e.prompt.strip()}\nAnswer: {e.answer}\n\n" for e in examples]
            asked = f"Question: {question.strip()}\nAnswer:"
            opening = [f"{self.system}\n\n"] if self.system else []
            return (Message(role="user", content="".join([*opening, *shown, asked])),)
        turns = [Message(role="system", content=self.system)] if self.system else []
        for example in examples:
            turns.append(Message(role="user", content=example.prompt))
            turns.append(Message(role="assistant", content=example.answer))
        return (*turns, Message(role="user", content=question))


def choose_examples(problems: Sequence[Problem], shots: int) -> dict[str, list[Problem]]:
    """The `shots` examples of every source, by uid hash: stable when the set grows."""
    by_source: dict[str, list[Problem]] = {}
    for problem in problems:
        by_source.setdefault(problem.source, []).append(problem)
    if shots == 0:
        return {source: [] for source in by_source}
    return {
        source: nested_subset(members, min(shots, len(members)), salt="shots")
        for source, members in by_source.items()
    }


class Prompter:
    """Asks problems in one format with one fixed choice of examples."""

    def __init__(self, style: PromptFormat, examples: Mapping[str, Sequence[Problem]]) -> None:
        self.style = style
        self.examples = examples

    def messages(self, problem: Problem) -> tuple[Message, ...]:
        return self.style.messages(problem, self.examples.get(problem.source, ()))
