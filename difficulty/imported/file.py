"""Rates in a file of one's own: CSV with a header, or JSON lines.

A row names its problem by `uid` (or `id`), or by `prompt`, with the `answer` where two problems
ask alike; and it has `correct` and `n`, or `pass_rate` with or without `n`. A run's `pool.jsonl` is
such a file. Prompts are compared as words, without the sentences that a template puts around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from difficulty.imported.base import Imported, Measured
from difficulty.store.counted_rows import Counts, counts_of, read_rows
from domains.normal_text import framed_tokens, tokens
from domains.problem import Problem


class RatesFile(Imported):
    """A CSV or JSON lines file of pass rates."""

    kind: Literal["file"] = "file"
    path: Path
    """Ends in .csv, or holds JSON lines."""
    model: str
    """Whose rates they are."""
    source: str | None = None
    """Who measured; None is the file's name."""

    @property
    def origin(self) -> tuple[str, str]:
        return self.source or self.path.name, self.model

    def measured(self, problems: Sequence[Problem]) -> list[Measured | None]:
        rows = read_rows(self.path)
        places = _Places(problems)
        correct, n = [0.0] * len(problems), [0.0] * len(problems)
        matched = 0
        for (number, row), counts in zip(rows, self._counts(rows), strict=True):
            found = places.of(f"{self.path} line {number}", row)
            matched += bool(found)
            for i in found:  # rows of one problem are measurements of it that add up
                correct[i] += counts.correct or 0.0
                n[i] += counts.n or 0.0
        if not matched:
            raise ValueError(
                f"difficulty.imported: {self.path} must name problems of this config by uid or "
                f"prompt, but none of its {len(rows)} rows does"
            )
        return [
            Measured(min(k / size, 1.0), round(size)) if size else None
            for k, size in zip(correct, n, strict=True)
        ]

    def _counts(self, rows: list[tuple[int, dict[str, Any]]]) -> list[Counts]:
        if self.samples is not None:
            rows = [(i, row if "n" in row else {**row, "n": self.samples}) for i, row in rows]
        counts = counts_of(self.path, rows)
        return [Counts(None, None) if one.correct is None else one for one in counts]


class _Places:
    """Where each problem stands, by uid and by its words."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        self.by_uid = {problem.uid: i for i, problem in enumerate(problems)}
        self._by_words: dict[str, set[int]] | None = None

    def of(self, place: str, row: Mapping[str, Any]) -> list[int]:
        """The problems that a row speaks of. Raises `ValueError` where it names none."""
        name = row.get("uid", row.get("id"))
        if name is not None and str(name) in self.by_uid:
            return [self.by_uid[str(name)]]
        prompt = row.get("prompt")
        if isinstance(prompt, str):
            found = self._words().get(" ".join(tokens(prompt)), set())
            answer = row.get("answer")
            alike = {i for i in found if self.problems[i].answer == str(answer)}
            return sorted(alike or found)
        if name is None:
            raise ValueError(
                f"{place}: uid or prompt must say which problem it is, but got the keys "
                f"{sorted(row)}"
            )
        return []

    def _words(self) -> dict[str, set[int]]:
        if self._by_words is None:
            self._by_words = {}
            for i, framed in enumerate(framed_tokens(self.problems)):
                for words in (framed, tokens(self.problems[i].prompt)):
                    self._by_words.setdefault(" ".join(words), set()).add(i)
        return self._by_words
