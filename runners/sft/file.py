"""SFT on answers from elsewhere: a file of prompts and completions, or of messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from difficulty.engines.base import Message
from domains.normal_text import tokens
from domains.problem import Problem
from domains.sources.tables import read_file
from runners.sft.examples import Collected, Example, Material, normal
from runners.sft.settings import SFT

ROLES = ("system", "user", "assistant")


class FileSFT(SFT):
    """A file of worked answers.

    A row has `prompt` and `completion`, each a text or a list of messages, or `messages`, the last
    one the assistant's; only that one is learnt. A text is asked as `prompt:` in the config says.
    Rows whose question stands in the evaluation set are left out, and so are those of problems that
    are set apart for reinforcement learning.
    """

    kind: Literal["file"] = "file"
    path: Path
    """JSON lines, a JSON list, parquet or CSV."""

    def collect(self, material: Material) -> Collected:
        evaluated = {_words(p.prompt) for p in material.evaluation.values()}
        known = {normal(p.prompt): p for p in material.training.values()}
        left_out: Counter[str] = Counter()
        found: dict[tuple[str, str], Example] = {}
        for number, row in enumerate(read_file(self.path), start=1):
            asked, completion = _read(row, f"sft.path {self.path} row {number}")
            text = asked if isinstance(asked, str) else asked[-1]["content"]
            question = normal(text)
            problem = known.get(question) or material.training.get(row.get("uid", ""))
            if _words(text) in evaluated or row.get("uid") in material.evaluation:
                left_out["in the evaluation set"] += 1
            elif problem is not None and problem.uid not in material.apart:
                left_out["for reinforcement learning"] += 1
            elif (key := (question, normal(completion))) in found:
                left_out["repeats"] += 1
            else:
                found[key] = _example(asked, completion, problem, material)
        if not found:
            raise ValueError(
                f"sft.path must hold rows to learn from, but all of {self.path} are left out: "
                f"{dict(left_out)}"
            )
        uids = {example.uid for example in found.values() if example.uid}
        return Collected(
            list(found.values()), dict(left_out), {"problems of the training set": len(uids)}
        )


def _words(question: str) -> str:
    """A question as overlaps between sets are looked for: however it is set."""
    return " ".join(tokens(question))


def _example(
    asked: str | tuple[Message, ...], completion: str, problem: Problem | None, material: Material
) -> Example:
    """Messages stay as they are; a text is asked as the run asks."""
    uid = problem.uid if problem else None
    if not isinstance(asked, str):
        return Example(asked, completion, uid)
    if problem is not None:
        return Example(material.prompter.messages(problem), completion, uid)
    return Example(material.prompter.style.ask(asked), completion)


def _read(row: Mapping[str, Any], place: str) -> tuple[str | tuple[Message, ...], str]:
    """(prompt, completion) of a row; `ValueError` says what is wrong with it."""
    if row.get("messages") is not None:
        turns = _messages(row["messages"], f"{place}: messages")
        if turns[-1]["role"] != "assistant" or len(turns) == 1:
            raise ValueError(
                f"{place}: messages must be a question and, last, the assistant's answer, but got "
                f"the roles {[turn['role'] for turn in turns]}"
            )
        return tuple(turns[:-1]), turns[-1]["content"]
    for name in ("prompt", "completion"):
        if row.get(name) in (None, "", []):
            near = get_close_matches(name, [key for key in row if key != name], 1, 0.6)
            hint = f" (is {near[0]!r} meant?)" if near else ""
            raise ValueError(
                f"{place} must have prompt and completion, or messages, but {name} is missing "
                f"among the keys {sorted(row)}{hint}"
            )
    asked, answer = row["prompt"], row["completion"]
    if not isinstance(answer, str):
        turns = _messages(answer, f"{place}: completion")
        if [turn["role"] for turn in turns] != ["assistant"]:
            raise ValueError(f"{place}: completion must be one message of the assistant's")
        answer = turns[0]["content"]
    if isinstance(asked, str):
        return asked, answer
    return tuple(_messages(asked, f"{place}: prompt")), answer


def _messages(value: Any, place: str) -> list[Message]:
    """Checked turns of a chat."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"{place} must be a list of messages, but got {str(value)[:60]!r}")
    found: list[Message] = []
    for turn in value:
        role = turn.get("role") if isinstance(turn, Mapping) else None
        content = turn.get("content") if isinstance(turn, Mapping) else None
        if role not in ROLES or not isinstance(content, str):
            raise ValueError(
                f"{place} must have a role of {', '.join(ROLES)} and a text as content, but got "
                f"{str(turn)[:60]!r}"
            )
        found.append(Message(role=role, content=content))
    return found
