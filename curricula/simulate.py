"""Driving a curriculum with a learner model: the loop of a trainer, without a model.

The learner and its assumptions are in `learner.py`. The loop is the one of `base.py`: draw, roll
out, refill, choose, update, observe; so what a curriculum does here it does in training too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curricula.base import Batch, Choice, Curriculum, Item, Outcome, Scheduler
from curricula.learner import Flags, Floats, Learner, LearnerSettings, ProblemTable
from curricula.machinery.deck import generator
from curricula.machinery.pool import Pool
from curricula.transfer_aware import ALIGNMENT

_STD_FLOOR = 1e-6


@dataclass(frozen=True)
class SimulatedStep:
    """What one step did."""

    batch: Batch
    outcomes: tuple[Outcome, ...]
    """Of all that was rolled out, refills among it."""
    choices: tuple[Choice, ...]
    """Which rollouts of each were trained on."""

    @property
    def rollouts(self) -> int:
        """Completions generated."""
        return sum(len(outcome.rewards) for outcome in self.outcomes)

    @property
    def trained(self) -> int:
        """Completions trained on."""
        return sum(map(len, self.choices))

    @property
    def informative(self) -> int:
        """Completions trained on whose group's rewards vary."""
        pairs = zip(self.outcomes, self.choices, strict=True)
        return sum(len(choice) for outcome, choice in pairs if len(set(outcome.rewards)) > 1)


class Simulation:
    """One curriculum with one learner; iterate to walk through it, step by step."""

    def __init__(
        self,
        scheduler: Scheduler,
        pool: Sequence[Item],
        settings: LearnerSettings,
        *,
        steps: int,
        prompts: int,
        samples: int,
        seed: int,
        rates: Mapping[str, float] | None = None,
        domains: Iterable[str] = (),
    ) -> None:
        """`rates`: the learner's own pass rates before training by uid, where the pool's are only
        estimates of them. `domains`: further ones that its abilities are asked for.

        Raises `ValueError` where the curriculum cannot use the pool or no rate is known.
        """
        self.pool = Pool.of(pool)
        self.curriculum: Curriculum = scheduler.build(self.pool, steps, seed)
        self.learner = Learner(settings, learner_table(self.pool, rates, domains))
        self.prompts, self.samples = prompts, samples
        self._rng = generator(seed, "simulation")
        self._luck = generator(seed, "luck")
        """Of its own, so that two curricula under one seed share it."""
        self._lengths = (settings.tokens,) * samples
        self._extras = _alignments(self.learner)

    def __iter__(self) -> Iterator[SimulatedStep]:
        while batch := self.curriculum.next_batch(self.prompts):
            yield self._step(batch)

    def _step(self, batch: Batch) -> SimulatedStep:
        parts: list[tuple[NDArray[np.int64], Flags, Flags]] = []
        outcomes: list[Outcome] = []
        uids = batch.uids
        while uids:
            rows = np.array([self.pool.row_of(uid) for uid in uids], np.int64)
            right, rewards = self.learner.answer(rows, self.samples, self._rng)
            parts.append((rows, right, rewards))
            outcomes += self._outcomes(uids, rows, rewards)
            uids = self.curriculum.refill(outcomes)
        choices = self.curriculum.choose(outcomes)
        if parts:
            rows, right, rewards = (np.concatenate(part) for part in zip(*parts, strict=True))
            self.learner.learn(rows, right, rewards, _kept(choices, self.samples), self._luck)
        self.curriculum.observe(outcomes)
        return SimulatedStep(batch, tuple(outcomes), choices)

    def _outcomes(
        self, uids: Sequence[str], rows: NDArray[np.int64], rewards: Flags
    ) -> list[Outcome]:
        """GRPO's advantages stand with them, as a trainer's would."""
        values = rewards.astype(float)
        spread = values.std(1, ddof=1 if self.samples > 1 else 0, keepdims=True)
        advantages = (values - values.mean(1, keepdims=True)) / (spread + _STD_FLOOR)
        domains = self.learner.problems.domain[rows].tolist()
        columns = zip(uids, values.tolist(), advantages.tolist(), domains, strict=True)
        return [
            Outcome(u, tuple(r), (), tuple(a), self._lengths, extras=self._extras[domain])
            for u, r, a, domain in columns
        ]


def learner_table(
    pool: Pool, rates: Mapping[str, float] | None = None, domains: Iterable[str] = ()
) -> ProblemTable:
    """The pool's problems as a learner has them, in the pool's order.

    A problem that has not been scored is taken to be as hard as the mean of its domain, in logits,
    or of the pool. Raises `ValueError` where nothing at all has been scored.
    """
    column = pool.columns["domain"]
    names = [column.names[code] for code in column.codes]
    known = pool.pass_rates
    if rates is not None:
        known = np.array([rates.get(uid, np.nan) for uid in pool.uids])
    missing = np.isnan(known)
    if missing.all():
        raise ValueError(
            f"a simulation must know pass rates, but none of the pool's {len(pool)} problems has "
            "been scored: run `curricle score` first"
        )
    everything = list(dict.fromkeys([*sorted({*names}), *sorted(domains)]))
    table = ProblemTable.of(everything, names, np.where(missing, 0.5, known))
    for domain in np.unique(table.domain[missing]):
        own = table.domain == domain
        scored = own & ~missing if (own & ~missing).any() else ~missing
        table.start[own & missing] = table.start[scored].mean()
    return table


def _kept(choices: Sequence[Choice], samples: int) -> Flags:
    kept = np.zeros((len(choices), samples), bool)
    for group, choice in enumerate(choices):
        kept[group, list(choice)] = True
    return kept


def _alignments(learner: Learner) -> list[dict[str, float]]:
    """What a trainer that compares gradients would tell of each domain: its mean transfer to and
    from the others; nothing where there is one domain."""
    matrix: Floats = learner.domain_transfer
    trained = np.unique(learner.problems.domain)
    both = (matrix + matrix.T) / 2
    found: list[dict[str, float]] = []
    for domain in range(len(matrix)):
        others = trained[trained != domain]
        found.append({ALIGNMENT: float(both[domain, others].mean())} if len(others) else {})
    return found
