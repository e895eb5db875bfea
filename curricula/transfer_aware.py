"""Transfer-aware curriculum: a bandit over domains that pays for what helps the other domains too
(TAC: Yang et al. 2026, arXiv:2606.25178).

After a step, with L_d the mean |A| of domain d's rollouts and T_d the mean cosine between d's
policy gradient and those of the other domains, both faded over the steps,

    S_d = balance L_d + (1 - balance) (T_d - min T) / max(max T - min T, .1)

and each place of the next batch draws its domain with probability ~ exp((S_d + explore sqrt(2 ln(N
+ 1) / (n_d + 1))) / tau), n_d of the N groups seen being d's. The transfer term is relative: which
domain's gradient agrees best with the rest. It moves a domain's probability also while that domain
is not drawn.

Assumption: the alignment of two gradients now says how much training on one helps the other, and
|A| that much is being learnt. The paper's text and its code (YangYongJin/transfer-aware-curriculum)
were not to be had here: score, fading directions, relative transfer and exploration are theirs by a
detailed account of both; the values of balance, rate, explore and tau are ours. By that account
they draw a whole batch from one domain, after a round of all of them, and standardise L_d by its
own past, under which a domain that has long been solved scores as one that has long been learnt
from. Ours: mixed batches, so that every step compares the domains it holds; L_d as it is; domains
that have not been seen have no L_d and the largest bonus.

The cosine comes with the outcomes, as `extras["alignment"]` of a domain's prompts: the simulator
tells it, the local trainer does with `alignment_every` (runners/local/alignment.py). Without it
all T_d are alike, which leaves a bandit on advantages; `curriculum/alignment_told` logs the share
of outcomes that told it, so that this is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log
from statistics import fmean
from typing import Any, Literal

import numpy as np
from pydantic import Field

from curricula.base import Curriculum, Item, Outcome
from curricula.machinery.arms import Arms, Values, softmax
from curricula.machinery.drawing import DrawingCurriculum, PoolScheduler
from curricula.machinery.pool import Pool, Rows

ALIGNMENT = "alignment"
"""The name in `Outcome.extras`: a cosine in [-1, 1]."""
_LEAST_SPREAD = 0.1
"""Cosines that lie closer together than this are not pulled apart to 0 and 1."""


class TransferAware(PoolScheduler):
    """Draw the domains that help the rest."""

    kind: Literal["transfer_aware"] = "transfer_aware"
    arms: tuple[str, ...] = Field(("domain",), min_length=1)
    """Columns whose values make an arm."""
    balance: float = Field(0.5, ge=0, le=1)
    """Weight of an arm's own advantages; the rest is that of its alignment with the others."""
    rate: float = Field(0.5, gt=0, le=1)
    """The weight of a new observation."""
    explore: float = Field(0.1, ge=0)
    """Weight of the bonus for arms that were drawn less."""
    temperature: float = Field(0.2, gt=0)
    """tau."""

    def build(self, pool: Sequence[Item], steps: int, seed: int) -> Curriculum:
        chosen, rows = self.chosen(pool)
        arms = Arms(chosen, rows, self.arms, seed, "transfer_aware")
        return TransferAwareCurriculum(chosen, steps, seed, arms, self)


class TransferAwareCurriculum(DrawingCurriculum):
    """Keeps faded advantages and alignments of every arm."""

    def __init__(
        self, pool: Pool, steps: int, seed: int, arms: Arms, settings: TransferAware
    ) -> None:
        super().__init__(pool, steps, seed)
        self.arms, self.settings = arms, settings
        self.advantages: Values = np.full(len(arms), np.nan)
        """L; NaN before an arm's first outcome."""
        self.alignments: Values = np.full(len(arms), np.nan)
        """T; NaN before it is told."""
        self.counts = np.zeros(len(arms), np.int64)
        """Groups seen of each arm."""
        self.told = 0.0
        """Share of the last outcomes that came with an alignment."""

    @property
    def scores(self) -> Values:
        """S, without the bonus; what is not known is 0."""
        balance = self.settings.balance
        return balance * np.nan_to_num(self.advantages) + (1 - balance) * relative(self.alignments)

    @property
    def probabilities(self) -> Values:
        bonus = np.sqrt(2 * log(self.counts.sum() + 1) / (self.counts + 1))
        return softmax(self.scores + self.settings.explore * bonus, self.settings.temperature)

    def draw(self, count: int) -> Rows:
        return self.arms.draw(self.probabilities, count, self.generator())

    def learn(self, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        cosines: dict[int, list[float]] = defaultdict(list)
        for row, outcome in zip(rows, outcomes, strict=True):
            if ALIGNMENT in outcome.extras and self.arms.arm_of[row] >= 0:
                cosines[int(self.arms.arm_of[row])].append(outcome.extras[ALIGNMENT])
        if outcomes:
            self.told = sum(map(len, cosines.values())) / len(outcomes)
        for arm, found in cosines.items():
            self._fade(self.alignments, arm, fmean(found))
        for arm, advantage in self.arms.advantages(rows, outcomes).items():
            self._fade(self.advantages, arm, advantage)
        seen = self.arms.arm_of[np.array(rows, np.int32)]
        self.counts += np.bincount(seen[seen >= 0], minlength=len(self.arms))

    def state(self) -> dict[str, Any]:
        return {
            "advantages": _listed(self.advantages),
            "alignments": _listed(self.alignments),
            "counts": self.counts.tolist(),
            "told": self.told,
            "arms": self.arms.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.advantages = np.array(state["advantages"], float)
        self.alignments = np.array(state["alignments"], float)
        self.counts, self.told = np.array(state["counts"], np.int64), state["told"]
        self.arms.restore(state["arms"])

    def metrics(self) -> dict[str, float]:
        return {
            "curriculum/alignment_told": self.told,
            **self.arms.metrics("score", self.scores),
            **self.arms.metrics("share", self.probabilities),
        }

    def _fade(self, values: Values, arm: int, observed: float) -> None:
        """Move an arm's value towards what was observed; the first one is taken as it is."""
        old = values[arm]
        new = observed if np.isnan(old) else old + self.settings.rate * (observed - old)
        values[arm] = new


def relative(alignments: Values) -> Values:
    """Each arm's place between the least and the best aligned, in [0, 1].

    An arm that was told none is where those that were are on average.
    """
    known = alignments[~np.isnan(alignments)]
    if not len(known):
        return np.zeros(len(alignments))
    places = (alignments - known.min()) / max(known.max() - known.min(), _LEAST_SPREAD)
    return np.where(np.isnan(places), np.nanmean(places), places)


def _listed(values: Values) -> list[float | None]:
    """As JSON has it, which knows no NaN."""
    return [None if np.isnan(value) else float(value) for value in values]
