"""What a step and an evaluation were, as rows for the logs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from curricula.base import Batch, Item, Outcome
from domains.problem import Status
from runners.evaluation.summary import EvaluationRow
from runners.tracking.training_log import outcome_figures

NAMES = {
    "actor/entropy": "entropy",
    "actor/grad_norm": "grad_norm",
    "actor/kl_loss": "kl",
    "actor/reward_kl_penalty": "kl",
    "critic/vf_loss": "value_loss",
}
"""verl's names and ours; some settings, such as a critic's warm-up, leave some of them out."""


def step_row(
    batch: Batch,
    outcomes: Sequence[Outcome],
    items: Mapping[str, Item],
    verl_metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """The line of `metrics.jsonl` for a finished step; `items` is the pool by uid."""
    buckets = {outcome.uid: items[outcome.uid].bucket for outcome in outcomes}
    row = outcome_figures(batch, outcomes, lambda uid: items[uid].domain, buckets)
    for theirs, name in NAMES.items():
        if theirs in verl_metrics:
            row[name] = float(verl_metrics[theirs])
    if "actor/pg_loss" in verl_metrics:
        # verl reports the loss in parts
        weight = float(verl_metrics.get("actor/kl_coef", 0.0))
        kl_loss = float(verl_metrics.get("actor/kl_loss", 0.0))
        row["loss"] = float(verl_metrics["actor/pg_loss"]) + weight * kl_loss
    return row


def evaluation_rows(
    step: int, problems: Mapping[str, Item], uids: Sequence[str], statuses: Sequence[Status]
) -> list[EvaluationRow]:
    """One row a problem, in the order of `problems`, from the uid and status of every sample."""
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    for uid, status in zip(uids, statuses, strict=True):
        counts[uid][status] += 1
    return [
        EvaluationRow(
            phase="during",
            step=step,
            uid=uid,
            domain=item.domain,
            source=item.source,
            bucket=item.bucket,
            n=counts[uid].total() - counts[uid]["verifier_error"],
            correct=counts[uid]["correct"],
            wrong=counts[uid]["wrong"],
            no_answer=counts[uid]["no_answer"],
            truncated=counts[uid]["truncated"],
            verifier_errors=counts[uid]["verifier_error"],
        )
        for uid, item in problems.items()
        if uid in counts
    ]
