"""What SFT did and what reinforcement learning added: pass@1 of the three models, paired."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from runners.config import RunConfig
from runners.console import print_table
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import Estimate, Phase, paired_difference, summarise
from runners.run_dir import RunDir
from runners.summary import summarise as add_to_summary

STAGES: dict[Phase, str] = {"before": "base", "sft": "after SFT", "after": "after RL"}


def say_stages(config: RunConfig, folder: RunDir) -> None:
    """Print and keep pass@1 of each model, by domain and in all; nothing without an SFT."""
    rows = EvaluationLog(folder.evaluations).rows()
    if not any(row.phase == "sft" for row in rows):
        return
    domains = sorted({row.domain for row in rows})
    lines: list[list[object]] = []
    kept: dict[str, dict[str, list[float]]] = {}
    for domain in [*domains, None]:
        of_phase = {
            phase: [r for r in rows if r.phase == phase and domain in (None, r.domain)]
            for phase in STAGES
        }
        values = [summarise(of_phase[phase], 1, (), config.seed)[0].pass_at_k for phase in STAGES]
        changes = [
            paired_difference(of_phase[first], of_phase[second], 1, config.seed)
            for first, second in combinations(STAGES, 2)
        ]
        name = domain or "all"
        lines.append(
            [
                name,
                values[0].n_problems,
                *(_told(value) for value in values),
                *(_told(change, "+") for change in changes),
            ]
        )
        kept[name] = dict(zip(_names(), map(_numbers, [*values, *changes]), strict=True))
    print_table("pass@1 [95% interval]", ["domain", "problems", *_names()], lines)
    add_to_summary(folder, stages=kept)


def _names() -> Iterator[str]:
    """Of the three models, and of the differences between them."""
    yield from STAGES.values()
    for first, second in combinations(STAGES.values(), 2):
        yield f"{second} - {first}"


def _told(estimate: Estimate, sign: str = "") -> str:
    return f"{estimate.mean:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


def _numbers(estimate: Estimate) -> list[float]:
    """[mean, low, high, n]."""
    return [estimate.mean, estimate.low, estimate.high, estimate.n_problems]
