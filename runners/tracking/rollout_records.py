"""rollouts.jsonl: the single completions of a training, one line each.

{"step", "stage", "uid", "domain", "bucket", "group", "sample", "reward", "status", "components",
"tokens", "advantage", "trained"} and, where asked for, "text". `group` is the prompt's place in the
step, `sample` the completion's in its group; `components` are the scores beside the reward, by
name (our own reward tells `credit`, the checker's partial credit in [0, 1]); `advantage` is None
where the group was not trained on whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curricula.base import Batch, Choice, Outcome
from runners.tracking.trackers import RolloutSettings


def rollout_rows(
    settings: RolloutSettings,
    batch: Batch,
    outcomes: Sequence[Outcome],
    choices: Sequence[Choice],
    domain_of: Callable[[str], str],
    buckets: Mapping[str, str | None],
    texts: Sequence[Sequence[str]] = (),
) -> list[dict[str, Any]]:
    """The lines of one step; `choices` and `texts` are in the order of `outcomes`."""
    if not settings.every or batch.step % settings.every:
        return []
    rows: list[dict[str, Any]] = []
    for group in evenly_spaced(len(outcomes), settings.prompts):
        outcome = outcomes[group]
        for sample, reward in enumerate(outcome.rewards):
            row = {
                "step": batch.step,
                "stage": batch.stage,
                "uid": outcome.uid,
                "domain": domain_of(outcome.uid),
                "bucket": buckets.get(outcome.uid),
                "group": group,
                "sample": sample,
                "reward": reward,
                "status": _at(outcome.statuses, sample),
                "components": {name: c[sample] for name, c in outcome.components.items()},
                "tokens": _at(outcome.token_counts, sample),
                "advantage": _at(outcome.advantages, sample),
                "trained": sample in choices[group],
            }
            if settings.characters and texts:
                row["text"] = texts[group][sample][: settings.characters]
            rows.append(row)
    return rows


def evenly_spaced(count: int, most: int) -> list[int]:
    """At most `most` of the numbers below `count`, the first among them."""
    taken = min(count, most)
    return [i * count // taken for i in range(taken)]


def _at(values: Sequence[Any], place: int) -> Any:
    """None where a column was not told."""
    return values[place] if values else None
