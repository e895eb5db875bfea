"""Ratio control: keep the mix of what comes *back*, not of what is sent (PipelineRL, ServiceNow).

One curriculum of its own for each domain; of each batch, domain d gets a share ~ target_d x
clip(target_d / observed_d, .1, 10), where observed is its share of the completions so far, once
there are 50. So domains whose rollouts are slow, or are dropped, do not shrink in what is trained
on.

Assumption: outcomes that have not come are on their way, or lost, at a rate that goes on. In the
published code (ServiceNow/PipelineRL, pipelinerl/domain_sampling.py): completions are counted from
the beginning of the run, so after a while nothing that changes is noticed; problems are drawn with
replacement. Ours: the counts fade, passes are the inner curricula's, and those may be of any kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from curricula.base import Batch, Choice, Curriculum, Item, Outcome
from curricula.machinery.deck import apportion, generator
from curricula.machinery.names import UnknownName
from curricula.machinery.pool import Pool
from curricula.machinery.ramps import Name
from curricula.machinery.wrapper import Wrapper


class RatioControl(Wrapper):
    """Hold each part's share of the completions."""

    kind: Literal["ratio_control"] = "ratio_control"
    over: str = "domain"
    """The column whose values are the parts."""
    shares: dict[Name, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Value: its target; empty for shares by size. A value that is left out is not drawn."""
    after: int = Field(50, ge=0)
    """Completions before anything is adjusted."""
    limit: float = Field(10.0, ge=1)
    """Largest factor by which a share is raised or lowered."""
    memory: int = Field(5000, ge=1)
    """Completions that count; older ones fade."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        columns = Pool.of(pool)
        groups = columns.groups(columns.rows, self.over, "curriculum.over")
        for value in self.shares:
            if value not in groups:
                raise UnknownName("curriculum.shares", value, groups)
        targets = dict(self.shares) or {v: float(len(rows)) for v, rows in groups.items()}
        parts = {
            value: self.wraps.build(columns.subset(groups[value]), steps, seed)
            for value, target in targets.items()
            if target > 0
        }
        if not parts:
            raise ValueError(f"curriculum.shares must be above 0 once, but got {self.shares}")
        return RatioControlCurriculum(columns, seed, parts, targets, self)


class RatioControlCurriculum(Curriculum):
    """Splits each batch among one curriculum a part."""

    def __init__(
        self,
        pool: Pool,
        seed: int,
        parts: Mapping[str, Curriculum],
        targets: Mapping[str, float],
        settings: RatioControl,
    ) -> None:
        self.pool, self.seed, self.settings = pool, seed, settings
        self.parts = dict(parts)
        total = sum(targets[value] for value in parts)
        self.targets = {value: targets[value] / total for value in parts}
        self.completed = dict.fromkeys(parts, 0.0)
        self.turn = 0
        self.column = pool.column(settings.over, "curriculum.over")

    @property
    def shares(self) -> dict[str, float]:
        """What each part gets of the next prompts."""
        total = sum(self.completed.values())
        if total < max(1, self.settings.after):
            return dict(self.targets)
        most = self.settings.limit
        raised = {}
        for value, target in self.targets.items():
            observed = self.completed[value] / total
            factor = target / observed if observed else most
            raised[value] = target * min(most, max(1 / most, factor))
        return {value: share / sum(raised.values()) for value, share in raised.items()}

    def next_batch(self, size: int) -> Batch | None:
        # A part without a place takes its step too, so that all of them keep time.
        batches = {v: self.parts[v].next_batch(n) for v, n in self._places(size).items()}
        live = [batch for batch in batches.values() if batch is not None]
        if not live:
            return None
        uids = [uid for batch in live for uid in batch.uids]
        for value, batch in batches.items():
            if len(uids) < size and batch is not None:
                uids += self.parts[value].more(size - len(uids))
        return Batch(live[0].step, live[0].stage, tuple(uids))

    def more(self, count: int) -> tuple[str, ...]:
        places = self._places(count)
        return tuple(uid for value, n in places.items() for uid in self.parts[value].more(n))

    def refill(self, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
        split = self._split(outcomes)
        return tuple(uid for v, part in self.parts.items() for uid in part.refill(split[v]))

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        split = self._split(outcomes)
        chosen = {
            id(outcome): choice
            for value, part in self.parts.items()
            for outcome, choice in zip(split[value], part.choose(split[value]), strict=True)
        }
        everything = super().choose(outcomes)
        return tuple(chosen.get(id(o), e) for o, e in zip(outcomes, everything, strict=True))

    def selects(self) -> bool:
        return any(part.selects() for part in self.parts.values())

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        for value, own in self._split(outcomes).items():
            self.completed[value] += sum(len(outcome.rewards) for outcome in own)
            self.parts[value].observe(own)
        faded = min(1.0, self.settings.memory / max(1.0, sum(self.completed.values())))
        self.completed = {value: count * faded for value, count in self.completed.items()}

    def state_dict(self) -> dict[str, Any]:
        parts = {value: part.state_dict() for value, part in self.parts.items()}
        return {"parts": parts, "completed": dict(self.completed), "turn": self.turn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.completed, self.turn = dict(state["completed"]), state["turn"]
        for value, part in self.parts.items():
            part.load_state_dict(state["parts"][value])

    def metrics(self) -> dict[str, float]:
        inner = {
            f"{name}/{value}": figure
            for value, part in self.parts.items()
            for name, figure in part.metrics().items()
        }
        return inner | {f"curriculum/share/{value}": s for value, s in self.shares.items()}

    def _places(self, count: int) -> dict[str, int]:
        self.turn += 1
        return apportion(self.shares, count, generator(self.seed, "ratio", self.turn))

    def _split(self, outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
        split: dict[str, list[Outcome]] = {value: [] for value in self.parts}
        for outcome in outcomes:
            row = self.pool.row_of(outcome.uid)
            if row is not None and self.column.codes[row] >= 0:
                value = self.column.names[self.column.codes[row]]
                if value in split:
                    split[value].append(outcome)
        return split
