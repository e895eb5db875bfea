"""E2H: the buckets fade over from easy to hard (Parashar et al. 2025, arXiv:2506.06632).

Buckets i = 0..K-1 from easy to hard, t/T the share of the training that is done. Cosine: p_i ~ a (K
- i) + (1 - a) (i + 1) with a = (1 + cos(pi t/T)) / 2. Gaussian: q_i ~ exp(-(i - mu)^2 /2 sigma^2)
with mu = (t/T)^speed (K - 1), and p_i = floor + (1 - K floor) q_i.

Assumption: easy problems are needed early, and go on being trained on too long do harm; how fast to
leave them is known beforehand. In the published code (divelab/E2H-Reasoning, src/trainer.py): t
runs to T - 1, so the schedule never arrives at its end; the cosine's floor 2/(K(K+1)) is the least
value either weighting has, so it never binds; the Gaussian raises ValueError at its own default
`min_prob=False`; `__iter__` begins again from the first problems, so a resumed run repeats them.
Ours: t/T reaches 1 in the last step, the floor has a default, places are split by the probabilities
with less noise than independent draws, passes go on where they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, exp, pi
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item
from curricula.machinery.buckets import easy_first, no_buckets
from curricula.machinery.deck import Deck, apportion
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows


class E2H(PoolScheduler):
    """Fade from the easy buckets to the hard ones."""

    kind: Literal["e2h"] = "e2h"
    schedule: Literal["cosine", "gaussian"] = "cosine"
    speed: float = Field(0.5, gt=0)
    """Gaussian: exponent of t/T; below 1 the easy buckets are left sooner."""
    width: float = Field(0.5, gt=0)
    """Gaussian: its standard deviation, in buckets."""
    floor: float | None = Field(None, ge=0, le=1)
    """Gaussian: least probability of a bucket; None is 2/(K(K+1)), as theirs."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        buckets = easy_first(chosen, rows)
        if not buckets:
            raise no_buckets(self.kind, len(rows))
        if self.floor is not None and self.floor * len(buckets) > 1:
            raise ValueError(
                f"curriculum.floor must be at most 1/K for K={len(buckets)} buckets, but got "
                f"floor={self.floor:g}"
            )
        return E2HCurriculum(chosen, steps, seed, self, buckets)

    def probabilities(self, progress: float, count: int) -> list[float]:
        """Of `count` buckets, easy first, when `progress` in [0, 1] of the training is done."""
        if self.schedule == "cosine":
            early = (1 + cos(pi * progress)) / 2
            weights = [early * (count - i) + (1 - early) * (i + 1) for i in range(count)]
            return [weight / sum(weights) for weight in weights]
        mean = progress**self.speed * (count - 1)
        weights = [exp(-((i - mean) ** 2) / (2 * self.width**2)) for i in range(count)]
        floor = 2 / (count * (count + 1)) if self.floor is None else self.floor
        return [floor + (1 - count * floor) * weight / sum(weights) for weight in weights]


class E2HCurriculum(DrawingCurriculum):
    """Splits each batch among the buckets' decks."""

    def __init__(
        self, pool: Pool, steps: int, seed: int, settings: E2H, buckets: Mapping[str, Rows]
    ) -> None:
        super().__init__(pool, steps, seed)
        self.settings = settings
        self.decks = {name: Deck(rows, seed, name) for name, rows in buckets.items()}

    @property
    def shares(self) -> dict[str, float]:
        """Probability of every bucket at this step."""
        progress = max(0, self.step - 1) / max(1, self.steps - 1)
        return dict(
            zip(self.decks, self.settings.probabilities(progress, len(self.decks)), strict=True)
        )

    def draw(self, count: int) -> Rows:
        rng = self.generator()
        places = apportion(self.shares, count, rng)
        drawn = np.concatenate([self.decks[name].draw(n) for name, n in places.items()])
        return drawn[rng.permutation(len(drawn))]

    def state(self) -> dict[str, Any]:
        return {"decks": {name: deck.state() for name, deck in self.decks.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name, deck in self.decks.items():
            deck.restore(state["decks"][name])

    def metrics(self) -> dict[str, float]:
        return {f"curriculum/share/{name}": share for name, share in self.shares.items()}
