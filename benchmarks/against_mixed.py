"""What the comparisons with mixed share: curricula of configs/, who pays for profiling, intervals.

Used by benchmarks/schedulers.py (a learner model) and benchmarks/curricula_real.py (real training).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from zlib import crc32

import yaml
from pydantic import TypeAdapter

from curricula import AnyScheduler, Outcome, Scheduler
from curricula.machinery.pool import Pool

ROOT = Path(__file__).parents[1]
ADAPTER: TypeAdapter[Scheduler] = TypeAdapter(AnyScheduler)
MIXED = ADAPTER.validate_python({"kind": "mixed"})
CONTROL = "mixed, drawn anew"
ANEW = 1_000_000
"""Added to a seed, keeps the control's draws apart from mixed's."""
_LOOK = 4
"""Batches after which a curriculum that looks at scores has shown it."""


def from_config(name: str) -> dict[str, Any]:
    """The curriculum of configs/curricula/NAME.yaml, before validation."""
    path = ROOT / "configs" / "curricula" / f"{name}.yaml"
    found: dict[str, Any] = yaml.safe_load(path.read_text())["curriculum"]
    return found


def looks_at_scores(
    scheduler: Scheduler, scored: Pool, unscored: Pool, steps: int, prompts: int, seed: int
) -> bool:
    """Whether it draws otherwise on the scored pool than on the same pool unscored."""
    try:
        without = drawn(scheduler, unscored, steps, prompts, seed, _LOOK)
    except ValueError:
        return True
    return drawn(scheduler, scored, steps, prompts, seed, _LOOK) != without


def plans_ahead(scheduler: Scheduler, pool: Pool, steps: int, prompts: int, seed: int) -> bool:
    """Whether what it draws depends on how many steps there will be."""
    short, long = (drawn(scheduler, pool, s, prompts, seed, steps) for s in (steps, 3 * steps))
    return short != long


def drawn(
    scheduler: Scheduler, pool: Pool, steps: int, prompts: int, seed: int, batches: int
) -> list[tuple[str, ...]]:
    """What it draws first when half of the problems have mixed groups and half are solved."""
    curriculum = scheduler.build(pool, steps, seed)
    found: list[tuple[str, ...]] = []
    for _ in range(batches):
        batch = curriculum.next_batch(prompts)
        uids = batch.uids if batch else ()
        found.append(uids)
        curriculum.observe([Outcome(u, (1.0, float(crc32(u.encode()) % 2))) for u in uids])
    return found


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95% t interval."""
    from scipy.stats import t

    mean = fmean(values)
    if len(values) < 2:
        return mean, float("-inf"), float("inf")
    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return mean, mean - half, mean + half


def ratio_interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean and 95% t interval of the logarithms."""
    mean, low, high = interval([log(ratio) for ratio in ratios])
    return exp(mean), exp(low), exp(high)
