"""Answers from a file: rows of several forms, and those that must not be learnt from."""

import json
from pathlib import Path
from typing import Any

import pytest

from difficulty.prompts import Prompter, PromptFormat
from domains.checkers.exact import Exact
from domains.problem import Problem
from runners.sft import FileSFT
from runners.sft.examples import Collected, Example, Material


def collect(path: Path, rows: list[dict[str, Any]], **style: Any) -> Collected:
    """`apart?` is a problem for SFT, `later?` one for what comes after, `held out?` evaluation."""
    apart, later, held_out = (
        Problem(prompt, "d", "s", prompt, "1", Exact(), {}, {})
        for prompt in ("apart?", "later?", "held out?")
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    material = Material(
        {apart.uid: apart},
        {apart.uid: apart, later.uid: later},
        {held_out.uid: held_out},
        Prompter(PromptFormat(**style), {}),
        {},
        [],
        0,
    )
    return FileSFT(path=path).collect(material)


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_rows_of_every_form_are_read(tmp_path: Path) -> None:
    found = collect(
        tmp_path / "a.jsonl",
        [
            {"prompt": "apart?", "completion": "yes"},
            {"prompt": [turn("user", "new?")], "completion": [turn("assistant", "2")]},
            {"messages": [turn("system", "be brief"), turn("user", "x?"), turn("assistant", "3")]},
            {"prompt": "what?", "completion": "4"},
        ],
        system="think",
    )
    told = [([m["content"] for m in e.messages], e.completion, e.uid) for e in found.examples]
    assert told == [
        (["think", "apart?"], "yes", "apart?"),
        (["new?"], "2", None),  # messages stay as they are
        (["be brief", "x?"], "3", None),
        (["think", "what?"], "4", None),
    ]
    assert found.problems == {"problems of the training set": 1}


def test_evaluation_and_the_other_part_are_never_learnt(tmp_path: Path) -> None:
    found = collect(
        tmp_path / "a.jsonl",
        [
            {"prompt": "Held  out?", "completion": "1"},
            {"prompt": "written otherwise", "completion": "1", "uid": "held out?"},
            {"prompt": "later?", "completion": "1"},
            {"prompt": "new", "completion": "1"},
            {"prompt": "new", "completion": " 1\n"},
        ],
    )
    assert [e.completion for e in found.examples] == ["1"]
    assert found.left_out == {
        "in the evaluation set": 2,
        "for reinforcement learning": 1,
        "repeats": 1,
    }


def test_examples_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = collect(tmp_path / "a.jsonl", [{"prompt": "a", "completion": "b\u2028c"}]).examples
    again = collect(tmp_path / "b.jsonl", [e.to_json() for e in written]).examples
    assert again == written
    assert [Example.from_json(e.to_json()) for e in written] == written


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "completions": "b"}, "row 1 must have prompt and completion, or messages"),
        ({"prompt": "a", "completions": "b"}, r"is 'completions' meant\?"),
        ({"messages": [turn("user", "a")]}, "and, last, the assistant's answer"),
        ({"messages": "hello"}, "must be a list of messages, but got 'hello'"),
        ({"messages": [turn("usr", "a")]}, "must have a role of system, user, assistant"),
        ({"prompt": "a", "completion": [turn("user", "b")]}, "one message of the assistant's"),
        ({"prompt": "held out?", "completion": "b"}, "all of .* are left out"),
    ],
)
def test_rows_that_do_not_fit_are_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        collect(tmp_path / "a.jsonl", [row])
