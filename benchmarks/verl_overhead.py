"""Step time of verl with our trainer beside that of bare verl, on the CPU.

    python benchmarks/verl_overhead.py [--quick] [--model MODEL] [--chooses]

Bare verl is its own synchronous trainer with the same workers, rollout, reward, settings and poll
interval; ours draws the same problems in the same order (`sequential`, verl with `shuffle=False`)
and does its whole work beside: outcomes fetched and told, metrics and logs written. With
`--chooses` the same order is wrapped in `pods`, which has outcomes read before the update and here
keeps every rollout. Completions are seeded by prompt and pair of steps and the learning rate is
next to nothing, so both decode and train on the same tokens, which is checked.

Both take turns in one run, a step each, and who is first changes from pair to pair
(`verl_overhead_arm.py`): two runs side by side were found to differ by 2% in every phase, those
that are the same code among them, and a machine's speed changes within half a minute. A step counts
from its beginning to the next one's. The first steps of a run are warm-up; there are several runs.

The figure is the geometric mean over pairs of (seconds of our step / of bare verl's). `upper95` and
`low95` are the one-sided 95% bounds of Student's t over the pairs' log ratios. `own_share` is
measured from within: the seconds that our code takes where the trainers differ, less those of
verl's own code in the same places, as a share of bare verl's step. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ARM = "verl_overhead_arm"
START_SECONDS = 300.0
STEP_SECONDS = 60.0

Step = dict[str, Any]
Pair = dict[str, Step]
"""The same step of ours and of bare verl."""


@dataclass(frozen=True)
class Design:
    """How often what is timed."""

    runs: int
    warmup: int
    """Pairs before those that count; the processes' first full collections are among them."""
    pairs: int
    """Pairs of each run that count."""
    model: str
    prompts: int = 16
    samples: int = 8
    max_tokens: int = 24
    chooses: bool = False
    """Whether ours is a curriculum that chooses what to train on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute beside the starts")
    parser.add_argument("--model", default="tiny", help="as in a config")
    parser.add_argument("--chooses", action="store_true", help="a curriculum that may leave out")
    words = parser.parse_args()
    runs, warmup, pairs = (1, 3, 6) if words.quick else (3, 20, 150)
    design = Design(runs, warmup, pairs, words.model, chooses=words.chooses)
    found: list[list[Pair]] = []
    for number in range(design.runs):
        found.append(one_run(design))
        print(f"run {number + 1}: {json.dumps(figures([found[-1]]))}", flush=True)
    said = figures(found) | {
        "steady_steps_an_arm": design.runs * design.pairs,
        "ratio_by_run": [figures([pairs])["ratio"] for pairs in found],
        "peer": f"verl {version('verl')}, its own synchronous trainer",
        "curriculum": "pods that keeps all" if design.chooses else "sequential",
        "input": f"{design.model}, {design.prompts} prompts x {design.samples} of at most "
        f"{design.max_tokens} tokens, GRPO, float32, transformers rollout",
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(said))


def figures(runs: list[list[Pair]]) -> dict[str, Any]:
    """What pairs of steady steps tell, run after run."""
    pairs = [pair for run in runs for pair in run]
    for pair in pairs:
        if len(tokens := {step["tokens"] for step in pair.values()}) > 1:
            raise RuntimeError(f"both must do the same work, but their tokens were {tokens}")
    logs = [math.log(pair["ours"]["seconds"] / pair["bare"]["seconds"]) for pair in pairs]
    mean, error = fmean(logs), stdev(logs) / math.sqrt(len(logs))
    own, whole = (mean_ms(pairs, lambda step, name=name: step[name]) for name in ("own", "seconds"))
    return {
        "ratio": round(math.exp(mean), 4),
        "upper95": round(math.exp(mean + t95(len(logs) - 1) * error), 4),
        "low95": round(math.exp(mean - t95(len(logs) - 1) * error), 4),
        "pair_sd": round(stdev(logs), 4),
        "own_share": round((own["ours"] - own["bare"]) / whole["bare"], 5),
        "own_ms": own,
        "step_ms": whole,
        "phase_ms": {
            name: mean_ms(pairs, lambda step, name=name: step["phases"][name])
            for name in pairs[0]["ours"]["phases"]
        },
        "tokens_a_step": round(fmean(pair["ours"]["tokens"] for pair in pairs), 1),
    }


def mean_ms(pairs: list[Pair], seconds: Callable[[Step], float]) -> dict[str, float]:
    """Mean milliseconds of a step of either."""
    return {
        arm: round(1000 * fmean(seconds(pair[arm]) for pair in pairs), 2)
        for arm in ("ours", "bare")
    }


def t95(degrees: int) -> float:
    """The 95% quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.95, degrees))


def one_run(design: Design) -> list[Pair]:
    """Start a run in which both take turns, and end it after so many pairs."""
    from runners.files import read_lines

    steps = 2 * (design.warmup + design.pairs)
    deadline = time.monotonic() + START_SECONDS + STEP_SECONDS * steps
    with tempfile.TemporaryDirectory() as name, running(design, Path(name)) as (process, folder):
        while len(rows := read_lines(folder / "steps.jsonl")) < steps:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (folder / "verl.log").read_text(errors="replace")
                raise RuntimeError(f"the run in {folder} ended or hung:\n{log[-4000:]}")
            time.sleep(5)
    kept = rows[2 * design.warmup : steps]
    return [{row["arm"]: row for row in both} for both in zip(kept[::2], kept[1::2], strict=True)]


@contextmanager
def running(design: Design, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A run, started; every process of it is ended afterwards."""
    from omegaconf import OmegaConf

    from runners.verl.arguments import configuration
    from runners.verl.machine import decided
    from runners.verl.processes import end_run
    from runners.verl.trainer import VerlTrainer

    trainer = VerlTrainer(
        device="cpu",
        steps=10**6,
        prompts_per_step=design.prompts,
        samples_per_prompt=design.samples,
        learning_rate=1e-12,
    )
    job = job_of(design, folder / "run")
    job.folder.mkdir()
    leg = trainer.legs(design.max_tokens)[0]
    with decided(trainer, job, leg) as machine:
        machine = replace(machine, environment=with_arm(machine.environment, job.folder))
        config = configuration(trainer, job, machine, trainer.write_files(job), {}, leg)
        config.trainer.save_freq = -1
        config.trainer.total_epochs = 10**6
        config.trainer.v1.trainer_mode = "alternating"
        (job.folder / "verl.yaml").write_text(OmegaConf.to_yaml(config))
        mark = secrets.token_hex(8)
        with (job.folder / "verl.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "runners.verl.watchdog", str(os.getpid()), mark,
                 str(machine.ray_folder), sys.executable, "-m", "verl.trainer.main_ppo",
                 f"--config-path={job.folder}", "--config-name=verl"],
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env=os.environ | dict(machine.environment),
            )  # fmt: skip
        try:
            yield process, job.folder
        finally:
            process.terminate()
            process.wait()
            end_run(mark)


def with_arm(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What every process of a run needs, for its stopwatch too."""
    return {
        **environment,
        "VERL_OVERHEAD_ARM": str(folder),
        "VERL_USE_EXTERNAL_MODULES": f"{environment['VERL_USE_EXTERNAL_MODULES']},{ARM}",
        "PYTHONPATH": f"{environment['PYTHONPATH']}:{Path(__file__).parent.absolute()}",
    }


def job_of(design: Design, folder: Path) -> Any:
    """Four batches of problems of the tiny families, one after another and from the top again."""
    from curricula import PODS, Sequential
    from curricula.base import Item
    from difficulty.engines.base import Sampling
    from difficulty.prompts import Prompter, PromptFormat
    from domains.sources.tiny_families import TinyFamilies
    from runners.models.resolve import resolve_model
    from runners.trainer import TrainingJob

    everything = TinyFamilies().load()
    wanted = 4 * design.prompts
    problems = everything[:: len(everything) // wanted][:wanted]
    return TrainingJob(
        model=resolve_model(design.model),
        folder=folder,
        problems={problem.uid: problem for problem in problems},
        pool=tuple(Item(problem.uid, problem.domain, problem.source) for problem in problems),
        scheduler=PODS(wraps=Sequential(), keep=design.samples) if design.chooses else Sequential(),
        prompter=Prompter(PromptFormat(), {}),
        sampling=Sampling(max_tokens=design.max_tokens),
        seed=0,
        evaluation=(),
        evaluation_samples=1,
        evaluate_every=0,
        evaluate=lambda engine, step: None,
    )


if __name__ == "__main__":
    main()
