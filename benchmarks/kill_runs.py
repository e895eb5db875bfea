"""`kill.py runs`: real trainings killed at random moments, from start-up to checkpoint.

`curricle run` on the embedded model, with verl on the CPU (transformers rollout) and with the local
trainer, in float32 on one thread: each once without interruption, and once with its share of the
kills. Killed are the command itself (SIGKILL, SIGTERM, SIGINT), its watchdog, both at once, and
verl's workers: a trainer, a rollout server, an agent loop. Every process of a run is known by an
environment variable of this benchmark's own, whatever the run does to find its processes.

- `leftover_after_10s`: processes of a run that were still there 10 s after the command's end, over
  all kills; `seconds_to_gone_max`: until the last one was gone;
- `seconds_to_end_max`: from the kill to the command's end, by kind (a command that is killed by
  SIGKILL ends at once; otherwise it notices, or tidies up);
- `equal`: whether the uids drawn and the mean reward of every step are those of the uninterrupted
  run, to the last bit; `weights_differ_by_at_most`: the same of the trained weights;
- `tracebacks`: kills after which the command printed one; `exit_codes`: how it ended, by kind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from runners.files import read_lines

TOKEN = "KILL_BENCHMARK_RUN"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LEFT_SECONDS = 10.0
"""After which nothing may be left."""
GIVE_UP_SECONDS = 240.0
"""No start-up, and no end after a worker's death, takes so long."""


@dataclass(frozen=True)
class Kill:
    """Whom to send which signal."""

    name: str
    victims: tuple[str, ...]
    """`command`, `watchdog`, or the beginning of a Ray process's title."""
    number: int = signal.SIGKILL

    @property
    def is_worker(self) -> bool:
        return self.victims[0].startswith("ray::")


LOCAL = (
    Kill("local SIGKILL", ("command",)),
    Kill("local SIGTERM", ("command",), signal.SIGTERM),
    Kill("local SIGINT", ("command",), signal.SIGINT),
)
VERL = (
    Kill("verl SIGKILL", ("command",)),
    Kill("verl trainer", ("ray::WorkerDict",)),
    Kill("verl SIGTERM", ("command",), signal.SIGTERM),
    Kill("verl watchdog", ("watchdog",)),
    Kill("verl SIGINT", ("command",), signal.SIGINT),
    Kill("verl rollout", ("ray::TransformersServer",)),
    Kill("verl command and watchdog", ("command", "watchdog")),
    Kill("verl agent loop", ("ray::AgentLoopWorker",)),
)


def runs(folder: Path, kills: int, rng: random.Random, with_verl: bool) -> dict[str, Any]:
    """The whole comparison."""
    from runners.models.resolve import resolve_model

    resolve_model("tiny")  # made once, before any clock runs
    local = kills // 4 if with_verl else kills
    shares = [("local", LOCAL, local), ("verl", VERL, kills - local)]
    found = [_killed(folder, kind, table, n, rng) for kind, table, n in shares if n]
    codes: dict[str, Counter[int]] = defaultdict(Counter)
    for outcome in (outcome for arm in found for outcome in arm.outcomes):
        codes[outcome.kill.name][outcome.exit_code] += 1
    outcomes = [outcome for arm in found for outcome in arm.outcomes]
    to_end: dict[str, float] = defaultdict(float)
    for outcome in outcomes:
        to_end[outcome.kill.name] = max(to_end[outcome.kill.name], outcome.seconds_to_end)
    return {
        "kills": len(outcomes),
        "leftover_after_10s": sum(outcome.left for outcome in outcomes),
        "seconds_to_gone_max": round(max(outcome.seconds_to_gone for outcome in outcomes), 1),
        "seconds_to_end_max": {name: round(seconds, 1) for name, seconds in to_end.items()},
        "equal": all(arm.equal for arm in found),
        "weights_differ_by_at_most": max(arm.weights_differ for arm in found),
        "tracebacks": sum(outcome.traceback for outcome in outcomes),
        "kinds": dict(Counter(outcome.kill.name for outcome in outcomes)),
        "exit_codes": {name: dict(count) for name, count in codes.items()},
        "steps": {arm.kind: arm.steps for arm in found},
        "peer": "the same command, not interrupted",
        "input": "tiny families, embedded model, float32, 1 thread",
        "python": sys.version.split()[0],
    }


@dataclass(frozen=True)
class Outcome:
    """What came of one kill."""

    kill: Kill
    exit_code: int
    left: int
    seconds_to_end: float
    """From the kill to the end of the command."""
    seconds_to_gone: float
    """From the end of the command to that of the last process."""
    traceback: bool


@dataclass(frozen=True)
class Arm:
    """All kills of one trainer."""

    kind: str
    steps: int
    outcomes: list[Outcome]
    equal: bool
    weights_differ: float


def _killed(folder: Path, kind: str, table: tuple[Kill, ...], n: int, rng: random.Random) -> Arm:
    """One trainer, uninterrupted and killed."""
    training = Training(folder, kind, steps=6 + 6 * n)
    start_up, step = training.run_to_end()
    whole = training.put_aside()
    outcomes = []
    for number in range(n):
        kill = table[number % len(table)]
        early = number % 3 == 2 and not kill.is_worker
        lines, moment = rng.randint(0, 2), rng.uniform(0, start_up if early else step)
        outcome = training.run_and_kill(kill, None if early else lines, moment)
        if outcome is None:  # it was through before
            break
        outcomes.append(outcome)
        print(
            f"kill {number + 1}, {kill.name}: {training.done()} steps stand, ended with "
            f"{outcome.exit_code} after {outcome.seconds_to_end:.1f} s, all gone "
            f"{outcome.seconds_to_gone:.1f} s after that",
            flush=True,
        )
    training.run_to_end()
    same = training.story(training.folder) == training.story(whole)
    return Arm(kind, training.steps, outcomes, same, _difference(training.folder, whole))


class Training:
    """One run's folder, gone on with by one command after another."""

    def __init__(self, folder: Path, kind: str, steps: int) -> None:
        self.steps = steps
        self.run = folder / kind
        self.folder = self.run / "training"
        self.metrics = self.folder / "metrics.jsonl"
        self.printed = folder / f"{kind}.out"
        self.token = f"{os.getpid()}-{kind}"
        engine = {"kind": "transformers", "dtype": "float32", "device": "cpu", "threads": 1}
        settings = {
            "name": kind,
            "out": str(folder),
            "model": "tiny",
            "problems": [{"kind": "tiny", "size": 12}],
            "decoding": {"max_tokens": 12},
            "difficulty": {"engine": engine, "samples": 2},
            "curriculum": {"kind": "staged", "replay": 0.25},
            "trainer": {"kind": kind, "device": "cpu", "steps": steps, "prompts_per_step": 4,
                        "samples_per_prompt": 4, "checkpoint_every": 2},
            "evaluation": {"engine": engine, "holdout": 0.3, "limit": 8, "samples": 1, "every": 0,
                           "k": [1]},
        }  # fmt: skip
        self.config = folder / f"{kind}.yaml"
        self.config.write_text(yaml.safe_dump(settings))

    def run_to_end(self) -> tuple[float, float]:
        """Seconds from the training's beginning to its first new step, and of a step after that."""
        process = self._start()
        self._wait_for(self.folder.is_dir, process)
        begun, lines = time.monotonic(), self.done()
        self._wait_for(lambda: self.done() > lines, process)
        first, lines = time.monotonic(), self.done()
        self._wait_for(lambda: self.done() == self.steps, process)
        step = (time.monotonic() - first) / max(1, self.done() - lines)
        if process.wait():
            raise RuntimeError(f"the run must end well, but got:\n{self.printed.read_text()}")
        return first - begun, step

    def put_aside(self) -> Path:
        """Move the training elsewhere, so that the next command begins it again."""
        aside = self.run.with_name(f"{self.run.name}-whole")
        shutil.move(self.folder, aside)
        return aside

    def run_and_kill(self, kill: Kill, lines: int | None, moment: float) -> Outcome | None:
        """Kill so many seconds after `lines` further steps, or after the training has begun."""
        process = self._start()
        written = self.folder / "training.lock"
        self._wait_for(lambda: written.exists() and self._is_training(process), process)
        enough = self.done() + (lines or 0)
        if lines is not None:
            self._wait_for(lambda: self.done() > enough, process)
        time.sleep(moment)
        victims: list[psutil.Process] = []

        def all_found() -> bool:
            family = self._family()
            victims[:] = [v for name in kill.victims for v in _find(name, process, family)]
            return len(victims) == len(kill.victims)

        self._wait_for(all_found, process)
        if process.poll() is not None:
            return None
        struck = time.monotonic()
        for victim in victims:
            with suppress(psutil.NoSuchProcess):  # both see the other die
                victim.send_signal(kill.number)
        return self._aftermath(kill, process, struck)

    def _aftermath(self, kill: Kill, process: psutil.Popen, struck: float) -> Outcome:
        """Wait for the command's own end, then for that of everything else."""
        code = process.wait(timeout=GIVE_UP_SECONDS)
        ended = time.monotonic()
        left = None
        while (alive := self._family()) or left is None:
            waited = time.monotonic() - ended
            if left is None and (not alive or waited > LEFT_SECONDS):
                left = len(alive)
            if waited > GIVE_UP_SECONDS:
                raise RuntimeError(f"left after {GIVE_UP_SECONDS} s: {alive}")
            time.sleep(0.1 if alive else 0)
        ours, *_ = self.printed.read_text().split("ends with:")  # what follows is verl's log
        gone = time.monotonic() - ended
        return Outcome(kill, code, left, ended - struck, gone, "Traceback (" in ours)

    def done(self) -> int:
        """Steps in the log."""
        return len(read_lines(self.metrics))

    @staticmethod
    def story(folder: Path) -> list[tuple[int, list[str], float]]:
        """(step, uids drawn, mean reward) of every step."""
        drawn, told = (read_lines(folder / f"{n}.jsonl") for n in ("curriculum", "metrics"))
        return [
            (row["step"], row["uids"], figures["reward/mean"])
            for row, figures in zip(drawn, told, strict=True)
        ]

    def _start(self) -> psutil.Popen:
        with self.printed.open("wb") as printed:
            return psutil.Popen(
                [sys.executable, "-m", "runners.cli", "run", str(self.config)],
                env={**os.environ, **ONE_THREAD, TOKEN: self.token},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def _is_training(self, process: psutil.Popen) -> bool:
        """Whether the training of this command has begun: its lock is held."""
        return any(Path(f.path).name == "training.lock" for f in process.open_files())

    def _family(self) -> list[psutil.Process]:
        """Every living process that this benchmark's command started, by whatever way."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get(TOKEN) == self.token
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _wait_for(self, condition: Any, process: psutil.Popen) -> None:
        """Until a condition holds or the command ends."""
        deadline = time.monotonic() + 2 * GIVE_UP_SECONDS
        while process.poll() is None:
            try:
                if condition():
                    return
            except psutil.NoSuchProcess:
                continue
            if time.monotonic() > deadline:
                raise RuntimeError(f"the run hangs:\n{self.printed.read_text()}")
            time.sleep(0.02)


def _find(name: str, command: psutil.Popen, family: list[psutil.Process]) -> list[psutil.Process]:
    """The process of a name, if it has been started yet; of two watchdogs the first."""
    if name == "command":
        return [command]
    wanted = "runners.verl.watchdog" if name == "watchdog" else name
    for process in family:
        try:
            first = name != "watchdog" or process.ppid() == command.pid
            if first and wanted in " ".join(process.cmdline()[:3]):
                return [process]
        except psutil.Error:
            continue
    return []


def _difference(one: Path, other: Path) -> float:
    """The largest difference between any two trained weights."""
    from safetensors.numpy import load_file

    states = [load_file(folder / "model" / "model.safetensors") for folder in (one, other)]
    return max(float(abs(states[0][name] - states[1][name]).max()) for name in states[0])
