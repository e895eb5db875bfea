"""What a run cost, in floating point operations, scoring and evaluation included.

A forward pass costs 2 P a token and a forward and backward pass 6 P, with P parameters (Kaplan et
al. 2020, 2001.08361): so 2 P for each generated token and 6 P for each trained one. Assumption:
attention and prompts' prefill are small beside it; with long prompts these are lower bounds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runners.files import read_json, read_lines
from runners.run_dir import RunDir

FORWARD, UPDATE = 2.0, 6.0
"""Operations of one token and parameter: generated, and trained on."""


def ledger(folder: RunDir, model: Path, rollouts_a_step: int) -> dict[str, float]:
    """FLOPs by part: scoring, evaluation, SFT, rollouts, training, total.

    SFT counts the tokens of its prompts too, which it runs forward and backward.
    """
    parameters = parameter_count(model)
    tokens = read_json(folder.summary).get("tokens", {})
    rows = read_lines(folder.training / "metrics.jsonl")
    generated = [row["response_length"] * row.get("rollouts", rollouts_a_step) for row in rows]
    # What a curriculum refilled was generated; what it did not choose was not trained on.
    pairs = zip(rows, generated, strict=True)
    trained = [row.get("trained_tokens", tokens) for row, tokens in pairs]
    fine_tuned = [row["tokens"] for row in read_lines(folder.sft / "metrics.jsonl")]
    sft = {
        "sft": UPDATE * parameters * sum(fine_tuned),
        "rescoring": FORWARD * parameters * tokens.get("rescore", 0),
    }
    parts = {
        "scoring": FORWARD * parameters * tokens.get("score", 0),
        **{name: count for name, count in sft.items() if count},
        "evaluation": FORWARD * parameters * tokens.get("evaluate", 0),
        "rollouts": FORWARD * parameters * sum(generated),
        "training": UPDATE * parameters * sum(trained),
    }
    return {**parts, "total": sum(parts.values())}


def parameter_count(model: Path) -> int:
    """Parameters of a folder's safetensors files, from their headers; no tensor is read."""
    count = 0
    for path in model.glob("*.safetensors"):
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(size))
        for name, tensor in header.items():
            if name != "__metadata__":
                elements = 1
                for length in tensor["shape"]:
                    elements *= length
                count += elements
    return count
