"""A million scored problems into a store, into buckets and out again, beside a pandas script.

    python benchmarks/store.py [--quick] [--problems N] [--data FOLDER]

Both do, each in a process of its own so that each has a peak memory of its own:

- ingest: `ScoreStore.write`, synced to disk, a part for every 16,384 completions. The script makes
  a `DataFrame` of as many and writes a file for each with `to_parquet`.
- bucket: counts, posteriors with intervals, hard labels and probabilities. The script does
  `groupby` to counts, k/n and `pd.cut`.
- export: verl parquet and JSON lines of each bucket, streamed and hashed, with a manifest. The
  script makes one `DataFrame` of the same rows, merges it with the rates, and does `to_parquet` and
  `to_json` for each bucket.
- status: counts by status, tokens, size on disk, and whether a verdict is stale. The script counts
  the first three.

Both get the same completions as the same records, and the same problems one by one; making them is
in the memory, not in the time. Prompts are AdaRFT's, completions GSM8K's solutions, repeated;
outcomes are drawn at random, eight a problem.

The last line is one JSON object: `peak_gb` is in GB (1e9 bytes) for our process, `ratio_pandas` is
our time over the script's, all stages together.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from difficulty.buckets import Edges
from difficulty.export import ScoredPool, export_buckets
from difficulty.pass_rate import posteriors
from difficulty.prompts import Prompter, PromptFormat
from difficulty.store.completions import ScoredCompletion, ScoreStore
from difficulty.store.regrade import stale_checkers
from domains.checkers.math_answers import Math
from domains.problem import Problem, Status

SAMPLES = 8
CHUNK = 2048
"""Problems in a part: 16,384 completions."""
DATA = Path(__file__).parents[2] / "shared" / "data" / "math"
STATUSES: tuple[Status, ...] = ("correct", "wrong", "no_answer", "truncated")
SYSTEM = "Think step by step."
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
BUCKETS = ("very_hard", "hard", "medium", "easy", "very_easy")
CHECKER = Math()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="50,000 problems")
    parser.add_argument("--data", type=Path, default=DATA, help="holds gsm8k/ and adarft_.../")
    parser.add_argument("--who", choices=WHO, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    problems = 50_000 if words.quick else words.problems
    if words.who:
        seconds = WHO[words.who](words.folder, Workload(words.data, problems))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(json.dumps({"seconds": seconds, "peak_gb": peak}))
        return
    found = {}
    for who in WHO:
        with tempfile.TemporaryDirectory() as folder:
            found[who] = run(who, Path(folder), problems, words.data)
    print(json.dumps(summary(found, problems, words.data)))


def run(who: str, folder: Path, problems: int, data: Path) -> dict[str, Any]:
    """All stages of one side in a process of its own."""
    command = [sys.executable, __file__, "--who", who, "--folder", str(folder)]
    command += ["--problems", str(problems), "--data", str(data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    stages = "  ".join(f"{stage} {s:.1f} s" for stage, s in figures["seconds"].items())
    print(f"{who:<7} {stages}  {figures['peak_gb']:.2f} GB", flush=True)
    return figures


def summary(found: dict[str, dict[str, Any]], problems: int, data: Path) -> dict[str, Any]:
    import pandas
    import pyarrow

    ours, peer = found["ours"], found["pandas"]
    total = {who: sum(figures["seconds"].values()) for who, figures in found.items()}
    return {
        "problems": problems,
        "completions": problems * SAMPLES,
        "peak_gb": round(ours["peak_gb"], 3),
        "peak_gb_pandas": round(peer["peak_gb"], 3),
        "ratio_pandas": round(total["ours"] / total["pandas"], 3),
        **{f"seconds_{stage}": round(s, 2) for stage, s in ours["seconds"].items()},
        **{f"pandas_seconds_{stage}": round(s, 2) for stage, s in peer["seconds"].items()},
        "peer": f"pandas {pandas.__version__}, pyarrow {pyarrow.__version__}",
        "input": f"adarft_deepscaler and gsm8k/train.jsonl of {data.name}; outcomes of seed 0",
        "python": sys.version.split()[0],
    }


class Workload:
    """The problems and their completions, made on the way; `seconds` is what making them took."""

    def __init__(self, data: Path, problems: int) -> None:
        import pyarrow.parquet as pq

        files = sorted((data / "adarft_deepscaler").glob("*.parquet"))
        gsm8k = data / "gsm8k" / "train.jsonl"
        if not files or not gsm8k.is_file():
            raise SystemExit(f"--data must hold adarft_deepscaler and gsm8k, but got {data}")
        rows = pq.read_table(files[-1], columns=["prompt"])["prompt"].to_pylist()
        self.prompts = [row[0]["content"] for row in rows]
        lines = gsm8k.read_text().splitlines()
        self.solutions = [json.loads(line)["answer"] for line in lines]
        self.count = problems
        self.seconds = 0.0

    def problems(self) -> Iterator[Problem]:
        """Each problem, the clock stopped."""
        for number in range(self.count):
            start = time.perf_counter()
            text = f"{self.prompts[number % len(self.prompts)]} ({number})"
            problem = Problem.make(
                domain=("math", "code", "logic")[number % 3], source="synthetic", prompt=text,
                answer=str(number), checker=CHECKER, labels={"level": number % 5 + 1},
            )  # fmt: skip
            self.seconds += time.perf_counter() - start
            yield problem

    def completions(self) -> Iterator[list[ScoredCompletion]]:
        """The scored completions of `CHUNK` problems at a time, the clock stopped."""
        rng = np.random.default_rng(0)
        checker = CHECKER.fingerprint()
        chunk: list[Problem] = []
        for problem in self.problems():
            chunk.append(problem)
            if len(chunk) == CHUNK:
                yield self._scored(chunk, rng, checker)
                chunk = []
        if chunk:
            yield self._scored(chunk, rng, checker)

    def _scored(
        self, chunk: list[Problem], rng: np.random.Generator, checker: str
    ) -> list[ScoredCompletion]:
        start = time.perf_counter()
        shape = (len(chunk), SAMPLES)
        solved = rng.random(shape) < rng.beta(0.4, 0.4, len(chunk))[:, None]
        status = np.where(solved, 0, rng.choice([1, 1, 1, 2, 3], shape)).tolist()
        texts = rng.integers(len(self.solutions), size=shape).tolist()
        rows = [
            ScoredCompletion(
                problem.uid, problem.domain, i, text := self.solutions[texts[p][i]],
                len(text) // 4, "length" if status[p][i] == 3 else "stop",
                STATUSES[status[p][i]], float(status[p][i] == 0), problem.answer, "", checker,
            )
            for p, problem in enumerate(chunk)
            for i in range(SAMPLES)
        ]  # fmt: skip
        self.seconds += time.perf_counter() - start
        return rows


class Clock:
    """Seconds of each stage, less what the workload took to make its rows."""

    def __init__(self, work: Workload) -> None:
        self.work = work
        self.seconds: dict[str, float] = {}

    def stage(self, name: str, job: Callable[[], Any]) -> Any:
        start, making = time.perf_counter(), self.work.seconds
        result = job()
        spent = time.perf_counter() - start
        self.seconds[name] = spent - (self.work.seconds - making)
        return result


def ours(folder: Path, work: Workload) -> dict[str, float]:
    clock = Clock(work)
    store = ScoreStore(folder / "store", {"model": "m", "seed": 0}, {})

    def ingest() -> None:
        for rows in work.completions():
            store.write(rows)

    def bucket() -> ScoredPool:
        rates = store.profile().pass_rates()
        found = posteriors(rates)
        placed = Edges(edges=EDGES, names=BUCKETS).place(rates, found)
        return ScoredPool({rate.uid: rate for rate in rates}, found, placed)

    def status() -> int:
        profile = store.profile()
        size = sum(part.stat().st_size for part in store.parts())
        stale = stale_checkers(store.folder, (), judged_by)
        return int(profile.statuses.sum() + profile.tokens.sum()) + size + len(stale)

    clock.stage("ingest", ingest)
    pool = clock.stage("bucket", bucket)
    prompter = Prompter(PromptFormat(system=SYSTEM), {})
    manifest = clock.stage(
        "export",
        lambda: export_buckets(folder / "buckets", work.problems(), pool, prompter, {"name": "b"}),
    )
    if sum(entry["problems"] for entry in manifest["buckets"]) != work.count:
        raise ValueError("not every problem came out again")
    judged_by = dict.fromkeys(pool.rates, CHECKER.fingerprint())
    clock.stage("status", status)
    return clock.seconds


def plain_pandas(folder: Path, work: Workload) -> dict[str, float]:
    import pandas as pd

    clock = Clock(work)
    names = [field.name for field in fields(ScoredCompletion)]
    (folder / "parts").mkdir()

    def ingest() -> None:
        for number, rows in enumerate(work.completions()):
            frame = pd.DataFrame({name: [getattr(row, name) for row in rows] for name in names})
            path = folder / "parts" / f"part-{number:05}.parquet"
            frame.to_parquet(path, compression="zstd", index=False)

    def bucket() -> Any:
        frame = pd.read_parquet(folder / "parts", columns=["uid", "status"])
        frame["correct"] = frame["status"] == "correct"
        found = frame.groupby("uid")["correct"].agg(["sum", "count"]).reset_index()
        found["pass_rate"] = found["sum"] / found["count"]
        cut = pd.cut(found["pass_rate"], EDGES, labels=BUCKETS, include_lowest=True)
        return found.assign(bucket=cut.astype(str))

    def export() -> None:
        frame = pd.DataFrame([_plain_row(problem) for problem in work.problems()])
        frame = frame.merge(rates, on="uid")
        (folder / "buckets").mkdir()
        for name, part in frame.groupby("bucket"):
            verl = part[["data_source", "prompt", "ability", "reward_model", "extra_info"]]
            verl.to_parquet(folder / "buckets" / f"{name}.parquet", compression="zstd", index=False)
            lines = part[["uid", "ability", "data_source", "bucket", "question", "answer", "labels",
                          "pass_rate", "count", "sum"]]  # fmt: skip
            lines.to_json(folder / "buckets" / f"{name}.jsonl", orient="records", lines=True)

    def status() -> int:
        frame = pd.read_parquet(folder / "parts", columns=["uid", "status", "token_count"])
        size = sum(part.stat().st_size for part in (folder / "parts").iterdir())
        counts = frame.groupby(["uid", "status"]).size()
        return int(counts.sum() + frame["token_count"].sum()) + size

    clock.stage("ingest", ingest)
    rates = clock.stage("bucket", bucket)
    clock.stage("export", export)
    clock.stage("status", status)
    return clock.seconds


def _plain_row(problem: Problem) -> dict[str, Any]:
    """A row of verl's schema, and the columns of the lines, as a script would make them."""
    return {
        "uid": problem.uid,
        "question": problem.prompt,
        "answer": problem.answer,
        "labels": problem.labels,
        "data_source": problem.source,
        "prompt": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": problem.prompt},
        ],
        "ability": problem.domain,
        "reward_model": {"style": "rule", "ground_truth": problem.answer},
        "extra_info": {
            "uid": problem.uid,
            "domain": problem.domain,
            "question": problem.prompt,
            "labels": json.dumps(problem.labels),
            "metadata": "{}",
        },
    }


WHO = {"ours": ours, "pandas": plain_pandas}


if __name__ == "__main__":
    main()
