"""What scoring found of a problem set: rates, posteriors, buckets, and the pool made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curricula.base import Item
from difficulty.export import ScoredPool
from difficulty.pass_rate import PassRate, posteriors
from domains.problem import Problem
from runners.config import RunConfig
from runners.problem_set import ProblemSet, as_item


@dataclass(frozen=True)
class Scored(ScoredPool):
    """What scoring found, by uid."""

    @property
    def buckets(self) -> dict[str, str]:
        """The bucket's name of every problem that is in one."""
        return self.placed.names

    @classmethod
    def of(cls, rates: Sequence[PassRate], config: RunConfig, origin: str | None = None) -> Scored:
        """Put measured problems into the config's buckets."""
        found = posteriors(rates)
        placed = config.buckets.place(rates, found)
        return cls({rate.uid: rate for rate in rates}, found, placed, origin)

    def pool(self, problems: ProblemSet) -> tuple[Item, ...]:
        """The training problems as a curriculum sees them, but for those that `buckets.drop` leaves
        out; a missing rate is None."""
        return tuple(
            as_item(
                problem,
                self.buckets.get(problem.uid),
                self.posteriors[problem.uid].mean if problem.uid in self.posteriors else None,
            )
            for problem in problems.training
            if problem.uid not in self.placed.dropped
        )

    def check_curriculum(self, config: RunConfig, problems: ProblemSet) -> None:
        """Raise `ValueError` for a curriculum that this pool cannot serve, before any training."""
        config.curriculum.build(self.pool(problems), config.trainer.steps, config.seed)

    def pool_row(self, problem: Problem) -> dict[str, Any]:
        """A line of pool.jsonl."""
        rate, posterior = self.rates[problem.uid], self.posteriors.get(problem.uid)
        return {
            "uid": problem.uid,
            "domain": problem.domain,
            "source": problem.source,
            "bucket": self.buckets.get(problem.uid),
            "membership": self.placed.membership(problem.uid),
            "pass_rate": posterior.mean if posterior else None,
            "low": posterior.low if posterior else None,
            "high": posterior.high if posterior else None,
            "rate_among_finished": rate.rate_among_finished,
            "n": rate.n,
            "correct": rate.correct,
            "wrong": rate.wrong,
            "no_answer": rate.no_answer,
            "truncated": rate.truncated,
            "verifier_errors": rate.verifier_errors,
            "labels": dict(problem.labels),
            **({"predicted": True} if posterior and rate.n == 0 else {}),
            **({"rates_from": self.origin} if self.origin else {}),
        }
