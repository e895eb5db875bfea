"""Learnability: the candidates with the largest p (1 - p) (LILO: Foster et al. 2025,
arXiv:2502.12272).

p (1 - p) is the variance of a 0/1 reward; the paper bounds the expected improvement by it. There:
draw 4 B candidates, roll each out 8 times, train on the B with the largest estimate.

Assumption: problems are learnt from in proportion to that variance, and estimates are good enough
to rank them. We know the paper's algorithm from a detailed account of it; its code was not to be
found. Theirs keeps nothing: every batch pays for the rollouts of four. Ours pays for none: p is the
mean of a belief that begins at the pass rate measured before training and is moved by each group
that is trained on, so it ranks with what is known already, a share of each batch is drawn at random
to find what has become learnable, and nothing is dropped for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item
from curricula.machinery.beliefs import BelievingCurriculum
from curricula.machinery.deck import unique
from curricula.machinery.drawing import PoolScheduler
from curricula.machinery.pool import Pool, Rows


class Learnability(PoolScheduler):
    """Draw where success varies most."""

    kind: Literal["learnability"] = "learnability"
    candidates: float = Field(4.0, ge=1)
    """Candidates for each place of a batch."""
    explore: float = Field(0.1, ge=0, le=1)
    """Share of each batch that is drawn whatever is believed of it."""
    prior_weight: float = Field(4.0, ge=0)
    """Rollouts that the pass rate measured before training counts as."""
    keep: float = Field(0.5, ge=0, le=1)
    """Share of the old evidence that stays when new comes; 1 forgets nothing."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        return LearnabilityCurriculum(chosen, steps, seed, self, rows)


class LearnabilityCurriculum(BelievingCurriculum):
    """Keeps a belief for every prompt."""

    def __init__(
        self, pool: Pool, steps: int, seed: int, settings: Learnability, rows: Rows
    ) -> None:
        super().__init__(
            pool, steps, seed, rows, "learnability",
            keep=settings.keep, prior_weight=settings.prior_weight,
        )  # fmt: skip
        self.settings = settings
        self.variance = 0.0
        """Mean expected p (1 - p) of the last batch."""

    def draw(self, count: int) -> Rows:
        candidates = self.deck.draw_different(round(count * self.settings.candidates))
        explored = candidates[: round(count * self.settings.explore)]
        variance = self._variance(candidates)
        ranked = candidates[np.argsort(-variance, kind="stable")]
        chosen = unique(np.concatenate([explored, ranked]))[:count]
        self.variance = float(self._variance(chosen).mean()) if len(chosen) else 0.0
        return chosen

    def metrics(self) -> dict[str, float]:
        return {"curriculum/expected_variance": self.variance}

    def _variance(self, rows: Rows) -> np.ndarray:
        mean = self.beliefs.mean(rows)
        return mean * (1 - mean)
