"""What every curriculum around another one shares: whatever it does not change, the inner one
does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from curricula.base import Batch, Choice, Curriculum, Outcome, Scheduler
from curricula.mixed import Mixed

if TYPE_CHECKING:
    from curricula import AnyScheduler


class Wrapper(Scheduler):
    """Settings of a scheduler around another one."""

    wraps: AnyScheduler = Field(default_factory=Mixed)
    """What to draw from, with a `kind` of its own; everything shuffled by default."""


class WrappingCurriculum(Curriculum):
    """Passes everything on."""

    def __init__(self, inner: Curriculum) -> None:
        self.inner = inner

    def next_batch(self, size: int) -> Batch | None:
        return self.inner.next_batch(size)

    def more(self, count: int) -> tuple[str, ...]:
        return self.inner.more(count)

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        return self.inner.refill(outcomes)

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        return self.inner.choose(outcomes)

    def selects(self) -> bool:
        own, passed_on = type(self), WrappingCurriculum
        adds = (own.refill, own.choose) != (passed_on.refill, passed_on.choose)
        return adds or self.inner.selects()

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        self.inner.observe(outcomes)

    def own_state(self) -> dict[str, Any]:
        """What changes besides the inner curriculum, as JSON values."""
        return {}

    def restore_own(self, state: Mapping[str, Any]) -> None:
        """Go back to an `own_state`."""

    def own_metrics(self) -> dict[str, float]:
        """Figures to log besides the inner curriculum's."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"inner": self.inner.state_dict(), "own": self.own_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.inner.load_state_dict(state["inner"])
        self.restore_own(state["own"])

    def metrics(self) -> dict[str, float]:
        return self.inner.metrics() | self.own_metrics()
