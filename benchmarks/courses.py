"""A training's course: its level along the FLOPs it spent, and what that says beside mixed's.

Levels are means over the last `WINDOW` evaluations, which lie at even shares of mixed's FLOPs: the
lag that this brings is the same for all. FLOPs are those of a model of one parameter: 2 a generated
token, 6 a trained one (`runners/flops.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from runners.flops import FORWARD, UPDATE

WINDOW = 3
"""Evaluations that a level is a mean over."""
CAP = 1.5
"""Most of mixed's FLOPs that a curriculum may spend."""
_ENDLESS = 6
"""Times mixed's steps that a curriculum is built for which does not plan ahead: FLOPs end it."""


@dataclass(frozen=True)
class Point:
    """A training after some step."""

    spent: float
    """FLOPs of rollouts and updates, what was screened among them."""
    skipping: float
    """FLOPs, if groups without variance cost no training."""
    level: float
    """Mean pass rate on the held-out problems."""


@dataclass
class Course:
    """A training as it is watched."""

    every: float | None
    """FLOPs between evaluations; None for mixed itself: `every_steps`."""
    every_steps: int
    enough: Callable[[Sequence[Point]], bool]
    """Whether the training has told what was asked."""
    points: list[Point] = field(default_factory=list)

    def due(self, step: int, spent: float) -> bool:
        if self.every is None:
            return step % self.every_steps == 0
        return spent // self.every > self.points[-1].spent // self.every


@dataclass(frozen=True)
class Result:
    """One curriculum under one seed; FLOPs as shares of mixed's."""

    ratio: float
    """To mixed's level at its end, profiling counted; the cap where it is not reached."""
    free: float
    """The same without profiling."""
    skipping: float
    """As `ratio`, if groups without variance cost no training, in mixed neither."""
    reached: bool
    difference: float
    """Its level less mixed's, when mixed's FLOPs are spent."""
    steps: int
    """Those that it was built for in its last training."""
    points: tuple[Point, ...]
    """Of its first training."""


Walk = Callable[[int, Course], None]
"""Trains for some steps at most and fills the course."""


def spent_on(generated: float, trained: float) -> float:
    """FLOPs of so many tokens generated and trained on."""
    return FORWARD * generated + UPDATE * trained


def token_cost(rows: Sequence[dict[str, Any]], samples: int) -> tuple[float, float]:
    """FLOPs of a training by its lines of `metrics.jsonl`: all, and without flat groups' updates.

    Tokens of the groups that vary are taken to be as many as the mean completion's.
    """
    generated = sum(row["response_length"] * row["rollouts"] for row in rows)
    varied = sum(
        min(row["trained_tokens"], row["effective_batch"] * samples * row["response_length"])
        for row in rows
    )
    trained = sum(row["trained_tokens"] for row in rows)
    return spent_on(generated, trained), spent_on(generated, varied)


def levels(points: Sequence[Point]) -> list[float]:
    """The level at each point: the mean over the last evaluations."""
    found = [point.level for point in points]
    return [fmean(found[max(0, i - WINDOW + 1) : i + 1]) for i in range(len(found))]


def at_level(points: Sequence[Point], target: float) -> Point | None:
    """Where the level first reaches the target, between two evaluations; None if nowhere."""
    found = levels(points)
    for i, level in enumerate(found):
        if level >= target:
            if i == 0:
                return points[0]
            share = (target - found[i - 1]) / (level - found[i - 1])
            before, after = points[i - 1], points[i]
            return Point(
                before.spent + share * (after.spent - before.spent),
                before.skipping + share * (after.skipping - before.skipping),
                target,
            )
    return None


def at_cost(points: Sequence[Point], spent: float) -> float:
    """The level when so much is spent, between two evaluations; the last one beyond the end."""
    import numpy as np

    return float(np.interp(spent, [point.spent for point in points], levels(points)))


def compare(walk: Walk, mixed: Sequence[Point], steps: int, profile: float, ahead: bool) -> Result:
    """Train until mixed's FLOPs are spent and its level is reached, or the cap is spent.

    A curriculum that plans ahead is built for as many steps as mixed's FLOPs buy and, where that is
    not enough, for as many as the cap buys; two tries must not be luckier than one, so the second
    counts as no less than mixed's FLOPs. `steps` are mixed's, `profile` the FLOPs of the scoring
    that the curriculum needs.
    """
    budget, target = mixed[-1].spent, levels(mixed)[-1]
    every = budget / (len(mixed) - 1)
    first: Course | None = None
    for times in (1.0, CAP) if ahead else (CAP,):
        wanted = round((times * budget - profile) / (budget / steps)) if ahead else _ENDLESS * steps

        def enough(points: Sequence[Point], times: float = times) -> bool:
            spent = profile + points[-1].spent
            through = spent >= times * budget
            return through or (spent >= budget and at_level(points, target) is not None)

        course = Course(every, steps, enough)
        walk(max(1, wanted), course)
        first = first or course
        reached = at_level(course.points, target)
        if reached is not None and profile + reached.spent <= CAP * budget:
            break
        reached = None
    assert first is not None
    difference = at_cost(first.points, budget - profile) - target
    points = tuple(first.points)
    if reached is None:
        return Result(CAP, CAP, CAP, False, difference, wanted, points)
    least = 1.0 if times > 1 and ahead else 0.0
    ratio = max(least, (profile + reached.spent) / budget)
    skipping = max(least, (profile + reached.skipping) / mixed[-1].skipping)
    return Result(ratio, ratio - profile / budget, skipping, True, difference, wanted, points)
