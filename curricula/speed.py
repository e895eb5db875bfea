"""SPEED-style screening: a group to see whether a prompt is worth more, and more only then (Zhang
et al. 2025, arXiv:2506.09016).

New prompts are screened with a few rollouts; those with a pass rate strictly between 0 and 1 go on.
The continuation of one batch's prompts and the screening of the next one's ride in the same step.

Assumption: a group without variance now will have none in a step's time, so further rollouts on it
would be wasted. In the published code (Zanette-Labs/speed-rl, verl/trainer/ppo/data_controller.py):
which phase a group was in is told by its number of rollouts, so with as many to continue as to
screen every group counts as both; a run of unlucky batches ends in ValueError; screened answers
wait in a buffer and are trained on when the policy has moved on. Ours: every group has the
trainer's number of rollouts and is trained on in its own step, whether it screens or continues; a
prompt that passes comes back in a following batch, in the order of passing; a queue that runs low
means more screening, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import is_informative


class Speed(PoolScheduler):
    """Screen, and go on with what passed."""

    kind: Literal["speed"] = "speed"
    screen: float = Field(0.5, gt=0, le=1)
    """Share of each batch that is new prompts, at least."""
    continuations: int = Field(1, ge=1)
    """How often a prompt that passed comes back."""
    queue: int = Field(1024, ge=1)
    """Most prompts that wait; the oldest give way, as the policy has moved on most since."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return SpeedCurriculum(chosen, steps, seed, self, rows)


class SpeedCurriculum(DrawingCurriculum):
    """Keeps a queue of prompts that passed."""

    def __init__(self, pool: Pool, steps: int, seed: int, settings: Speed, rows: Rows) -> None:
        super().__init__(pool, steps, seed)
        self.settings = settings
        self.deck = Deck(rows, seed, "speed")
        self.waiting: list[int] = []
        """Rows that passed, first to come back first; one stands once for each continuation."""
        self.screening: set[int] = set()
        """Rows of the current step that are new."""
        self.passed = 0.0
        """Share of the last screened prompts that passed."""

    def begin_step(self) -> None:
        self.screening = set()

    def draw(self, count: int) -> Rows:
        most = count - min(count, max(1, round(count * self.settings.screen)))
        back: list[int] = []
        for row in self.waiting:
            if len(back) < most and row not in back:
                back.append(row)
        for row in back:
            self.waiting.remove(row)
        new = self.deck.draw_where(
            count - len(back), lambda rows: ~np.isin(rows, np.array(back, np.int32))
        )
        self.screening |= set(map(int, new))
        return np.concatenate([new, np.array(back, np.int32)])

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        pairs = zip(rows, outcomes, strict=True)
        screened = [(row, is_informative(o)) for row, o in pairs if row in self.screening]
        passed = [row for row, good in screened if good]
        if screened:
            self.passed = len(passed) / len(screened)
        self.waiting += passed * self.settings.continuations
        self.waiting = self.waiting[-self.settings.queue :]

    def state(self) -> dict[str, Any]:
        return {
            "deck": self.deck.state(),
            "waiting": list(self.waiting),
            "screening": sorted(self.screening),
            "passed": self.passed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.deck.restore(state["deck"])
        self.waiting, self.screening = list(state["waiting"]), set(state["screening"])
        self.passed = state["passed"]

    def metrics(self) -> dict[str, float]:
        return {
            "curriculum/passed": self.passed,
            "curriculum/waiting": float(len(self.waiting)),
        }
