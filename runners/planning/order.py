"""The planned order as a file: what is left of a curriculum where no trainer of ours can run.

Rows stand in the order in which they would be drawn, repeats among them, so any trainer that reads
a parquet file from top to bottom follows the plan. It cannot answer to rewards: gates, bandits and
refills were decided on the pass rates of the base model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from difficulty.verl_parquet import verl_row, write_verl_parquet
from runners.problem_set import ProblemSet
from runners.profiling.scored import Scored


def write_order(
    rows: Sequence[Mapping[str, Any]], problems: ProblemSet, scored: Scored, path: Path
) -> list[str]:
    """Write the rows of a plan as parquet in verl's schema; returns verl's settings to go with it.

    `rows` are those of plan.jsonl. Raises `ValueError` for a plan whose steps differ in size,
    which a trainer that cuts a file into batches could not follow.
    """
    sizes = {len(row["uids"]) for row in rows}
    if len(sizes) != 1:
        raise ValueError(
            f"a file in order must have steps of one size, but the plan's have {sorted(sizes)}"
        )
    by_uid = {problem.uid: problem for problem in problems.training}
    drawn = [uid for row in rows for uid in row["uids"]]
    written = (
        verl_row(
            by_uid[uid],
            index,
            problems.prompter,
            {
                "bucket": scored.buckets.get(uid),
                "pass_rate": scored.posteriors[uid].mean if uid in scored.posteriors else None,
            },
        )
        for index, uid in enumerate(drawn)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_verl_parquet(path, written)
    return [
        f"data.train_files={path}",
        "data.shuffle=False",
        f"data.train_batch_size={sizes.pop()}",
        "data.filter_overlong_prompts=False",
        "trainer.total_epochs=1",
    ]
