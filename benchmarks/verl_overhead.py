"""Step time of verl with our trainer beside that of bare verl, on the CPU.

    python benchmarks/verl_overhead.py [--quick] [--model MODEL]

Bare verl is its own synchronous trainer with the same workers, rollout, reward, settings and poll
interval; ours draws the same problems in the same order (`sequential`, verl with `shuffle=False`)
and does its whole work beside: outcomes fetched and told, metrics and logs written. Completions
are seeded by prompt and step and the learning rate is next to nothing, so both arms decode and
train on the same tokens, which is checked.

Two runs, one of each, stand side by side, and take turns: a round of steps each, while the other
waits at a gate (`verl_overhead_arm.py`), ours first in one round and second in the next. A step
counts from its beginning to the next one's; it is steady when it is not the first of its round, and
the first round of a run is warm-up. There are several such pairs of runs.

The figure is the geometric mean over rounds of (seconds of our steady steps / of bare verl's, which
are the same steps): rounds are neighbours in time, so a machine that slows down slows both.
`upper95` is the one-sided 95% bound of Student's t over the rounds' log ratios. `own_share` is
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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ARM = "verl_overhead_arm"
ARMS = ("ours", "bare")
START_SECONDS = 300.0
STEP_SECONDS = 60.0

Steps = list[dict[str, Any]]


@dataclass(frozen=True)
class Design:
    """How often what is timed."""

    pairs: int
    """Pairs of runs, a round of warm-up in each."""
    rounds: int
    """Rounds of each run that count."""
    steps: int
    """Steady steps of a round; one more goes before them."""
    model: str
    prompts: int = 16
    samples: int = 8
    max_tokens: int = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute beside the starts")
    parser.add_argument("--model", default="tiny", help="as in a config")
    words = parser.parse_args()
    design = Design(1, 4, 3, words.model) if words.quick else Design(4, 28, 5, words.model)
    found: list[list[dict[str, Steps]]] = []
    for pair in range(design.pairs):
        found.append(pair_of_runs(design, ours_starts=pair % 2 == 0))
        print(f"pair {pair + 1}: {json.dumps(figures([found[-1]]))}", flush=True)
    said = figures(found) | {
        "steady_steps_an_arm": design.pairs * design.rounds * design.steps,
        "runs": 2 * design.pairs,
        "rounds": design.pairs * design.rounds,
        "ratio_by_pair": [figures([rounds])["ratio"] for rounds in found],
        "peer": f"verl {version('verl')}, its own synchronous trainer",
        "input": f"{design.model}, {design.prompts} prompts x {design.samples} of at most "
        f"{design.max_tokens} tokens, GRPO, float32, transformers rollout",
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(said))


def figures(pairs: list[list[dict[str, Steps]]]) -> dict[str, Any]:
    """What rounds of steady steps tell, pair after pair of runs."""
    rounds = [both for pair in pairs for both in pair]
    for both in rounds:
        tokens = [[step["tokens"] for step in both[arm]] for arm in ARMS]
        if tokens[0] != tokens[1]:
            raise RuntimeError(f"both arms must do the same work, but their tokens were {tokens}")
    logs = [math.log(total(both["ours"]) / total(both["bare"])) for both in rounds]
    mean, error = fmean(logs), stdev(logs) / math.sqrt(len(logs))
    steps = {arm: [step for both in rounds for step in both[arm]] for arm in ARMS}
    own = {arm: 1000 * fmean(step["own"] for step in steps[arm]) for arm in ARMS}
    bare = 1000 * fmean(step["seconds"] for step in steps["bare"])
    return {
        "ratio": round(math.exp(mean), 4),
        "upper95": round(math.exp(mean + t95(len(logs) - 1) * error), 4),
        "low95": round(math.exp(mean - t95(len(logs) - 1) * error), 4),
        "own_share": round((own["ours"] - own["bare"]) / bare, 5),
        "own_ms": round(own["ours"], 2),
        "bare_own_ms": round(own["bare"], 2),
        "bare_step_ms": round(bare, 1),
        "median_step_ms": {
            arm: round(1000 * median(step["seconds"] for step in steps[arm]), 1) for arm in ARMS
        },
        "phase_ms": {
            arm: {
                name: round(1000 * fmean(step["phases"][name] for step in steps[arm]), 1)
                for name in steps[arm][0]["phases"]
            }
            for arm in ARMS
        },
        "tokens_a_step": round(fmean(step["tokens"] for step in steps["ours"]), 1),
    }


def total(steps: Steps) -> float:
    return sum(step["seconds"] for step in steps)


def t95(degrees: int) -> float:
    """The 95% quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.95, degrees))


def pair_of_runs(design: Design, ours_starts: bool) -> list[dict[str, Steps]]:
    """Start both arms, let them take turns, and end them; one record of both a round."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        order = ARMS if ours_starts else ARMS[::-1]
        runs = {arm: stack.enter_context(running(arm, design, Path(folder))) for arm in order}
        for run in runs.values():
            run.take(design.steps + 1, START_SECONDS)
        found = []
        for number in range(design.rounds):
            turns = order if number % 2 == 0 else order[::-1]
            found.append({arm: runs[arm].take(design.steps + 1)[1:] for arm in turns})
        return found


class Run:
    """One verl run, which takes steps when told to."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.seen = 0
        # both ends, so that neither opening nor writing waits for the reader
        self.gate = os.open(folder / "gate", os.O_RDWR)

    def take(self, steps: int, patience: float = 0.0) -> Steps:
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

    def _rows(self) -> Steps:
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
        if arm == "bare":
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
