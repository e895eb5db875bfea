"""`curricle plan --simulate`: what a curriculum would draw from a learner that learns, and what the
learner would learn.

The learner (`curricula/learner.py`) starts at the pass rates that were scored. Every seed is a
training of its own: other draws, other rollouts. Curves are means over seeds; their bands hold nine
of ten seeds, and say how much one training differs from the next under the model, not how far the
model is from the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curricula.base import Item
from curricula.learner import Floats, LearnerSettings, ProblemTable
from curricula.simulate import SimulatedStep, Simulation
from runners.config import RunConfig
from runners.planning.picture import UNSCORED, shares
from runners.tracking.training_log import outcome_figures

BAND = (0.05, 0.95)
"""Quantiles over seeds."""


@dataclass(frozen=True)
class SimulatedPlan:
    """Trainings of one curriculum under several seeds."""

    stages: tuple[str, ...]
    """The stage of each step, in the first seed; shape (steps,)."""
    levels: dict[str, Floats]
    """By domain: mean pass rate on problems that are not trained on, (seeds, steps + 1)."""
    drawn: tuple[tuple[Item, ...], ...]
    """What all seeds together drew in each step, (steps,)."""
    figures: dict[str, Floats]
    """`reward/mean` and `zero_variance`, (seeds, steps)."""

    @property
    def trained_on(self) -> set[str]:
        """Domains that were drawn."""
        return {item.domain for items in self.drawn for item in items}

    def rows(self) -> list[dict[str, Any]]:
        """One row a step for plan-simulated.jsonl; `levels` hold mean, low and high."""
        domains = shares([[item.domain for item in items] for items in self.drawn])
        buckets = shares([[item.bucket or UNSCORED for item in items] for items in self.drawn])
        return [
            {
                "step": step,
                "stage": stage,
                "levels": {name: band(values[:, step]) for name, values in self.levels.items()},
                "domains": {n: round(float(v[step - 1]), 4) for n, v in domains.items()},
                "buckets": {n: round(float(v[step - 1]), 4) for n, v in buckets.items()},
                **{n: round(float(v[:, step - 1].mean()), 4) for n, v in self.figures.items()},
            }
            for step, stage in enumerate(self.stages, start=1)
        ]


def simulate_plan(
    config: RunConfig,
    pool: Sequence[Item],
    tested: Sequence[Item],
    settings: LearnerSettings,
    seeds: int,
) -> SimulatedPlan:
    """Train `seeds` learners; `tested` are problems held out, those that were not scored left out.

    Where none of them was scored, levels are those of unseen problems like the pool's.
    Raises `ValueError` where nothing in the pool has been scored.
    """
    known = [item for item in tested if item.pass_rate is not None]
    known = known or [item for item in pool if item.pass_rate is not None]
    walks = [_walk(config, pool, known, settings, config.seed + seed) for seed in range(seeds)]
    steps = min(len(walk.steps) for walk in walks)
    names = sorted({item.domain for item in known})
    item_of = {item.uid: item for item in pool}
    drawn = tuple(
        tuple(item_of[o.uid] for walk in walks for o in walk.steps[step].outcomes)
        for step in range(steps)
    )
    return SimulatedPlan(
        tuple(step.batch.stage for step in walks[0].steps[:steps]),
        {n: np.array([walk.levels[n][: steps + 1] for walk in walks]) for n in names},
        drawn,
        {
            name: np.array([[f[name] for f in walk.figures[:steps]] for walk in walks])
            for name in ("reward/mean", "zero_variance")
        },
    )


def band(values: Floats) -> list[float]:
    """Mean, low and high over seeds."""
    low, high = np.quantile(values, BAND)
    return [round(float(value), 4) for value in (values.mean(), low, high)]


@dataclass(frozen=True)
class _Walk:
    """One seed's training."""

    steps: list[SimulatedStep]
    levels: Mapping[str, list[float]]
    figures: list[dict[str, Any]]


def _walk(
    config: RunConfig,
    pool: Sequence[Item],
    known: Sequence[Item],
    settings: LearnerSettings,
    seed: int,
) -> _Walk:
    simulation = Simulation(
        config.curriculum,
        pool,
        settings,
        steps=config.trainer.steps,
        prompts=config.trainer.prompts_per_step,
        samples=config.trainer.samples_per_prompt,
        seed=seed,
        domains={item.domain for item in known},
    )
    learner = simulation.learner
    rates = [item.pass_rate or 0.0 for item in known]
    unseen = ProblemTable.of(learner.problems.domains, [item.domain for item in known], rates)
    domain_of = {item.uid: item.domain for item in pool}
    names = sorted({item.domain for item in known})
    members = {name: np.array([item.domain == name for item in known]) for name in names}

    def levels() -> dict[str, float]:
        now = learner.pass_rates(unseen)
        return {name: float(now[own].mean()) for name, own in members.items()}

    walk = _Walk([], {name: [value] for name, value in levels().items()}, [])
    for step in simulation:
        walk.steps.append(step)
        walk.figures.append(outcome_figures(step.batch, step.outcomes, domain_of.__getitem__))
        for name, value in levels().items():
            walk.levels[name].append(value)
    return walk
