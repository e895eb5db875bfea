"""Splits by uid hash: stable under additions, nested under growing shares, no overlap.

A problem's place in [0, 1) depends on its uid alone, so the problems held out at share .1 lie
inside those held out at .2, and a problem never changes sides when a set grows.
"""

import hashlib
from collections.abc import Iterable, Sequence

from domains.problem import Problem


def place(uid: str, salt: str = "holdout") -> float:
    """A fixed, uniformly spread number in [0, 1) for a uid."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{uid}".encode()).digest()[:8]) / 2**64


def split(problems: Iterable[Problem], holdout: float) -> tuple[list[Problem], list[Problem]]:
    """(training, evaluation): a share `holdout` in [0, 1) of the problems, by uid hash."""
    training: list[Problem] = []
    evaluation: list[Problem] = []
    for problem in problems:
        (evaluation if place(problem.uid) < holdout else training).append(problem)
    return training, evaluation


def nested_subset(problems: Sequence[Problem], size: int, salt: str = "subset") -> list[Problem]:
    """The `size` problems with the smallest places: the first 64 lie inside the first 100."""
    if size > len(problems):
        raise ValueError(
            f"a subset must be at most the set's size, but got {size=} of {len(problems)}"
        )
    return sorted(problems, key=lambda p: (place(p.uid, salt), p.uid))[:size]


def overlap(left: Iterable[Problem], right: Iterable[Problem]) -> set[str]:
    """Uids that stand in both sets."""
    return {p.uid for p in left} & {p.uid for p in right}
