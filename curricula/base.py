"""What a curriculum is: it says what comes next, and learns from how it went.

A `Scheduler` is settings; `build` makes the running `Curriculum`. Every trainer drives it alike:

    while batch := curriculum.next_batch(size):
        outcomes = roll_out(batch.uids)
        while further := curriculum.refill(outcomes):       # most never ask for any
            outcomes += roll_out(further)
        train_on(outcomes, curriculum.choose(outcomes))     # most choose all
        curriculum.observe(outcomes)

A trainer that takes prompts one at a time asks for batches of one. One that cannot refill or choose
leaves the two lines out: nothing breaks, it only does without what they save. `state_dict` holds
all that changes, as JSON values; a restored curriculum has the same future.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domains.base import Settings
from domains.problem import Label, Status


@dataclass(frozen=True, slots=True)
class Item:
    """What a curriculum knows of one problem of its pool."""

    uid: str
    domain: str
    source: str
    bucket: str | None = None
    """None where the problem has not been scored."""
    pass_rate: float | None = None
    """Posterior mean in [0, 1]; None where it is missing, never 0."""
    labels: Mapping[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """The prompts of one training step."""

    step: int
    """Counts from 1."""
    stage: str
    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the rollouts of one prompt went in one step; each sequence has one entry a rollout."""

    uid: str
    rewards: tuple[float, ...]
    statuses: tuple[Status, ...] = ()
    advantages: tuple[float, ...] = ()
    token_counts: tuple[int, ...] = ()
    components: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Scores beside the reward by name, such as partial credit; an entry a rollout each."""
    extras: Mapping[str, float] = field(default_factory=dict)
    """Further signals by name, such as `alignment` (curricula/transfer_aware.py)."""


Choice = tuple[int, ...]
"""Which rollouts of one outcome to train on, by index; empty drops the group."""


class Curriculum(ABC):
    """A running curriculum."""

    @abstractmethod
    def next_batch(self, size: int) -> Batch | None:
        """The next `size` prompts, or None when the curriculum is over."""

    def more(self, count: int) -> tuple[str, ...]:
        """Up to `count` further prompts within the current step; none where it has no more."""
        return ()

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        """Prompts to roll out besides, given all outcomes of this step so far; none when enough."""
        return ()

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        """Which rollouts of each outcome to train on; all by default."""
        return tuple(tuple(range(len(outcome.rewards))) for outcome in outcomes)

    def selects(self) -> bool:
        """Whether `refill` or `choose` may say anything; if not, a trainer can look at outcomes
        when it has time, after the step has begun to train on them."""
        return (type(self).refill, type(self).choose) != (Curriculum.refill, Curriculum.choose)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from a finished step; outcomes may come late, in any order, or never."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, as JSON values."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict` of a curriculum built from the same settings and pool."""

    def metrics(self) -> dict[str, float]:
        """Figures to log after a step, such as the stage's index."""
        return {}


class Scheduler(Settings, ABC):
    """Settings that build a curriculum over a pool."""

    kind: str
    """Names the class: a word of ours, `package.module:Class`, or an installed entry point."""

    @abstractmethod
    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        """A curriculum of at most `steps` batches. Raises `ValueError` on an unusable pool."""
