"""Export: every bucket as parquet in verl's schema and as JSON lines, and a manifest with hashes.

A row carries its checker and what the checker needs, so it can be judged anywhere without the
config that made it: `restore` turns a row back into the problem it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from difficulty.pass_rate import PassRate, Posterior
from difficulty.prompts import Prompter
from domains.base import as_json
from domains.problem import Problem


def verl_row(
    problem: Problem, index: int, prompter: Prompter, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One row of verl's schema: data_source, prompt, ability, reward_model, extra_info.

    `extra_info` holds index, uid, domain, labels, checker and metadata (the last three as JSON
    text, since parquet wants one type a column) and whatever `extra` adds.
    """
    return {
        "data_source": problem.source,
        "prompt": [dict(message) for message in prompter.messages(problem)],
        "ability": problem.domain,
        "reward_model": {"style": "rule", "ground_truth": problem.answer},
        "extra_info": {
            "index": index,
            "uid": problem.uid,
            "domain": problem.domain,
            "question": problem.prompt,
            "labels": as_json(dict(problem.labels)),
            "checker": problem.checker.model_dump_json(),
            "metadata": as_json(dict(problem.metadata)),
            **(extra or {}),
        },
    }


def restore(row: Mapping[str, Any]) -> Problem:
    """The problem that `verl_row` was made of."""
    from domains import AnyChecker

    info = row["extra_info"]
    adapter: TypeAdapter[Any] = TypeAdapter(AnyChecker)
    return Problem(
        info["uid"],
        info["domain"],
        row["data_source"],
        info["question"],
        row["reward_model"]["ground_truth"],
        adapter.validate_json(info["checker"]),
        json.loads(info["labels"]),
        json.loads(info["metadata"]),
    )


def write_verl_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `verl_row` beside and rename."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    beside = path.with_suffix(".tmp")
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), beside, compression="zstd")
    beside.replace(path)


def export_buckets(
    folder: Path,
    problems: Sequence[Problem],
    names: Mapping[str, str],
    rates: Mapping[str, PassRate],
    found: Mapping[str, Posterior],
    prompter: Prompter,
    made_from: Mapping[str, Any],
) -> dict[str, Any]:
    """Write `<bucket>.parquet`, `<bucket>.jsonl` and `manifest.json`; returns the manifest.

    Problems without a bucket are left out and counted. The folder is replaced as a whole.
    """
    beside = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    files: list[dict[str, Any]] = []
    for bucket in dict.fromkeys(sorted(names.values())):
        members = [p for p in problems if names.get(p.uid) == bucket]
        rows = [
            verl_row(p, i, prompter, {"bucket": bucket, "pass_rate": found[p.uid].mean})
            for i, p in enumerate(members)
        ]
        parquet, lines = beside / f"{bucket}.parquet", beside / f"{bucket}.jsonl"
        write_verl_parquet(parquet, rows)
        lines.write_text("".join(_line(p, bucket, rates[p.uid], found[p.uid]) for p in members))
        files += [
            {"bucket": bucket, "file": path.name, "rows": len(members), "sha256": _sha256(path)}
            for path in (parquet, lines)
        ]
    left_out = sum(1 for p in problems if p.uid not in names)
    manifest = {"made_from": dict(made_from), "files": files, "without_bucket": left_out}
    (beside / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return manifest


def _line(problem: Problem, bucket: str, rate: PassRate, posterior: Posterior) -> str:
    row = {
        "uid": problem.uid,
        "domain": problem.domain,
        "source": problem.source,
        "bucket": bucket,
        "prompt": problem.prompt,
        "answer": problem.answer,
        "labels": dict(problem.labels),
        "pass_rate": posterior.mean,
        "low": posterior.low,
        "high": posterior.high,
        "n": rate.n,
        "correct": rate.correct,
        "no_answer": rate.no_answer,
        "truncated": rate.truncated,
        "verifier_errors": rate.verifier_errors,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
