"""Dynamic sampling: drop the groups without variance and refill the batch (DAPO: Yu et al. 2025,
arXiv:2503.14476), around any curriculum.

After a step's rollouts, n groups of the B that are wanted vary. While n < B, further prompts are
rolled out: (B - n) / (1 - share without variance) x `margin`, at most B at a time (GRESO's rule).
The first B groups that vary are trained on, each whole: leave-one-out baselines need every rollout
of a group.

Assumption: the trainer can roll out more in one step (it calls `refill` and `choose`); the rollouts
that are thrown away cost less than steps with a thin gradient. In the published code (verl's DAPO
recipe, as in Zanette-Labs/speed-rl, recipe/dapo/src/dapo_ray_trainer.py): when
`max_num_gen_batches` is reached the run ends in ValueError, so a policy that becomes good, or data
that is too hard, kills the training. Ours never raises: after `rounds` refills, or when the
curriculum has no more, the step is trained on what varies, on everything when nothing does, and
says so in the metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Literal

from pydantic import Field

from curricula.base import Batch, Choice, Curriculum, Item, Outcome
from curricula.machinery.signals import is_informative
from curricula.machinery.wrapper import Wrapper, WrappingCurriculum


class DynamicSampling(Wrapper):
    """Drop groups without variance, and refill."""

    kind: Literal["dynamic_sampling"] = "dynamic_sampling"
    rounds: int = Field(3, ge=0)
    """Most refills of a step."""
    margin: float = Field(1.25, ge=1)
    """How much more is rolled out than is likely to be needed."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        return DynamicSamplingCurriculum(self.wraps.build(pool, steps, seed), self)


class DynamicSamplingCurriculum(WrappingCurriculum):
    """Counts the groups of a step that vary."""

    def __init__(self, inner: Curriculum, settings: DynamicSampling) -> None:
        super().__init__(inner)
        self.settings = settings
        self.size = 0
        """Groups that the current step wants."""
        self.refills = 0
        """Refills of the current step."""
        self.figures = {"dropped": 0.0, "short": 0.0, "refills": 0.0}
        """Of the last step: share of groups dropped, share of groups missing, refills."""

    def next_batch(self, size: int) -> Batch | None:
        self.size, self.refills = size, 0
        return super().next_batch(size)

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        good = sum(map(is_informative, outcomes))
        if good >= self.size or self.refills == self.settings.rounds:
            return ()
        self.refills += 1
        likely = (self.size - good) * len(outcomes) / good if good else self.size
        return self.inner.more(min(self.size, ceil(likely * self.settings.margin)))

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        whole = self.inner.choose(outcomes)
        good = [i for i, outcome in enumerate(outcomes) if is_informative(outcome) and whole[i]]
        if not good:
            return whole
        kept = set(good[: self.size])
        return tuple(choice if i in kept else () for i, choice in enumerate(whole))

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self.size:
            good = sum(map(is_informative, outcomes))
            self.figures = {
                "dropped": 1 - good / len(outcomes),
                "short": max(0.0, 1 - good / self.size),
                "refills": float(self.refills),
            }
        super().observe(outcomes)

    def own_state(self) -> dict[str, Any]:
        return {"size": self.size, "refills": self.refills}

    def restore_own(self, state: Mapping[str, Any]) -> None:
        self.size, self.refills = state["size"], state["refills"]

    def own_metrics(self) -> dict[str, float]:
        return {f"curriculum/{name}": value for name, value in self.figures.items()}
