"""GRESO: skip what was all right or all wrong lately, with a probability (Zheng et al. 2025,
arXiv:2506.02177).

z is how many groups of a prompt in a row had no variance, the last one included. It is skipped with
probability 1 - max(p^z, .01), with p_easy for all-right groups and p_hard for all-wrong ones. Both
begin at .5 and move by .01 a step, within [.05, .95], to hold the shares of all-right and all-wrong
groups at a third and two thirds of 25%.

Assumption: a prompt without variance will mostly go on without. In the published code
(Infini-AI-Lab/GRESO, verl/trainer/ttis/presampling_selector.py and ppo/ray_trainer.py): all right
is a mean reward >= .98 and all wrong one <= .11, constants of one reward, so a group whose rewards
are all .5 is never skipped; each prompt's whole history is kept, and walked through at every draw;
draws come from torch's global generator. Ours: a signed streak of one byte a prompt, by the
variance itself; state in the checkpoint; when too much is skipped the batch is filled with what was
passed over, never short. Refilling within a step is `dynamic_sampling` around this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.deck import Deck
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.packing import packed, unpacked
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import graded_rewards

_LONGEST = 127
_MIDDLE = 0.5


class GRESO(PoolScheduler):
    """Skip prompts that keep giving no gradient."""

    kind: Literal["greso"] = "greso"
    target: float = Field(0.25, ge=0, le=1)
    """Share of groups without variance to hold; a third of it all right, the rest all wrong."""
    p: float = Field(0.5, gt=0, lt=1)
    """p_easy and p_hard at first."""
    move: float = Field(0.01, ge=0)
    """How far they move in a step."""
    lowest: float = Field(0.05, gt=0, lt=1)
    highest: float = Field(0.95, gt=0, lt=1)
    explore: float = Field(0.01, gt=0, le=1)
    """Least probability of drawing a prompt."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return GRESOCurriculum(chosen, steps, seed, self, rows)


class GRESOCurriculum(DrawingCurriculum):
    """Keeps a streak for every prompt."""

    def __init__(self, pool: Pool, steps: int, seed: int, settings: GRESO, rows: Rows) -> None:
        super().__init__(pool, steps, seed)
        self.settings = settings
        self.deck = Deck(rows, seed, "greso")
        self.streaks = np.zeros(len(pool), np.int8)
        """Groups without variance in a row: above 0 all right, below 0 all wrong."""
        self.easy = self.hard = settings.p

    def draw(self, count: int) -> Rows:
        rng = self.generator()
        return self.deck.draw_where(count, lambda rows: rng.random(len(rows)) < self.chances(rows))

    def chances(self, rows: Rows) -> NDArray[np.float64]:
        """Probability of drawing each, shape (rows,)."""
        streaks = self.streaks[rows].astype(float)
        base = np.where(streaks > 0, self.easy, self.hard)
        return np.asarray(np.maximum(base ** np.abs(streaks), self.settings.explore))

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        signs = []
        for row, outcome in zip(rows, outcomes, strict=True):
            rewards = graded_rewards(outcome)
            if not rewards:
                continue
            sign = 0 if len(set(rewards)) > 1 else 1 if fmean(rewards) > _MIDDLE else -1
            streak = int(self.streaks[row])
            same = sign * streak > 0
            self.streaks[row] = max(-_LONGEST, min(_LONGEST, streak + sign)) if same else sign
            signs.append(sign)
        if signs and self.deck.passes:  # as theirs: before, a prompt has no history to go by
            self.easy = self._moved(self.easy, signs.count(1) / len(signs), 1 / 3)
            self.hard = self._moved(self.hard, signs.count(-1) / len(signs), 2 / 3)

    def state(self) -> dict[str, Any]:
        p = [self.easy, self.hard]
        return {"deck": self.deck.state(), "streaks": packed(self.streaks), "p": p}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.deck.restore(state["deck"])
        self.streaks = unpacked(state["streaks"], np.int8)
        self.easy, self.hard = state["p"]

    def metrics(self) -> dict[str, float]:
        return {"curriculum/p_easy": self.easy, "curriculum/p_hard": self.hard}

    def _moved(self, p: float, share: float, part: float) -> float:
        """Skip more where there are too many of a sort, less where there are too few."""
        up = share < self.settings.target * part
        moved = p + self.settings.move * (1 if up else -1)
        return min(self.settings.highest, max(self.settings.lowest, moved))
