"""The two records that every layer shares: a `Problem`, and the `Verdict` on one completion."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domains.base import Checker

Status = Literal["correct", "wrong", "no_answer", "truncated", "verifier_error"]
STATUSES: tuple[Status, ...] = ("correct", "wrong", "no_answer", "truncated", "verifier_error")
"""Five things, never merged: a truncated completion is not a hard problem."""

Label = str | int | float


@dataclass(frozen=True, slots=True)
class Problem:
    """One question whose answer can be checked."""

    uid: str
    """16 hex digits of a hash of content (prompt and answer): equal problems have equal uids."""
    domain: str
    """What skill it stands for: math, code, logic, stem, graph, or a name of the user's own."""
    source: str
    """Which dataset or generator it came from; verl's `data_source`."""
    prompt: str
    """The user's turn, answer format included; a chat template is applied later, by an engine."""
    answer: str
    """The gold answer in the notation that `checker` reads."""
    checker: Checker
    labels: Mapping[str, Label] = field(default_factory=dict)
    """What the source says of it, such as `level` or `subject`; curricula can filter on these."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What `checker` needs beyond the answer (unit tests, options); JSON values only."""

    @classmethod
    def make(
        cls,
        *,
        domain: str,
        source: str,
        prompt: str,
        answer: str,
        checker: Checker,
        labels: Mapping[str, Label] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Problem:
        """A problem with its uid computed from prompt and answer."""
        return cls(
            content_uid(prompt, answer), domain, source, prompt, answer, checker,
            labels or {}, metadata or {},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one completion."""

    status: Status
    score: float
    """In [0, 1]; 1.0 exactly when the status is correct, partial credit below."""
    answer: str = ""
    """The final answer found in the completion, as found."""
    reason: str = ""
    """Why, when the status is not correct."""


def content_uid(prompt: str, answer: str) -> str:
    """16 hex digits of SHA-256 over prompt and answer."""
    return hashlib.sha256(f"{prompt}\0{answer}".encode()).hexdigest()[:16]


def correct(answer: str) -> Verdict:
    return Verdict("correct", 1.0, answer)


def wrong(answer: str, reason: str, score: float = 0.0) -> Verdict:
    return Verdict("wrong", score, answer, reason)


def no_answer(reason: str) -> Verdict:
    return Verdict("no_answer", 0.0, "", reason)
