"""`kill.py scoring`: kill -9 at random moments; the store must equal that of an uninterrupted run.

The embedded model answers the tiny families with the transformers engine, in float32 on
one thread, once without interruption and once with so many kills: most at a random moment while
it generates, judges and writes a part or two, every fifth while it starts up. Then both stores are
read, sorted by (uid, sample) and compared in every column. Every request is logged when the engine
takes it, so what was asked twice is known:

- `equal`: whether all rows of the two stores are the same, and none is there twice;
- `repeated_beyond_batch`: completions that were asked for although they were stored, and those lost
  at a kill beyond what was in flight (`in_flight`): the engine's batch, and the problem that opens
  its next one;
- `most_lost`: completions that were asked for and not stored at the costliest kill.

The peer is the same command without a kill.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from difficulty.engines.base import Answered, Engine, Request, Sampling
from difficulty.engines.transformers import Transformers
from difficulty.store.completions import ScoredCompletion, read_part, verdicts_in

BATCH = 512
"""Completions that the engine takes at once (`transformers_engine`)."""
LOG = "KILL_BENCHMARK_LOG"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def scoring(folder: Path, kills: int, rng: random.Random) -> dict[str, Any]:
    """The whole comparison."""
    from runners.models.resolve import resolve_model

    resolve_model("tiny")  # made once, before any clock runs
    samples = max(8, kills)  # enough work that the last kill still finds some
    whole = Scoring(folder, "whole", samples)
    start_up, work = whole.run_to_end()
    killed = Scoring(folder, "killed", samples)
    in_flight = BATCH + samples
    lost, beyond, done = [], 0, 0
    while done < kills:
        early = done % 5 == 4
        moment = rng.uniform(0, start_up if early else work / whole.parts_stored())
        further = None if early else rng.randint(0, 1)
        asked, repeated = killed.run_and_kill(moment, further)
        if asked is None:
            break
        done += 1
        lost.append(asked)
        beyond += repeated + max(0, asked - in_flight)
        print(f"kill {done}: {killed.stored()} stored, {asked} lost", flush=True)
    killed.run_to_end()
    rows, keys = whole.rows(), Counter((row.uid, row.sample) for row in killed.rows())
    return {
        "kills": done,
        "equal": rows == killed.rows() and max(keys.values()) == 1,
        "repeated_beyond_batch": beyond,
        "most_lost": max(lost, default=0),
        "lost_in_all": sum(lost),
        "in_flight": in_flight,
        "completions": len(rows),
        "problems": len({row.uid for row in rows}),
        "seconds_uninterrupted": round(start_up + work, 1),
        "engine": "transformers, float32, 1 thread",
        "peer": "the same command, not interrupted",
        "input": f"tiny families, {samples} completions a problem",
        "python": sys.version.split()[0],
    }


class Scoring:
    """One store, filled by one or by many runs of the same config."""

    def __init__(self, folder: Path, name: str, samples: int) -> None:
        engine = {"kind": "transformers", "dtype": "float32", "device": "cpu", "threads": 1}
        settings = {
            "name": name,
            "out": str(folder),
            "model": "tiny",
            "problems": [{"kind": "tiny", "size": 24}],
            "decoding": {"max_tokens": 24},
            "difficulty": {"engine": engine, "samples": samples},
            "evaluation": {"holdout": 0.3},
        }
        self.config = folder / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump(settings))
        self.parts = folder / name / "scores"
        self.log = folder / f"{name}.log"

    def run_to_end(self) -> tuple[float, float]:
        """(seconds to the first request, seconds from there to the end)."""
        process, start = self._start(), time.monotonic()
        first = self._first_request(process, start)
        if process.wait():
            raise RuntimeError(f"scoring ended with exit code {process.returncode}")
        return first - start, time.monotonic() - first

    def run_and_kill(self, moment: float, further: int | None) -> tuple[int | None, int]:
        """Kill so many seconds after `further` parts are written, or after the start.

        With `further=0` the seconds count from the first request. Returns (completions asked for
        and lost, completions asked for although they were stored); the first is None where the run
        ended before.
        """
        before = self._stored_keys()
        process, start = self._start(), time.monotonic()
        if further is not None:
            start = self._first_request(process, start)
            enough = self.parts_stored() + further
            while self.parts_stored() < enough and process.poll() is None:
                time.sleep(0.005)
                start = time.monotonic()
        while time.monotonic() < start + moment and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        if process.wait() == 0:
            return None, 0
        asked = [tuple(line.split()) for line in self.log.read_text().splitlines()]
        keys = {(uid, int(sample)) for uid, sample in asked}
        return len(keys - self._stored_keys()), len(keys & before)

    def stored(self) -> int:
        """Completions in the store."""
        return len(self._stored_keys())

    def parts_stored(self) -> int:
        return len(list(self.parts.glob("part-*.parquet")))

    def rows(self) -> list[ScoredCompletion]:
        """Every row of every part, sorted by key."""
        rows = [row for part in self.parts.glob("part-*.parquet") for row in read_part(part)]
        return sorted(rows, key=lambda row: (row.uid, row.sample))

    def _stored_keys(self) -> set[tuple[str, int]]:
        parts = self.parts.glob("part-*.parquet")
        return {(uid, sample) for part in parts for uid, sample, _ in verdicts_in(part)}

    def _start(self) -> subprocess.Popen[bytes]:
        self.log.write_text("")
        return subprocess.Popen(
            [sys.executable, __file__, str(self.config)],
            env={**os.environ, **ONE_THREAD, LOG: str(self.log)},
            stdout=subprocess.DEVNULL,
        )

    def _first_request(self, process: subprocess.Popen[bytes], start: float) -> float:
        """When the engine took its first request; the start where all is stored already."""
        while not self.log.stat().st_size:
            if process.poll() is not None:
                return start
            time.sleep(0.005)
        return time.monotonic()


class Logged(Transformers):
    """The engine as it is, but for a line in a file for every completion it is asked for."""

    def open(self, model: Path, chat_template: str | None) -> Engine:
        return _LoggedEngine(super().open(model, chat_template), Path(os.environ[LOG]))


class _LoggedEngine(Engine):
    def __init__(self, inner: Engine, log: Path) -> None:
        self.inner, self.log = inner, log.open("a", buffering=1)

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        return self.inner.stream((self._note(request) for request in requests), sampling)

    def identity(self) -> dict[str, str]:
        return self.inner.identity()

    def _note(self, request: Request) -> Request:
        samples = (SAMPLES[request.uid, seed] for seed in request.seeds)
        self.log.write("".join(f"{request.uid} {sample}\n" for sample in samples))
        return request


SAMPLES: dict[tuple[str, int], int] = {}
"""From (uid, seed) back to the index of the completion."""


def score_once(config: Path) -> None:
    """What `curricle score` does, with the logging engine."""
    from difficulty.engines.base import sampling_seed
    from runners.config import load_config
    from runners.problem_set import load_problems
    from runners.run import score_problems
    from runners.run_dir import open_run

    loaded = load_config(config)
    problems = load_problems(loaded)
    for problem in problems.everything:
        for sample in range(loaded.difficulty.sampling.most_samples):
            SAMPLES[problem.uid, sampling_seed(loaded.seed, problem.uid, 0, sample)] = sample
    engine = Logged(**loaded.difficulty.engine.model_dump())
    difficulty = loaded.difficulty.model_copy(update={"engine": engine})
    folder = open_run(loaded)
    score_problems(loaded.model_copy(update={"difficulty": difficulty}), folder, problems)


if __name__ == "__main__":
    score_once(Path(sys.argv[1]))
