"""The local trainer on one GPU: mixed against a curriculum; no vLLM, no Ray.

    python benchmarks/gpu/local_mixed_vs_curriculum.py [--steps 100] [--seeds 1] [--curriculum YAML]
    python benchmarks/gpu/local_mixed_vs_curriculum.py --device cpu --quick

GRPO in one process, all weights of SmolLM2-135M-Instruct, on the tasks of
`verl_mixed_vs_curriculum.py` with the same prompts, steps and rollouts, so that the two can be
read side by side. The last line is one JSON object; README.md says what each figure means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comparison import (
    WARM_UP,
    Design,
    asked_for,
    lead,
    machine,
    over_steps,
    passes,
    problems,
    settings,
)

from runners.files import read_json, read_lines, write_json
from runners.run import run
from runners.run_dir import RunDir


def main() -> None:
    design = asked_for(__doc__ or "")
    seeds = [of_seed(design, seed) for seed in range(design.seeds)]
    print(
        json.dumps(
            {
                "benchmark": "local_mixed_vs_curriculum",
                **machine(design.device),
                "peer": "mixed, the same trainer",
                "model": Path(design.model).name,
                "input": [p.get("name", p["kind"]) for p in problems(design)],
                "steps": design.steps,
                "max_tokens": design.max_tokens,
                "curriculum": dict(design.curriculum),
                "seeds": seeds,
            }
        )
    )


def of_seed(design: Design, seed: int) -> dict[str, Any]:
    """The two arms of one seed."""
    mixed = settings(design, "mixed", seed, {"kind": "mixed"}, {"kind": "local"})
    course = settings(design, "curriculum", seed, design.curriculum, {"kind": "local"})
    arms = {"mixed": mixed, "curriculum": course}
    return {
        "seed": seed,
        "arms": {name: arm_of(config, design.device) for name, config in arms.items()},
        "pass_at_1_curriculum_less_mixed": lead(course, mixed),
    }


def arm_of(config: Any, device: str) -> dict[str, Any]:
    """Run one arm, unless it stands; what its logs and evaluations say."""
    import torch

    folder = RunDir(config.out / config.name)
    peak = folder.root / "peak.json"
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    run(config)
    if device == "cuda" and not peak.exists():
        write_json(peak, {"gib": round(torch.cuda.max_memory_allocated() / 2**30, 2)})
    steady = read_lines(folder.training / "metrics.jsonl")[WARM_UP:]
    generated = [row["rollouts"] * row["response_length"] for row in steady]
    return {
        "step_seconds": over_steps([row["seconds"] for row in steady]),
        "generated_tokens_per_step_second": over_steps(
            [n / row["seconds"] for n, row in zip(generated, steady, strict=True)]
        ),
        "response_tokens": over_steps([row["response_length"] for row in steady]),
        "peak_gib": read_json(peak).get("gib"),
        "pass_at_1": passes(config),
    }


if __name__ == "__main__":
    main()
