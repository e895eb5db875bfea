"""When a stage is over: after a number of steps, at a level of reward, or at a plateau of it."""

from __future__ import annotations

from statistics import fmean
from typing import Annotated, Any, Literal

from pydantic import Field

from curricula.machinery.ramps import PlateauCount
from domains.base import Settings


class StepsGate(Settings):
    """Go on after a number of steps."""

    kind: Literal["steps"] = "steps"
    steps: int | None = Field(None, ge=1)
    """None shares the training's steps equally among the stages."""


class RewardGate(Settings):
    """Go on when the stage's own mean reward over the last batches reaches a level."""

    kind: Literal["reward"] = "reward"
    above: float = 0.7
    window: int = Field(5, ge=1)
    """Batches of this stage that the mean is taken over."""
    at_most: int | None = Field(None, ge=1)
    """Steps after which the stage ends anyway; None is an equal share of the training's steps."""


class PlateauGate(Settings):
    """Go on when the stage's own mean reward has stopped rising."""

    kind: Literal["plateau"] = "plateau"
    window: int = Field(10, ge=1)
    """Batches in each of the two means that are compared."""
    gain: float = 0.01
    """A rise of the mean below this is a plateau."""
    at_most: int | None = Field(None, ge=1)
    """Steps after which the stage ends anyway; None is an equal share of the training's steps."""


AnyGate = StepsGate | RewardGate | PlateauGate
Gate = Annotated[AnyGate, Field(discriminator="kind")]


class RunningGate:
    """A gate of one stage as it runs."""

    def __init__(self, gate: AnyGate, share: int) -> None:
        self.gate = gate
        most = gate.steps if isinstance(gate, StepsGate) else gate.at_most
        self.at_most = most or share
        self.steps = 0
        """Batches drawn in this stage."""
        self.rewards: list[float] = []
        """Mean rewards of the stage's last batches."""
        self.plateau = PlateauCount(
            gate.window if isinstance(gate, PlateauGate) else 1,
            gate.gain if isinstance(gate, PlateauGate) else 0.0,
        )

    @property
    def is_open(self) -> bool:
        """Whether the stage is over."""
        if self.steps >= self.at_most:
            return True
        if isinstance(self.gate, RewardGate):
            full = len(self.rewards) == self.gate.window
            return full and fmean(self.rewards) >= self.gate.above
        return isinstance(self.gate, PlateauGate) and self.plateau.count > 0

    def observe(self, reward: float) -> None:
        """Tell the mean reward of a batch of this stage."""
        if isinstance(self.gate, RewardGate):
            self.rewards = [*self.rewards, reward][-self.gate.window :]
        elif isinstance(self.gate, PlateauGate):
            self.plateau.add(reward)

    def state(self) -> list[Any]:
        return [self.steps, self.rewards, self.plateau.state()]

    def restore(self, state: list[Any]) -> None:
        self.steps, self.rewards = state[0], list(state[1])
        self.plateau.restore(state[2])
