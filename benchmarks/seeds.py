"""Run one config at several seeds and say what it gained: the figures of EXPERIMENTS.md.

    python benchmarks/seeds.py configs/quickstart.yaml --seeds 3 [key=value ...]

Each seed is a whole run (scoring, training, evaluation) in a folder of its own under runs/seeds.
The last line is one JSON object: for every domain pass@1 before and after at each seed, with the
95% interval over problems, and the mean difference over seeds, paired by problem.
"""

import argparse
import json
import re
from pathlib import Path
from statistics import fmean

from runners.config import load_config
from runners.console import console
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, grouped, paired_difference, summarise
from runners.files import read_json
from runners.run import run
from runners.run_dir import RunDir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed, ten steps")
    words = parser.parse_args()
    overrides = [*words.overrides, "out=runs/seeds"]
    if words.quick:
        overrides += ["trainer.steps=10"]
    seeds = []
    for seed in range(1 if words.quick else words.seeds):
        config = load_config(words.config, [*overrides, f"seed={seed}"])
        changes = [override for override in words.overrides if not override.startswith("model=")]
        tag = "-".join(re.sub(r"[^A-Za-z0-9._]+", "-", change) for change in changes)
        name = "-".join(
            filter(None, [config.name, tag, "quick" if words.quick else "", f"s{seed}"])
        )
        config = config.model_copy(update={"name": name})
        run(config)
        folder = RunDir(config.out / config.name)
        seeds.append(figures(EvaluationLog(folder.evaluations).rows(), seed))
        seeds[-1]["seconds"] = read_json(folder.summary)["seconds"]
        console.print_json(json.dumps(seeds[-1]))
    domains = seeds[0]["domains"].keys()
    gains = {d: round(fmean(s["domains"][d]["gain"][0] for s in seeds), 4) for d in domains}
    print(json.dumps({"config": str(words.config), "seeds": seeds, "mean_gain": gains}))


def figures(rows: list[EvaluationRow], seed: int) -> dict[str, object]:
    """pass@1 of every domain before and after, and the paired gain, each [mean, low, high]."""
    domains = {}
    for (domain,), own in grouped(rows, ("domain",)).items():
        before = [row for row in own if row.phase == "before"]
        after = [row for row in own if row.phase == "after"]
        first, second = (summarise(part, 1, seed=seed)[0] for part in (before, after))
        gain = paired_difference(before, after, 1, seed=seed)
        domains[str(domain)] = {
            "problems": first.n_problems,
            "samples": first.n_samples,
            "before": _rounded(first.pass_at_k),
            "after": _rounded(second.pass_at_k),
            "gain": _rounded(gain),
        }
    return {"seed": seed, "domains": domains}


def _rounded(estimate: object) -> list[float]:
    return [round(float(getattr(estimate, name)), 4) for name in ("mean", "low", "high")]


if __name__ == "__main__":
    main()
