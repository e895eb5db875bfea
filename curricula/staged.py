"""Staged training: one part of the pool after another (Bengio et al. 2009, curriculum learning).

By difficulty (buckets from easy to hard, or the reverse), by domain, or by both; or stages spelled
out with filters of their own. A gate says when a stage is over: after a number of steps, or when
the mean reward of its last batches is high enough (as reasoning-gym's coach does, there above .7).
`replay` keeps a share of each batch for the stages before, against forgetting.

Assumption: what the easy part teaches helps on the hard part, and pass rates measured before
training still order the problems. Where we differ from the usual ordered dataset: batches are
shuffled within a stage, gates look at rewards of this stage's own problems only (replayed ones do
not open a gate), and a stage that cannot reach its gate ends after `at_most` steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated, Any, Literal

from pydantic import Field

from curricula.base import Batch, Curriculum, Item, Outcome, Scheduler
from curricula.deck import Mix
from curricula.where import Where, unknown_name
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


Gate = Annotated[StepsGate | RewardGate, Field(discriminator="kind")]


class StageSettings(Settings):
    """One stage, spelled out."""

    name: str
    where: Where = Where()
    weights: dict[str, float] = Field(default_factory=dict)
    """Domain: weight in each batch of this stage; empty takes the curriculum's."""
    gate: Gate | None = None
    """None takes the curriculum's."""


class Staged(Scheduler):
    """One part after another."""

    kind: Literal["staged"] = "staged"
    by: Literal["difficulty", "domain", "both"] = "difficulty"
    """What a stage is: a bucket, a domain, or each domain's buckets in turn."""
    order: Literal["easy_to_hard", "hard_to_easy"] = "easy_to_hard"
    domains: tuple[str, ...] = ()
    """Order of the domains (by: domain, both); the pool's own order by default."""
    where: Where = Where()
    """Which problems of the pool to train on; all that have a bucket by default."""
    stages: tuple[StageSettings, ...] = ()
    """Stages spelled out; `by`, `order` and `domains` are not used then."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Domain: weight in each batch; empty for shares by size."""
    gate: Gate = StepsGate()
    replay: float = Field(0.0, ge=0, lt=1)
    """Share of each batch that is drawn from the stages before."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        items = self.where.select(pool, "curriculum.where")
        known = {item.domain for item in items}
        for domain in (*self.domains, *self.weights):
            if domain not in known:
                raise ValueError(unknown_name("curriculum.domains and .weights", domain, known))
        plans = self._spelled_out(items) if self.stages else self._automatic(items)
        if not plans:
            raise ValueError(
                f"curriculum (staged by {self.by}) must have at least one stage, but none of its "
                f"{len(items)} problems has a bucket"
            )
        share = max(1, steps // len(plans))
        stages = [
            _Stage(name, Mix(members, weights or self.weights, seed, name), gate, share)
            for name, members, weights, gate in plans
        ]
        return StagedCurriculum(stages, steps, self.replay)

    def _spelled_out(self, items: Sequence[Item]) -> list[_Plan]:
        plans: list[_Plan] = []
        for i, stage in enumerate(self.stages):
            members = stage.where.select(items, f"curriculum.stages.{i}.where")
            if not members:
                raise ValueError(
                    f"curriculum.stages.{i}.where must match at least one problem, but stage "
                    f"{stage.name!r} matches none"
                )
            plans.append((stage.name, members, stage.weights, stage.gate or self.gate))
        return plans

    def _automatic(self, items: Sequence[Item]) -> list[_Plan]:
        domains = self.domains or tuple(dict.fromkeys(item.domain for item in items))
        chosen = [item for item in items if item.domain in domains]
        if self.by == "domain":
            groups = {d: [item for item in chosen if item.domain == d] for d in domains}
        elif self.by == "difficulty":
            groups = self._by_bucket(chosen, "")
        else:
            groups = {}
            for domain in domains:
                groups |= self._by_bucket([i for i in chosen if i.domain == domain], f"{domain}/")
        return [(name, members, {}, self.gate) for name, members in groups.items() if members]

    def _by_bucket(self, items: Sequence[Item], prefix: str) -> dict[str, list[Item]]:
        groups: dict[str, list[Item]] = {}
        for item in items:
            if item.bucket is not None:
                groups.setdefault(prefix + item.bucket, []).append(item)
        easy_first = sorted(groups, key=lambda name: -fmean(i.pass_rate or 0 for i in groups[name]))
        ordered = easy_first if self.order == "easy_to_hard" else easy_first[::-1]
        return {name: groups[name] for name in ordered}


_Plan = tuple[str, Sequence[Item], Mapping[str, float], StepsGate | RewardGate]


@dataclass
class _Stage:
    """One stage as it runs."""

    name: str
    mix: Mix
    gate: StepsGate | RewardGate
    share: int
    """Its equal share of the training's steps."""

    def is_over(self, steps_in: int, rewards: Sequence[float]) -> bool:
        if isinstance(self.gate, StepsGate):
            return steps_in >= (self.gate.steps or self.share)
        if steps_in >= (self.gate.at_most or self.share):
            return True
        recent = rewards[-self.gate.window :]
        return len(recent) == self.gate.window and fmean(recent) >= self.gate.above


class StagedCurriculum(Curriculum):
    """Walks through the stages; the last one lasts until the steps are used up."""

    def __init__(self, stages: Sequence[_Stage], steps: int, replay: float) -> None:
        self.stages, self.steps, self.replay = list(stages), steps, replay
        self.step, self.index, self.steps_in = 0, 0, 0
        self.rewards: list[float] = []
        """Mean reward of each observed batch of this stage, replayed problems left out."""
        self.own: set[str] = set()

    def next_batch(self, size: int) -> Batch | None:
        if self.step == self.steps:
            return None
        last = self.index == len(self.stages) - 1
        if not last and self.stages[self.index].is_over(self.steps_in, self.rewards):
            self.index, self.steps_in, self.rewards = self.index + 1, 0, []
        self.step += 1
        self.steps_in += 1
        stage = self.stages[self.index]
        replayed = round(size * self.replay) if self.index else 0
        fresh = stage.mix.draw(size - replayed, self.step)
        self.own = set(fresh)
        return Batch(self.step, stage.name, (*fresh, *self._replayed(replayed)))

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        rewards = [fmean(o.rewards) for o in outcomes if o.uid in self.own and o.rewards]
        if rewards:
            self.rewards.append(fmean(rewards))

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "index": self.index,
            "steps_in": self.steps_in,
            "rewards": list(self.rewards),
            "own": sorted(self.own),
            "mixes": [stage.mix.state() for stage in self.stages],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.index = state["step"], state["index"]
        self.steps_in, self.rewards = state["steps_in"], list(state["rewards"])
        self.own = set(state["own"])
        for stage, mix in zip(self.stages, state["mixes"], strict=True):
            stage.mix.restore(mix)

    def metrics(self) -> dict[str, float]:
        return {"curriculum/stage": float(self.index), "curriculum/steps_in": float(self.steps_in)}

    def _replayed(self, count: int) -> list[str]:
        """`count` problems of the earlier stages, each stage in turn."""
        drawn: list[str] = []
        for place in range(count):
            earlier = self.stages[(self.step + place) % self.index]
            drawn += earlier.mix.draw(1, self.step * count + place)
        return drawn
