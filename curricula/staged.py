"""Staged training: one part of the pool after another (Bengio et al. 2009, curriculum learning).

By difficulty (buckets from easy to hard, or the reverse), by domain, or by both; or stages spelled
out with filters of their own. A gate says when a stage is over: after a number of steps, when the
mean reward of its last batches is high enough (as reasoning-gym's coach does, there above .7), or
when it has stopped rising. `replay` keeps a share of each batch for the stages before, against
forgetting. Math first and then everything (Reasoning Curriculum, arXiv:2510.26143) is two stages.

Assumption: what the easy part teaches helps on the hard part, and pass rates measured before
training still order the problems. Where we differ from the usual ordered dataset: batches are
shuffled within a stage, gates look at rewards of this stage's own problems only (replayed ones do
not open a gate), and a stage that cannot reach its gate ends after `at_most` steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.buckets import easy_first, no_buckets
from curricula.machinery.deck import apportion, generator, unique
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.gates import AnyGate, Gate, RunningGate, StepsGate
from curricula.machinery.mix import Mix, Shares
from curricula.machinery.names import UnknownName
from curricula.machinery.pool import Pool, Rows
from curricula.machinery.ramps import Amount, Constant, RunningAmounts
from curricula.machinery.signals import mean_reward
from curricula.machinery.where import Where


class StageSettings(Shares):
    """One stage, spelled out."""

    name: str
    where: Where = Where()
    gate: Gate | None = None
    """None takes the curriculum's."""


class Staged(PoolScheduler, Shares):
    """One part after another."""

    kind: Literal["staged"] = "staged"
    by: Literal["difficulty", "domain", "both"] = "difficulty"
    """What a stage is: a bucket, a domain, or each domain's buckets in turn."""
    order: Literal["easy_to_hard", "hard_to_easy"] = "easy_to_hard"
    domains: tuple[str, ...] = ()
    """Order of the domains (by: domain, both); the pool's own order by default."""
    stages: tuple[StageSettings, ...] = ()
    """Stages spelled out; `by`, `order` and `domains` are not used then. A stage without weights
    and quotas takes the curriculum's."""
    gate: Gate = StepsGate()
    replay: Amount = Constant(value=0)
    """Share of each batch that is drawn from the stages before; may be a ramp."""

    @model_validator(mode="after")
    def _replay_leaves_room(self) -> Self:
        if self.replay.most >= 1:
            raise ValueError(f"replay must be below 1, but got replay={self.replay.most:g}")
        return self

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        known = chosen.groups(rows, "domain", "curriculum")
        for domain in self.domains:
            if domain not in known:
                raise UnknownName("curriculum.domains", domain, known)
        plans = self._spelled_out(chosen, rows) if self.stages else self._automatic(chosen, rows)
        if not plans:
            raise no_buckets(self.kind, len(rows))
        share = max(1, steps // len(plans))
        stages = [
            _Stage(p.name, Mix(chosen, p.rows, p.shares, steps, seed, p.name, rows), p.gate, share)
            for p in plans
        ]
        return StagedCurriculum(chosen, steps, seed, stages, self.replay)

    def _spelled_out(self, pool: Pool, rows: Rows) -> list[_Plan]:
        plans = []
        for i, stage in enumerate(self.stages):
            members = np.intersect1d(stage.where.rows(pool, f"curriculum.stages.{i}.where"), rows)
            if not len(members):
                raise ValueError(
                    f"curriculum.stages.{i}.where must match at least one problem, but stage "
                    f"{stage.name!r} matches none"
                )
            shares = stage if stage.weights or stage.quotas else self
            plans.append(_Plan(stage.name, members, shares, stage.gate or self.gate))
        return plans

    def _automatic(self, pool: Pool, rows: Rows) -> list[_Plan]:
        by_domain = pool.groups(rows, "domain", "curriculum")
        domains = self.domains or tuple(by_domain)
        if self.by == "domain":
            groups = {domain: by_domain[domain] for domain in domains}
        elif self.by == "difficulty":
            groups = self._by_bucket(pool, np.concatenate([by_domain[d] for d in domains]), "")
        else:
            groups = {}
            for domain in domains:
                groups |= self._by_bucket(pool, by_domain[domain], f"{domain}/")
        return [_Plan(name, members, self, self.gate) for name, members in groups.items()]

    def _by_bucket(self, pool: Pool, rows: Rows, prefix: str) -> dict[str, Rows]:
        groups = list(easy_first(pool, rows).items())
        ordered = groups if self.order == "easy_to_hard" else groups[::-1]
        return {prefix + name: members for name, members in ordered}


@dataclass(frozen=True)
class _Plan:
    """A stage before it runs."""

    name: str
    rows: Rows
    shares: Shares
    gate: AnyGate


class _Stage:
    """One stage as it runs."""

    def __init__(self, name: str, mix: Mix, gate: AnyGate, share: int) -> None:
        self.name, self.mix = name, mix
        self.gate = RunningGate(gate, share)


class StagedCurriculum(DrawingCurriculum):
    """Walks through the stages; the last one lasts until the steps are used up."""

    def __init__(
        self, pool: Pool, steps: int, seed: int, stages: Sequence[_Stage], replay: Amount
    ) -> None:
        super().__init__(pool, steps, seed)
        self.stages = list(stages)
        self.replay = RunningAmounts({"replay": replay}, steps)
        self.index = 0
        self.own: set[int] = set()
        """Rows of the current step that are the stage's own, not replayed."""

    @property
    def stage(self) -> str:
        return self.stages[self.index].name

    def begin_step(self) -> None:
        if self.index < len(self.stages) - 1 and self.stages[self.index].gate.is_open:
            self.index += 1
        self.stages[self.index].gate.steps += 1
        self.own = set()

    def draw(self, count: int) -> Rows:
        share = self.replay.at(self.step)["replay"] if self.index else 0.0
        replayed = round(count * share)
        mix = self.stages[self.index].mix
        fresh = mix.draw(count - replayed, self.step, self.turn)
        again = unique(np.concatenate([fresh[:0], *self._replayed(replayed)]))
        again = again[~np.isin(again, fresh)]  # a stage may hold problems of those before
        if missing := count - len(fresh) - len(again):
            fresh = np.concatenate([fresh, mix.draw(missing, self.step, self.turn)])
        self.own |= set(map(int, fresh))
        return np.concatenate([fresh, again])

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        pairs = zip(rows, outcomes, strict=True)
        reward = mean_reward([outcome for row, outcome in pairs if row in self.own])
        if reward is not None:
            self.stages[self.index].gate.observe(reward)
            self.stages[self.index].mix.observe(reward)
            self.replay.observe(reward)

    def state(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "own": sorted(self.own),
            "mixes": [stage.mix.state() for stage in self.stages],
            "gates": [stage.gate.state() for stage in self.stages],
            "replay": self.replay.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.index, self.own = state["index"], set(state["own"])
        self.replay.restore(state["replay"])
        for stage, mix, gate in zip(self.stages, state["mixes"], state["gates"], strict=True):
            stage.mix.restore(mix)
            stage.gate.restore(gate)

    def metrics(self) -> dict[str, float]:
        steps_in = self.stages[self.index].gate.steps
        return {"curriculum/stage": float(self.index), "curriculum/steps_in": float(steps_in)}

    def _replayed(self, count: int) -> list[Rows]:
        """`count` rows of the earlier stages, each with an equal share of them."""
        if not count:
            return []
        rng = generator(self.seed, "replay", self.turn)
        places = apportion(dict.fromkeys(map(str, range(self.index)), 1.0), count, rng)
        return [
            self.stages[int(index)].mix.draw(n, self.step, self.turn) for index, n in places.items()
        ]
