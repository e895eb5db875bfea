"""Real verl on one GPU: mixed against a curriculum, and the step time beside bare verl.

    python benchmarks/gpu/verl_mixed_vs_curriculum.py [--steps 100] [--seeds 1]
    python benchmarks/gpu/verl_mixed_vs_curriculum.py --device cpu --quick

GRPO with vLLM rollouts, all weights of SmolLM2-135M-Instruct, on GSM8K-like and one-line tasks,
3 examples before each. Three arms: `mixed`, `curriculum` and `bare`: verl's own synchronous trainer
on the same rows, shuffled by verl, with the same reward, settings and poll interval and without our
trainer. All are timed by verl's own logger, checkpoints and the first steps left out. The last line
is one JSON object; README.md says what each figure means.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
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
    ratio_of,
    settings,
)

from runners.run import run
from runners.run_dir import RunDir
from runners.segments import Leg
from runners.trainer import TrainingJob
from runners.verl.arguments import configuration
from runners.verl.machine import decided
from runners.verl.trainer import VerlTrainer

BARE_TRAINER = Path(__file__).parents[1] / "verl_overhead_arm.py"
"""Registers verl's own trainer as `bare`, on the CPU too."""
LOG = "VERL_FILE_LOGGER_PATH"


class BareVerl(VerlTrainer):
    """verl without our trainer: its own data loader shuffles the same rows."""

    def _train_leg(self, job: TrainingJob, leg: Leg) -> None:
        from omegaconf import OmegaConf

        with decided(self, job, leg) as found:
            words = dict(found.environment)
            words["VERL_USE_EXTERNAL_MODULES"] += f",{BARE_TRAINER.stem}"
            words["PYTHONPATH"] += f"{os.pathsep}{BARE_TRAINER.parent}"
            here = replace(found, environment=words)
            config = configuration(self, job, here, self.write_files(job), self.overrides, leg)
            config.trainer.v1.trainer_mode = "bare"
            config.trainer.total_epochs = 10**6
            config.data.shuffle = True
            (job.folder / "verl.yaml").write_text(OmegaConf.to_yaml(config))
            self._run(job.folder, here)


def main() -> None:
    design = asked_for(__doc__ or "")
    seeds = [of_seed(design, seed) for seed in range(design.seeds)]
    print(
        json.dumps(
            {
                "benchmark": "verl_mixed_vs_curriculum",
                **machine(design.device),
                "peer": f"verl {machine(design.device)['versions']['verl']}, its own trainer",
                "model": Path(design.model).name,
                "input": [p.get("name", p["kind"]) for p in problems(design)],
                "steps": design.steps,
                "max_tokens": design.max_tokens,
                "to_the_limit": design.to_the_limit,
                "curriculum": dict(design.curriculum),
                "seeds": seeds,
            }
        )
    )


def of_seed(design: Design, seed: int) -> dict[str, Any]:
    """The three arms of one seed."""
    words: dict[str, Any] = {
        "kind": "verl",
        "gpu_memory": 0.4,
        "overrides": {
            "trainer.logger": ["console", "file"],
            "actor_rollout_ref.rollout.ignore_eos": design.to_the_limit,
        },
    }
    mixed = settings(design, "mixed", seed, {"kind": "mixed"}, words)
    course = settings(design, "curriculum", seed, design.curriculum, words)
    bare = settings(design, "bare", seed, {"kind": "mixed"}, words)
    own = bare.trainer.model_dump() | {"stall_seconds": 1e6}  # it writes nothing that we watch
    bare = bare.model_copy(update={"trainer": BareVerl.model_validate(own)})
    arms = {"mixed": mixed, "curriculum": course, "bare": bare}
    found = {name: arm_of(config) for name, config in arms.items()}
    return {
        "seed": seed,
        "arms": found,
        "mixed_to_bare": {
            name: ratio_of(found["mixed"][name], found["bare"][name])
            for name in ("step_seconds", "tokens_per_second")
        },
        "pass_at_1_curriculum_less_mixed": lead(course, mixed),
    }


def arm_of(config: Any) -> dict[str, Any]:
    """Run one arm, unless it stands; what verl's logger and the evaluations say of it."""
    folder = RunDir(config.out / config.name)
    os.environ[LOG] = str((folder.training / "verl-logger.jsonl").absolute())
    run(config)
    lines = Path(os.environ[LOG]).read_text().splitlines()
    steps = [json.loads(line)["data"] for line in lines]
    steady = [row for row in steps[WARM_UP:] if "timing_s/save_checkpoint" not in row]
    peaks = [row["actor/perf/max_memory_allocated_gb"] for row in steps]
    rollouts = config.trainer.rollouts_per_step
    generated = [rollouts * row["response_length/mean"] for row in steady]
    return {
        "step_seconds": over_steps([row["timing_s/step"] for row in steady]),
        "generation_seconds": over_steps([row["timing_s/gen"] for row in steady]),
        "update_seconds": over_steps([row["timing_s/update_actor"] for row in steady]),
        "tokens_per_second": over_steps(
            [row["perf/total_num_tokens"] / row["timing_s/step"] for row in steady]
        ),
        "generated_tokens_per_second": over_steps(
            [n / row["timing_s/gen"] for n, row in zip(generated, steady, strict=True)]
        ),
        "response_tokens": over_steps([row["response_length/mean"] for row in steady]),
        "peak_training_gib": round(max(peaks), 2) or None,
        "pass_at_1": passes(config),
    }


if __name__ == "__main__":
    main()
