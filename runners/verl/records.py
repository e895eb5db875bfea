"""What a step was, out of verl's TransferQueue: outcomes for the curriculum, rows for the logs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curricula.base import Batch, Item, Outcome
from domains.problem import Status
from runners.evaluation_summary import EvaluationRow


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
    seconds: float,
) -> dict[str, Any]:
    """The line of `metrics.jsonl` for a finished step. `domains` maps uids to domains."""
    by_domain: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        by_domain[domains[outcome.uid]].extend(outcome.rewards)
    tokens = [count for outcome in outcomes for count in outcome.token_counts]
    names = {"loss": "actor/pg_loss", "grad_norm": "actor/grad_norm", "entropy": "actor/entropy"}
    names |= {"kl_loss": "actor/kl_loss", "critic_loss": "critic/vf_loss"}
    return {
        "step": batch.step,
        "stage": batch.stage,
        "reward/mean": mean_reward(outcomes),
        **{f"reward/{domain}": float(np.mean(r)) for domain, r in sorted(by_domain.items())},
        "zero_variance": float(np.mean([len(set(o.rewards)) == 1 for o in outcomes])),
        "response_length": float(np.mean(tokens)),
        **{name: float(verl_metrics[key]) for name, key in names.items() if key in verl_metrics},
        "seconds": round(seconds, 3),
    }


def mean_reward(outcomes: Sequence[Outcome]) -> float:
    """Mean over all samples of a step."""
    return float(np.mean([reward for outcome in outcomes for reward in outcome.rewards]))


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
