"""What all kinds of SFT have in common: which problems are set apart for it, and how it trains."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from domains.base import Settings
from domains.problem import Problem
from domains.splits import place
from runners.sft.examples import Collected, Material
from runners.verl.composed import Overrides


def _ratio(value: Any) -> str:
    """A checked `3:7`. YAML 1.1 reads one without quotes as a number in base sixty: 187."""
    if isinstance(value, int) and value >= 60:
        value = "{}:{}".format(*divmod(value, 60))
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,9}:0*[1-9]\d{0,8}", value):
        raise ValueError(
            "must be two whole numbers, D_SFT:D_RL, such as 3:7 (0:1 leaves SFT out; something "
            f"must be left for reinforcement learning), but got {value!r}"
        )
    return value


Ratio = Annotated[str, BeforeValidator(_ratio)]


class SFT(Settings, ABC):
    """Fine-tuning on worked answers before the first step of reinforcement learning.

    Of `share`, `ratio` and `size` at most one is given. Without any, all training problems serve
    both; else they are split in two by uid hash, domain by domain, and neither part ever sees the
    other's problems.
    """

    share: float | None = Field(None, ge=0, lt=1)
    """Share of the training problems that is set apart for SFT. 0 leaves SFT out: the control of a
    study."""
    ratio: Ratio | None = None
    """D_SFT : D_RL in problems, such as 3:7; the same as share 0.3."""
    size: int | None = Field(None, ge=0)
    """Number of problems that are set apart for SFT."""
    trainer: Literal["local", "verl"] | None = None
    """None is the kind of the run's `trainer`; where both are of one kind, device, precision and
    workers are those of `trainer`."""
    epochs: int = Field(2, ge=1)
    batch_size: int = Field(32, ge=1)
    """Examples in an update; fewer where there are not so many."""
    learning_rate: float = Field(1e-5, gt=0)
    """Of AdamW, constant."""
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    lora_rank: int = Field(0, ge=0)
    """0 trains all weights; adapters are merged in before reinforcement learning."""
    checkpoint_every: int = Field(50, ge=1)
    """Updates between checkpoints; an interrupted SFT goes on from the last one."""
    rescore: bool = True
    """Measure the pass rates of the problems for reinforcement learning again with the fine-tuned
    model. Difficulty is a model's own: buckets and curriculum are of the model that starts, and
    SFT moves it. False keeps the base model's rates, and saves the tokens. Rates that others
    measured (`difficulty.imported`) are kept anyway."""
    overrides: Overrides = Field(default_factory=dict)
    """Settings of verl's own SFT trainer, by dotted key or nested; only for verl."""

    @model_validator(mode="after")
    def _one_split(self) -> Self:
        given = {
            name: getattr(self, name)
            for name in ("share", "ratio", "size")
            if getattr(self, name) is not None
        }
        if len(given) > 1:
            named = " and ".join(f"{name}={value!r}" for name, value in given.items())
            raise ValueError(f"only one of share, ratio and size may be given, but got {named}")
        return self

    @property
    def wanted(self) -> bool:
        """False where no problem is set apart for SFT, which is then left out."""
        return self._proportion() != 0 and self.size != 0

    def split(self, problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
        """(for SFT, for reinforcement learning), in the problems' order.

        Each domain is split in the same proportion; a larger part holds every smaller one. Raises
        `ValueError` where a part would be empty that must not be.
        """
        proportion = self._proportion()
        if proportion is None and self.size is None:
            return list(problems), list(problems)
        count = self.size if proportion is None else round(proportion * len(problems))
        assert count is not None
        if self.wanted and not 1 <= count < len(problems):
            raise ValueError(
                f"sft must leave problems for SFT and for reinforcement learning, but would take "
                f"{count} of {len(problems)} training problems"
            )
        apart = set(_evenly(problems)[:count])
        return (
            [problem for problem in problems if problem.uid in apart],
            [problem for problem in problems if problem.uid not in apart],
        )

    def _proportion(self) -> float | None:
        if self.ratio is None:
            return self.share
        first, second = map(int, self.ratio.split(":"))
        return first / (first + second)

    @abstractmethod
    def collect(self, material: Material) -> Collected:
        """The examples to learn from, in the order in which they are shuffled into batches.

        Raises `ValueError` where there is none, or for a file that cannot be read.
        """


def _evenly(problems: Sequence[Problem]) -> list[str]:
    """All uids, by hash within a domain, so that any beginning holds the same share of each."""
    members: dict[str, list[str]] = {}
    for problem in problems:
        members.setdefault(problem.domain, []).append(problem.uid)
    placed: list[tuple[float, str]] = []
    for uids in members.values():
        uids.sort(key=lambda uid: (place(uid, "sft"), uid))
        placed += [((i + 0.5) / len(uids), uid) for i, uid in enumerate(uids)]
    return [uid for _, uid in sorted(placed)]
