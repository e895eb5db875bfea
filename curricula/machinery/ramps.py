"""Numbers that may change during training: constant, linear, cosine, or a step at every plateau.

Wherever a weight or a share may be given, so may a ramp:

    weights: {math: {kind: linear, start: 1, end: 0.2}, logic: 1}
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi
from statistics import fmean
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domains.base import Settings

Name = Annotated[str, BeforeValidator(str)]
"""A column's value as a key; `level: {1: 2.0}` is written without quotes."""


class Constant(Settings):
    """Always the same; a plain number means this."""

    kind: Literal["constant"] = "constant"
    value: float = Field(ge=0)

    @property
    def most(self) -> float:
        return self.value


class Linear(Settings):
    """From `start` to `end` in equal steps."""

    kind: Literal["linear"] = "linear"
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    after: int = Field(0, ge=0)
    """Steps at `start` before it moves."""
    over: int | None = Field(None, ge=1)
    """Steps from start to end; None is all that are left."""

    @property
    def most(self) -> float:
        return max(self.start, self.end)

    def at(self, progress: float) -> float:
        return self.start + (self.end - self.start) * progress


class Cosine(Linear):
    """From `start` to `end` along half a cosine: slow, fast, slow."""

    kind: Literal["cosine"] = "cosine"  # type: ignore[assignment]

    def at(self, progress: float) -> float:
        return super().at((1 - cos(pi * progress)) / 2)


class Plateaus(Settings):
    """The first value until the mean reward stops rising, then the next, and so on."""

    kind: Literal["plateau"] = "plateau"
    values: tuple[Annotated[float, Field(ge=0)], ...] = Field(min_length=1)
    window: int = Field(20, ge=1)
    """Batches in each of the two means that are compared."""
    gain: float = 0.01
    """A rise of the mean below this is a plateau."""

    @property
    def most(self) -> float:
        return max(self.values)


def _spelled_out(value: object) -> object:
    """A plain number as a record."""
    return value if isinstance(value, Mapping | Settings) else {"kind": "constant", "value": value}


Amount = Annotated[
    Constant | Linear | Cosine | Plateaus,
    Field(discriminator="kind"),
    BeforeValidator(_spelled_out),
]
"""A number or a ramp; its largest value is `most`."""


class PlateauCount:
    """Counts how often the mean reward of batches stopped rising.

    A plateau is reached when the mean of the last `window` batches is less than `gain` above that
    of the `window` before them; then the count begins anew, on fresh batches.
    """

    def __init__(self, window: int, gain: float) -> None:
        self.window, self.gain = window, gain
        self.count = 0
        self.rewards: list[float] = []

    def add(self, reward: float) -> None:
        """Take one batch's mean reward into account."""
        self.rewards.append(reward)
        if len(self.rewards) < 2 * self.window:
            return
        before, after = self.rewards[-2 * self.window : -self.window], self.rewards[-self.window :]
        if fmean(after) - fmean(before) < self.gain:
            self.count, self.rewards = self.count + 1, []
        else:
            del self.rewards[: -2 * self.window]

    def state(self) -> list[Any]:
        return [self.count, list(self.rewards)]

    def restore(self, state: list[Any]) -> None:
        self.count, self.rewards = state[0], list(state[1])


class RunningAmounts:
    """Named amounts as they are at a step."""

    def __init__(self, amounts: Mapping[str, Amount], steps: int) -> None:
        self.amounts, self.steps = dict(amounts), steps
        self.plateaus = {
            name: PlateauCount(amount.window, amount.gain)
            for name, amount in self.amounts.items()
            if isinstance(amount, Plateaus)
        }

    def at(self, step: int) -> dict[str, float]:
        """Every amount at a step, which counts from 1."""
        return {name: self._one(name, amount, step) for name, amount in self.amounts.items()}

    def observe(self, reward: float) -> None:
        """Tell the mean reward of a batch."""
        for plateau in self.plateaus.values():
            plateau.add(reward)

    def state(self) -> dict[str, Any]:
        return {name: plateau.state() for name, plateau in self.plateaus.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name, plateau in self.plateaus.items():
            plateau.restore(state[name])

    def _one(self, name: str, amount: Amount, step: int) -> float:
        if isinstance(amount, Plateaus):
            return amount.values[min(self.plateaus[name].count, len(amount.values) - 1)]
        if isinstance(amount, Linear):
            over = amount.over or max(1, self.steps - amount.after - 1)
            return amount.at(min(1.0, max(0.0, (step - 1 - amount.after) / over)))
        return amount.value
