"""A sequence of curricula, one after another: any kind, each with a gate that says when it is over.

No paper; it is what a method section means by "first ..., then ...". Each part may be about a part
of the pool (`where`), and is a curriculum of its own with a schedule over its own steps: as many as
its gate allows, or all that are left in the last one.

Assumption: that of its parts. A part's gate sees the rewards of its own prompts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from curricula.base import Batch, Choice, Curriculum, Item, Outcome, Scheduler
from curricula.machinery.gates import Gate, RunningGate, StepsGate
from curricula.machinery.pool import Pool
from curricula.machinery.signals import mean_reward
from curricula.machinery.where import Where
from domains.base import Settings

if TYPE_CHECKING:
    from curricula import AnyScheduler


class Part(Settings):
    """One curriculum of the sequence."""

    name: str
    curriculum: AnyScheduler
    where: Where = Where()
    """What part of the pool it is about."""
    gate: Gate = StepsGate()


class InSequence(Scheduler):
    """One curriculum after another."""

    kind: Literal["sequence"] = "sequence"
    parts: tuple[Part, ...] = Field(min_length=1)

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        return SequenceCurriculum(Pool.of(pool), steps, seed, self.parts)


class SequenceCurriculum(Curriculum):
    """Walks through the parts; the last one lasts until the steps are used up."""

    def __init__(self, pool: Pool, steps: int, seed: int, parts: Sequence[Part]) -> None:
        self.pool, self.steps, self.seed, self.parts = pool, steps, seed, tuple(parts)
        self.share = max(1, steps // len(parts))
        self.step = 0
        self.own: set[str] = set()
        """Uids of the current step."""
        for index in reversed(range(len(parts))):  # a part that cannot be built is told at once
            self._enter(index)

    def next_batch(self, size: int) -> Batch | None:
        if self.step >= self.steps:
            return None
        batch = None
        if not self.gate.is_open or self._last:
            batch = self.inner.next_batch(size)
        while batch is None and not self._last:
            self._enter(self.index + 1)
            batch = self.inner.next_batch(size)
        if batch is None:
            return None
        self.step += 1
        self.gate.steps += 1
        self.own = set(batch.uids)
        name = self.parts[self.index].name
        return Batch(self.step, name, batch.uids)

    def more(self, count: int) -> tuple[str, ...]:
        further = self.inner.more(count)
        self.own |= set(further)
        return further

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        further = self.inner.refill(outcomes)
        self.own |= set(further)
        return further

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        return self.inner.choose(outcomes)

    def selects(self) -> bool:
        return self.inner.selects()

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        self.inner.observe(outcomes)
        reward = mean_reward([outcome for outcome in outcomes if outcome.uid in self.own])
        if reward is not None:
            self.gate.observe(reward)

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "index": self.index,
            "entered": self.entered,
            "own": sorted(self.own),
            "gate": self.gate.state(),
            "inner": self.inner.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step = state["entered"]
        self._enter(state["index"])
        self.step, self.own = state["step"], set(state["own"])
        self.gate.restore(state["gate"])
        self.inner.load_state_dict(state["inner"])

    def metrics(self) -> dict[str, float]:
        return {"curriculum/part": float(self.index), **self.inner.metrics()}

    @property
    def _last(self) -> bool:
        return self.index == len(self.parts) - 1

    def _enter(self, index: int) -> None:
        """Begin a part at the current step."""
        part = self.parts[index]
        self.index, self.entered = index, self.step
        self.gate = RunningGate(part.gate, self.share)
        left = self.steps - self.step
        steps = left if self._last else min(left, self.gate.at_most)
        rows = part.where.rows(self.pool, f"curriculum.parts.{index}.where")
        if not len(rows):
            raise ValueError(
                f"curriculum.parts.{index}.where must match at least one problem, but part "
                f"{part.name!r} matches none"
            )
        pool = self.pool if len(rows) == len(self.pool) else self.pool.subset(rows)
        self.inner = part.curriculum.build(pool, steps, self.seed)
        self.own = set()
