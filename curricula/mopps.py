"""MoPPS: Thompson draws of every candidate's pass rate, and the nearest to .5 (Qu et al. 2025,
arXiv:2507.04632).

Each prompt has a Beta belief that fades (see curricula/machinery/beliefs.py; keep = .5). For a
batch of B: draw m candidates at random, draw a pass rate from each belief, take the B nearest to
the target .5.

Assumption: a prompt's pass rate moves slowly enough that faded counts predict it, and .5 teaches
most. In the published code (thu-rllab/MoPPS, recipe/ours/mopps.py): the update reads `decayed + s *
n if n > 1 else 8`, which Python takes as `(all of it) if n > 1 else 8`, so with one rollout a
prompt both parameters become 8 whatever happened; `load` swallows every error, so a resumed run may
silently begin anew; the draws come from the global generator. Ours: the update as the paper has it,
state in the checkpoint, and the pass rate measured before training may serve as prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item
from curricula.machinery.beliefs import BelievingCurriculum
from curricula.machinery.drawing import PoolScheduler
from curricula.machinery.pool import Pool, Rows


class MoPPS(PoolScheduler):
    """Draw what is believed to be solved half of the time."""

    kind: Literal["mopps"] = "mopps"
    target: float = Field(0.5, gt=0, lt=1)
    """The pass rate that is aimed at."""
    keep: float = Field(0.5, ge=0, le=1)
    """Share of the old evidence that stays when new comes; 1 forgets nothing."""
    candidates: float = Field(8.0, ge=1)
    """Candidates for each place of a batch."""
    prior_weight: float = Field(0.0, ge=0)
    """Rollouts that the pass rate measured before training counts as; the paper's is 0."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return MoPPSCurriculum(chosen, steps, seed, self, rows)


class MoPPSCurriculum(BelievingCurriculum):
    """Keeps a belief for every prompt."""

    def __init__(self, pool: Pool, steps: int, seed: int, settings: MoPPS, rows: Rows) -> None:
        super().__init__(
            pool, steps, seed, rows, "mopps",
            keep=settings.keep, prior_weight=settings.prior_weight,
        )  # fmt: skip
        self.settings = settings
        self.aimed = 0.0
        """Mean expected pass rate of the last batch."""

    def draw(self, count: int) -> Rows:
        candidates = self.deck.draw_different(round(count * self.settings.candidates))
        drawn = self.beliefs.sample(candidates, self.generator())
        nearest = np.argsort(np.abs(drawn - self.settings.target), kind="stable")
        chosen = candidates[nearest[:count]]
        self.aimed = float(self.beliefs.mean(chosen).mean()) if len(chosen) else 0.0
        return chosen

    def metrics(self) -> dict[str, float]:
        return {
            "curriculum/expected_pass_rate": self.aimed,
            "curriculum/seen": float(self.beliefs.seen.mean()),
        }
