"""What a step was, out of verl's TransferQueue: outcomes for the curriculum, rows for the logs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from curricula.base import Batch, Item, Outcome
from domains.problem import Status
from runners.evaluation_summary import EvaluationRow
from runners.tracking import outcome_figures


def read_outcomes(batch: Any) -> list[Outcome]:
    """Outcomes of a finished step, one a prompt, while the queue still holds its samples.

    `batch` is verl's `KVBatchMeta`: its keys are `<prompt>_<sample>_<part>`, and rows marked as
    padding were added only to fill the workers up.
    """
    import transfer_queue

    fields = ["rm_scores", "advantages", "response_mask", "extra_fields"]
    data = transfer_queue.kv_batch_get(
        keys=batch.keys, partition_id=batch.partition_id, select_fields=fields
    )
    groups: dict[str, list[tuple[str, float, str, float, int]]] = defaultdict(list)
    columns = zip(batch.keys, batch.tags, *(list(data[name]) for name in fields), strict=True)
    for key, tag, scores, advantages, mask, extra in columns:
        if tag.get("is_padding", False):
            continue
        info = extra["reward_extra_info"]
        tokens = int(mask.sum())
        advantage = float((advantages * mask).sum()) / max(tokens, 1)
        groups[key.split("_")[0]].append(
            (info["uid"], float(scores.sum()), info["status"], advantage, tokens)
        )
    outcomes = []
    for rows in groups.values():
        uids, rewards, statuses, means, lengths = zip(*rows, strict=True)
        outcomes.append(Outcome(uids[0], rewards, statuses, means, lengths))
    return outcomes


def step_row(
    batch: Batch,
    outcomes: Sequence[Outcome],
    domains: Mapping[str, str],
    verl_metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """The line of `metrics.jsonl` for a finished step. `domains` maps uids to domains."""
    row = outcome_figures(batch, outcomes, domains.__getitem__) | {
        "entropy": float(verl_metrics["actor/entropy"]),
        "loss": _policy_loss(verl_metrics),
        "grad_norm": float(verl_metrics["actor/grad_norm"]),
    }
    if "critic/vf_loss" in verl_metrics:
        row["value_loss"] = float(verl_metrics["critic/vf_loss"])
    return row


def _policy_loss(verl_metrics: Mapping[str, Any]) -> float:
    """The whole loss, which verl reports in parts: policy gradient and KL."""
    weight = float(verl_metrics.get("actor/kl_coef", 0.0))
    return float(verl_metrics["actor/pg_loss"]) + weight * float(
        verl_metrics.get("actor/kl_loss", 0.0)
    )


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
