"""What is wrong with a curriculum that can be told before anything is scored.

Scoring may take hours; a domain, bucket or label that is misspelled need not wait for it. So the
curriculum is built on stand-ins: the training problems, as if each lay in every bucket. What then
has no match by its pass rate says nothing, since the rates are made up; a name does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curricula.base import Item
from curricula.machinery.names import UnknownName
from domains.problem import Problem
from runners.config import RunConfig

_IN_EVERY_BUCKET = 20_000
"""Problems above this number take turns: each value still meets every bucket many times."""


def check_names(config: RunConfig, problems: Sequence[Problem]) -> None:
    """Raise `ValueError` for a curriculum that names what these training problems do not have."""
    pool = tuple(_stand_ins(problems, config.buckets.order))
    try:
        config.curriculum.build(pool, config.trainer.steps, config.seed)
    except UnknownName:
        raise
    except ValueError:
        return  # the real rates decide


def _stand_ins(problems: Sequence[Problem], buckets: Sequence[str]) -> Iterator[Item]:
    """Items in buckets from hard to easy, with the pass rate of the bucket's place."""
    for turn, problem in enumerate(problems):
        places = range(len(buckets))
        for place in places if len(problems) <= _IN_EVERY_BUCKET else [turn % len(buckets)]:
            yield Item(
                f"{problem.uid}/{place}",
                problem.domain,
                problem.source,
                buckets[place],
                (place + 0.5) / len(buckets),
                problem.labels,
            )
