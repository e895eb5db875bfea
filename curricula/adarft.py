"""AdaRFT: follow a target difficulty that rewards push up and down (Shi et al. 2025,
arXiv:2504.05520).

Difficulty is 100 (1 - pass rate). After a step with mean reward R the target moves to clip(T + eta
tanh(alpha (R - beta)), 0, 100), with eta 50, alpha 2, beta .5, T = 0 at first; the next batch is
the problems nearest to T.

Assumption: training where half of the rollouts are right is best, and difficulties measured before
training still order the problems. In the published code (uscnlp-lime/verl,
verl/trainer/ppo/custom_sampler.py and ray_trainer.py): nothing remembers what was drawn, so at R =
beta the same batch comes again and again; the sampler is read by eight loader workers ahead of
time, so T lags many batches behind; T is in no checkpoint; one T serves all domains; every batch
sorts all N differences and looks each index up in a list. Ours: each domain has a T of its own,
moved by its own rewards; targets are spread over a band around T, and no problem comes again before
those within reach have come; T is saved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import tanh
from statistics import fmean
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.deck import apportion
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.nearest import NearestDeck
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.signals import graded_rewards

HARDEST = 100.0


class AdaRFT(PoolScheduler):
    """Follow the difficulty at which half of the rollouts are right."""

    kind: Literal["adarft"] = "adarft"
    eta: float = Field(50.0, gt=0)
    """Largest move of the target in a step, in points of difficulty (0 to 100)."""
    alpha: float = Field(2.0, gt=0)
    """How sharply the move depends on the reward."""
    beta: float = Field(0.5, ge=0, le=1)
    """The mean reward that is aimed at."""
    start: float = Field(0.0, ge=0, le=HARDEST)
    """The first target."""
    band: float = Field(5.0, ge=0, le=HARDEST)
    """Targets of one batch are spread evenly over T plus and minus this."""
    reach: float = Field(10.0, gt=0, le=HARDEST)
    """A problem comes again only when none is left within this of a target."""
    per_domain: bool = True
    """A target for each domain, which get shares of a batch by size; false is one for all."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.scored(pool)
        groups = chosen.groups(rows, "domain", "curriculum") if self.per_domain else {"all": rows}
        return AdaRFTCurriculum(chosen, steps, seed, self, groups)

    def moved(self, target: float, reward: float) -> float:
        """The target after a step with this mean reward."""
        move = self.eta * tanh(self.alpha * (reward - self.beta))
        return min(HARDEST, max(0.0, target + move))


class AdaRFTCurriculum(DrawingCurriculum):
    """Keeps a target for each domain."""

    def __init__(
        self, pool: Pool, steps: int, seed: int, settings: AdaRFT, groups: Mapping[str, Rows]
    ) -> None:
        super().__init__(pool, steps, seed)
        self.settings = settings
        hardness = HARDEST * (1 - pool.pass_rates)
        self.decks = {n: NearestDeck(rows, hardness[rows]) for n, rows in groups.items()}
        self.targets = dict.fromkeys(groups, settings.start)
        self.domains = pool.columns["domain"]

    def draw(self, count: int) -> Rows:
        rng = self.generator()
        places = apportion({n: len(deck) for n, deck in self.decks.items()}, count, rng)
        drawn = [np.zeros(0, np.int32)]
        for name, n in places.items():
            spread = rng.uniform(-1, 1, n) * self.settings.band
            aimed = np.clip(self.targets[name] + spread, 0, HARDEST)
            drawn.append(self.decks[name].draw(aimed, self.settings.reach, rng))
        return np.concatenate(drawn)

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        rewards: dict[str, list[float]] = defaultdict(list)
        for row, outcome in zip(rows, outcomes, strict=True):
            name = self.domains.names[self.domains.codes[row]]
            rewards[name if self.settings.per_domain else "all"] += graded_rewards(outcome)
        for name, found in rewards.items():
            if name in self.targets and found:
                self.targets[name] = self.settings.moved(self.targets[name], fmean(found))

    def state(self) -> dict[str, Any]:
        decks = {name: deck.state() for name, deck in self.decks.items()}
        return {"targets": dict(self.targets), "decks": decks}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.targets = dict(state["targets"])
        for name, deck in self.decks.items():
            deck.restore(state["decks"][name])

    def metrics(self) -> dict[str, float]:
        return {f"curriculum/target/{name}": target for name, target in self.targets.items()}
