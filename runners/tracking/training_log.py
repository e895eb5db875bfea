"""Metrics of a training run: JSON lines always, and wherever else `tracking:` asks for."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from curricula.base import Batch, Outcome
from curricula.machinery.signals import graded_rewards, is_informative
from runners.evaluation.summary import EvaluationRow, pass_at_k
from runners.files import drop_after, read_lines, write_lines
from runners.tracking.trackers import TrackingSettings, figures_of, open_trackers

NOWHERE_ELSE = TrackingSettings()


class TrainingLog:
    """metrics.jsonl and curriculum.jsonl of one training, one line a step in each, and the
    single completions in rollouts.jsonl."""

    def __init__(
        self,
        folder: Path,
        tracking: TrackingSettings = NOWHERE_ELSE,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.metrics = folder / "metrics.jsonl"
        self.curriculum = folder / "curriculum.jsonl"
        self.rollouts = folder / "rollouts.jsonl"
        self.trackers = open_trackers(tracking, folder, settings or {})

    def go_back_to(self, step: int) -> None:
        """Forget every line after a step: what follows it is done again."""
        for path in (self.metrics, self.curriculum):
            write_lines(path, [row for row in read_lines(path) if row["step"] <= step])
        if self.rollouts.exists():
            drop_after(self.rollouts, step)

    def write(
        self,
        metrics: Mapping[str, Any],
        curriculum: Mapping[str, Any],
        rollouts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Add one step's lines; all hold `step` and `stage`."""
        written = (
            (self.rollouts, rollouts),
            (self.metrics, [metrics]),
            (self.curriculum, [curriculum]),
        )
        for path, rows in written:
            if rows:
                with path.open("a") as file:
                    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        for tracker in self.trackers:
            tracker.log(figures_of(metrics), int(metrics["step"]))

    def evaluated(self, step: int, rows: Sequence[EvaluationRow], ks: Sequence[int]) -> None:
        """Tell the trackers of an evaluation; its rows stand in evaluations.jsonl."""
        for tracker in self.trackers:
            tracker.log(evaluation_figures(rows, ks), step)

    def close(self) -> None:
        for tracker in self.trackers:
            tracker.close()


def evaluation_figures(rows: Sequence[EvaluationRow], ks: Sequence[int]) -> dict[str, float]:
    """Unbiased pass@k over all problems and by domain, for the k that some problem has n for."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for k in ks:
            if row.n >= k:
                value = pass_at_k(row.n, row.correct, k)
                found[f"evaluation/pass@{k}"].append(value)
                found[f"evaluation/pass@{k}/{row.domain}"].append(value)
    return {name: fmean(values) for name, values in sorted(found.items())}


def outcome_figures(
    batch: Batch,
    outcomes: Sequence[Outcome],
    domain_of: Callable[[str], str],
    buckets: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """What the outcomes of a step tell for its line of `metrics.jsonl`, whoever trained it.

    `buckets` has the bucket of each problem that is in one, by uid.
    """
    by_domain: dict[str, list[float]] = defaultdict(list)
    by_bucket: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        by_domain[domain_of(outcome.uid)] += outcome.rewards
        if bucket := (buckets or {}).get(outcome.uid):
            by_bucket[bucket] += outcome.rewards
    components: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        for name, scores in outcome.components.items():
            components[name] += scores
    statuses = Counter(status for outcome in outcomes for status in outcome.statuses)
    return {
        "step": batch.step,
        "stage": batch.stage,
        "reward/mean": fmean(reward for outcome in outcomes for reward in outcome.rewards),
        **{f"reward/{domain}": fmean(found) for domain, found in sorted(by_domain.items())},
        **{f"bucket_reward/{name}": fmean(found) for name, found in sorted(by_bucket.items())},
        **{f"component/{name}": fmean(found) for name, found in sorted(components.items())},
        "zero_variance": fmean(float(len(set(o.rewards)) == 1) for o in outcomes),
        # Prompts that a group-relative method learns anything from.
        "effective_batch": float(sum(map(is_informative, outcomes))),
        "rollouts": sum(len(outcome.rewards) for outcome in outcomes),
        "response_length": fmean(count for o in outcomes for count in o.token_counts),
        **{f"verdict/{s}": statuses[s] / statuses.total() for s in sorted(statuses)},
    }


def drawn_row(batch: Batch, uids: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A step's line of `curriculum.jsonl`: what was rolled out, in order, and each mean reward.

    The reward is None where no rollout of a prompt could be judged, or its outcome never came.
    """
    told: dict[str, deque[float | None]] = defaultdict(deque)
    for outcome in outcomes:
        graded = graded_rewards(outcome)
        told[outcome.uid].append(fmean(graded) if graded else None)
    return {
        "step": batch.step,
        "stage": batch.stage,
        "uids": list(uids),
        "rewards": [told[uid].popleft() if told[uid] else None for uid in uids],
        "mean_reward": fmean(reward for outcome in outcomes for reward in outcome.rewards),
    }
