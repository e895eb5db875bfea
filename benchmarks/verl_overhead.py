"""Step time of verl with our trainer beside that of bare verl, on the CPU.

    python benchmarks/verl_overhead.py [--quick] [--plain] [--model MODEL]

Bare verl is its own synchronous trainer with the same workers, rollout, reward, settings, poll
interval and garbage collector; ours draws the same problems in the same order (`sequential`, verl
with `shuffle=False`) and does its whole work beside: outcomes fetched and told, metrics and logs
written. Completions are seeded by prompt and step and the learning rate is next to nothing, so both
arms decode and train on the same tokens, which is checked.

Two runs, one of each, stand side by side and take turns, a step each, while the other waits at a
gate (`verl_overhead_arm.py`); who is first changes from round to round. A step counts from its
beginning to the next one's. There are several such sets of runs, each with a warm-up.

The figure is the geometric mean over rounds of (seconds of our step / of bare verl's, which is the
same step): they are neighbours in time, so a machine that slows down slows both. `upper95` and
`low95` are the one-sided 95% bounds of Student's t over the rounds' log ratios. `own_share` is
measured from within: the seconds that our code takes where the trainers differ, less those of
verl's own code in the same places, as a share of bare verl's step. With `--plain` a third run takes
turns, bare verl with Python's own garbage collector: `ratio_plain` and its bounds are ours over
that one. The last line is one JSON object.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import permutations
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ARM = "verl_overhead_arm"
ARMS = ("ours", "bare")
PLAIN = "plain"
START_SECONDS = 300.0
STEP_SECONDS = 60.0

Step = dict[str, Any]
Round = dict[str, Step]
"""The same step of every arm."""


@dataclass(frozen=True)
class Design:
    """How often what is timed."""

    sets: int
    """Sets of runs, one of each arm."""
    warmup: int
    """Steps before the first round; the processes' first full collections are among them."""
    rounds: int
    """Rounds that count, a step of each run."""
    arms: tuple[str, ...]
    model: str
    prompts: int = 16
    samples: int = 8
    max_tokens: int = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute beside the starts")
    parser.add_argument("--plain", action="store_true", help="beside verl's own collector, too")
    parser.add_argument("--model", default="tiny", help="as in a config")
    words = parser.parse_args()
    arms = (*ARMS, PLAIN) if words.plain else ARMS
    sizes = (1, 3, 6) if words.quick else (3, 30, 240)
    design = Design(*sizes, arms, words.model)
    found: list[list[Round]] = []
    for number in range(design.sets):
        found.append(set_of_runs(design, number))
        print(f"set {number + 1}: {json.dumps(figures([found[-1]]))}", flush=True)
    said = figures(found) | {
        "steady_steps_an_arm": design.sets * design.rounds,
        "runs": len(arms) * design.sets,
        "ratio_by_set": [figures([rounds])["ratio"] for rounds in found],
        "peer": f"verl {version('verl')}, its own synchronous trainer",
        "input": f"{design.model}, {design.prompts} prompts x {design.samples} of at most "
        f"{design.max_tokens} tokens, GRPO, float32, transformers rollout",
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(said))


def figures(sets: list[list[Round]]) -> dict[str, Any]:
    """What rounds of steady steps tell, set after set of runs."""
    rounds = [found for runs in sets for found in runs]
    for found in rounds:
        if len(tokens := {step["tokens"] for step in found.values()}) > 1:
            raise RuntimeError(f"all arms must do the same work, but their tokens were {tokens}")
    own, bare = (mean_ms(rounds, lambda step, name=name: step[name]) for name in ("own", "seconds"))
    return {
        **ratio(rounds, "bare", ""),
        **(ratio(rounds, PLAIN, f"_{PLAIN}") if PLAIN in rounds[0] else {}),
        "own_share": round((own["ours"] - own["bare"]) / bare["bare"], 5),
        "own_ms": own,
        "step_ms": bare,
        "phase_ms": {
            name: mean_ms(rounds, lambda step, name=name: step["phases"][name])
            for name in rounds[0]["ours"]["phases"]
        },
        "tokens_a_step": round(fmean(found["ours"]["tokens"] for found in rounds), 1),
    }


def ratio(rounds: list[Round], peer: str, name: str) -> dict[str, float]:
    """Our seconds of a step over the peer's, with one-sided 95% bounds and the rounds' spread."""
    logs = [math.log(found["ours"]["seconds"] / found[peer]["seconds"]) for found in rounds]
    mean, error = fmean(logs), stdev(logs) / math.sqrt(len(logs))
    return {
        f"ratio{name}": round(math.exp(mean), 4),
        f"upper95{name}": round(math.exp(mean + t95(len(logs) - 1) * error), 4),
        f"low95{name}": round(math.exp(mean - t95(len(logs) - 1) * error), 4),
        f"round_sd{name}": round(stdev(logs), 4),
    }


def mean_ms(rounds: list[Round], seconds: Callable[[Step], float]) -> dict[str, float]:
    """Mean milliseconds of each arm's steps."""
    return {
        arm: round(1000 * fmean(seconds(found[arm]) for found in rounds), 2) for arm in rounds[0]
    }


def t95(degrees: int) -> float:
    """The 95% quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.95, degrees))


def set_of_runs(design: Design, number: int) -> list[Round]:
    """Start every arm, let them take turns, and end them."""
    orders = list(permutations(design.arms))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        runs = {
            arm: stack.enter_context(running(arm, design, Path(folder)))
            for arm in orders[number % len(orders)]
        }
        for run in runs.values():
            run.take(design.warmup, START_SECONDS)
        return [
            {arm: runs[arm].take(1)[0] for arm in orders[turn % len(orders)]}
            for turn in range(design.rounds)
        ]


class Run:
    """One verl run, which takes steps when told to."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.seen = 0
        # both ends, so that neither opening nor writing waits for the reader
        self.gate = os.open(folder / "gate", os.O_RDWR)

    def take(self, steps: int, patience: float = 0.0) -> list[Step]:
        """So many further steps; raises `RuntimeError` when the run ends or hangs."""
        # the last step ends where the next one begins, before the gate
        os.write(self.gate, f"{steps}\n".encode())
        deadline = time.monotonic() + patience + STEP_SECONDS * steps
        while len(rows := self._rows()) < self.seen + steps:
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "verl.log").read_text(errors="replace")
                raise RuntimeError(f"the run in {self.folder} ended or hung:\n{log[-4000:]}")
            time.sleep(0.1)
        taken, self.seen = rows[self.seen :], len(rows)
        return taken

    def _rows(self) -> list[Step]:
        from runners.files import read_lines

        return read_lines(self.folder / "steps.jsonl")


@contextmanager
def running(arm: str, design: Design, folder: Path) -> Iterator[Run]:
    """A run of one arm, started; every process of it is ended afterwards."""
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
    job = job_of(design, folder / arm)
    job.folder.mkdir()
    os.mkfifo(job.folder / "gate")
    leg = trainer.legs(design.max_tokens)[0]
    with decided(trainer, job, leg) as machine:
        machine = replace(machine, environment=with_arm(machine.environment, job.folder))
        config = configuration(trainer, job, machine, trainer.write_files(job), {}, leg)
        config.trainer.save_freq = -1
        config.trainer.total_epochs = 10**6
        if arm != "ours":
            config.trainer.v1.trainer_mode = "bare"
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
            yield Run(process, job.folder)
        finally:
            process.terminate()
            process.wait()
            end_run(mark)


def with_arm(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What every process of a run needs, for its gate and its stopwatch too."""
    return {
        **environment,
        "VERL_OVERHEAD_ARM": str(folder),
        "VERL_USE_EXTERNAL_MODULES": f"{environment['VERL_USE_EXTERNAL_MODULES']},{ARM}",
        "PYTHONPATH": f"{environment['PYTHONPATH']}:{Path(__file__).parent.absolute()}",
    }


def job_of(design: Design, folder: Path) -> Any:
    """Four batches of problems of the tiny families, one after another and from the top again."""
    from curricula import Sequential
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
        scheduler=Sequential(),
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
