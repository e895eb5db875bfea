"""Curricula against mixed with real reinforcement learning, at equal FLOPs, paired by seed.

    python benchmarks/curricula_real.py [--quick] [--seeds 5] [--jobs 1] [--out runs/curricula_real]
                                        [--figure docs/curricula_real.svg]

The embedded model, GRPO in the local trainer, 320 problems of all five domains at five levels,
evaluated on 240 others x 4 completions at each tenth of mixed's FLOPs. Mixed trains for 40 steps of
16 prompts x 8 rollouts; its level at the end is the target. Each seed draws its problems and scores
them (8 completions each) once. A curriculum that draws otherwise where it knows no pass rates pays
for that scoring; all pay 2 P for each token generated, what is screened or refilled among it, and
6 P for each token trained on. Evaluation is not charged. `courses.py` says how the ratio comes
about: FLOPs to the target over mixed's FLOPs, below 1 is cheaper, 1.5 where it is not reached with
1.5 times mixed's, so that such ratios are lower bounds. Trainings of one seed share problems,
starting weights and the random numbers of equal rollouts. Controls: `mixed, drawn anew` shares the
problems only, and shows what chance makes of a ratio; mixed with half and quarter batches shows
what more and smaller updates are worth without any curriculum, VCRL with half batches what it adds.

Then the same in the simulator, with the learner fitted to each seed's mixed run, eight times a
seed: does it rank the curricula as real training does (Spearman)?

A training takes 10 to 30 s of one core. Results are kept in --out as they come: what stands there
is not trained again, and ^C loses one training. The last line is JSON. Peer: mixed, same run.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from against_mixed import (
    ADAPTER,
    ANEW,
    CONTROL,
    MIXED,
    from_config,
    looks_at_scores,
    plans_ahead,
)
from courses import CAP, WINDOW, Course, Point, compare
from curricula_runs import (
    EVALUATED,
    POOL,
    PROFILE,
    PROMPTS,
    SAMPLES,
    Ground,
    prepare,
    same_protocol,
    simulate,
    train,
)
from curricula_table import beside, draw, print_table, ranking, summarise

from curricula import Scheduler
from curricula.learner import LearnerSettings
from domains.base import as_json
from runners.files import read_lines
from runners.run_dir import versions
from runners.simulated.learner_fit import fit

STEPS, EVALUATIONS = 40, 10
"""Of mixed."""
BATCH = PROMPTS, SAMPLES
DRAWS = 8
"""Simulated trainings of each curriculum and seed."""
PEER = "mixed"
HALVES, QUARTERS = "mixed, half batches", "mixed, quarter batches"
"""More and smaller steps for the same FLOPs, as methods get that train on a part of what they roll
out."""
VCRL_HALVES = "vcrl, half batches"
CONTROLS = (CONTROL, HALVES, QUARTERS, VCRL_HALVES)
"""In the table, but not among the curricula that are ranked."""
SETTINGS: dict[str, dict[str, Any]] = {
    CONTROL: {"kind": "mixed"},
    HALVES: {"kind": "mixed"},
    QUARTERS: {"kind": "mixed"},
    VCRL_HALVES: from_config("vcrl"),
    "staged": {"kind": "staged", "by": "difficulty"},
    "e2h_gaussian": from_config("e2h_gaussian"),
    "adarft": from_config("adarft"),
    "sec": from_config("sec"),
    "mopps": from_config("mopps"),
    "learnability": from_config("learnability"),
    "vcrl": from_config("vcrl"),
    "speed": from_config("speed"),
    "greso": from_config("greso"),
    "dynamic_sampling": from_config("dynamic_sampling"),
    "pods of mixed": {"kind": "pods", "keep": 4},
}
BATCH_OF = {
    HALVES: (PROMPTS // 2, SAMPLES),
    QUARTERS: (PROMPTS // 4, SAMPLES),
    VCRL_HALVES: (PROMPTS // 2, SAMPLES),
    "pods of mixed": (PROMPTS, 16),
}
"""Prompts a step and rollouts of each, where they are not mixed's."""
QUICK = (CONTROL, "mopps", "vcrl")


def slug(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")


def one_seed(seed: int, out: Path, names: tuple[str, ...], steps: int) -> None:
    """Train and simulate what does not stand in the seed's results yet."""
    folder = out / f"seed{seed}"
    results = folder / "results.jsonl"
    done = {(row["family"], row["where"]) for row in read_lines(results)}
    todo = [(n, w) for w in ("real", "simulated") for n in names if (n, w) not in done]
    if not todo:
        return
    ground = prepare(folder, seed)
    if (PEER, "real") not in done:
        course = Course(None, steps // EVALUATIONS, lambda points: False)
        train(ground, PEER, MIXED, BATCH, seed, steps, course)
        points = [asdict(point) for point in course.points]
        add(results, PEER, "real", points=points, n=len(ground.problems.evaluation))
    rows = {row["family"]: row for row in read_lines(results) if row["where"] == "real"}
    mixed = [Point(**point) for point in rows[PEER]["points"]]
    for name in (name for name, where in todo if where == "real"):
        add(results, name, "real", **real(ground, name, mixed, steps))
    learner = fit(folder / PEER)
    share = ground.profile / mixed[-1].spent
    for name in (name for name, where in todo if where == "simulated"):
        foretold = simulated(ground, learner, name, steps, share)
        add(results, name, "simulated", **foretold, learner=learner.model_dump(mode="json"))


def add(results: Path, name: str, where: str, **facts: Any) -> None:
    """Append one line, whole."""
    with results.open("a") as file:
        file.write(as_json({"family": name, "where": where, **facts}) + "\n")


def habits(ground: Ground, name: str, steps: int) -> tuple[Scheduler, float, bool]:
    """The curriculum, the FLOPs of the scoring it needs, and whether it plans ahead."""
    scheduler = ADAPTER.validate_python(SETTINGS[name])
    seed = ground.config.seed
    pays = looks_at_scores(scheduler, ground.pool, ground.unscored, steps, PROMPTS, seed)
    ahead = plans_ahead(scheduler, ground.pool, steps, PROMPTS, seed)
    return scheduler, ground.profile if pays else 0.0, ahead


def real(ground: Ground, name: str, mixed: list[Point], steps: int) -> dict[str, Any]:
    """One curriculum under one seed, by real training."""
    scheduler, profile, ahead = habits(ground, name, steps)
    batch, seed = BATCH_OF.get(name, BATCH), seed_of(name, ground.config.seed)
    walk = partial(train, ground, slug(name), scheduler, batch, seed)
    result = compare(walk, mixed, steps, profile, ahead)
    return {**asdict(result), "profile": profile / mixed[-1].spent, "ahead": ahead}


def simulated(
    ground: Ground, learner: LearnerSettings, name: str, steps: int, profile: float
) -> dict[str, Any]:
    """One curriculum under one seed, by the learner model: lists over the draws.

    `profile`: what scoring cost as a share of the real mixed training, and so costs here.
    """
    scheduler, pays, ahead = habits(ground, name, steps)
    found: list[dict[str, Any]] = []
    for i in range(DRAWS):
        seed = ground.config.seed + 1_000 * (i + 1)
        mixed = Course(None, steps // EVALUATIONS, lambda points: False)
        simulate(ground, learner, MIXED, BATCH, seed, steps, mixed)
        batch, own = BATCH_OF.get(name, BATCH), seed_of(name, seed)
        walk = partial(simulate, ground, learner, scheduler, batch, own)
        paid = profile * mixed.points[-1].spent if pays else 0.0
        found.append(asdict(compare(walk, mixed.points, steps, paid, ahead)))
    keys = ("ratio", "free", "skipping", "reached", "difference")
    return {key: [result[key] for result in found] for key in keys}


def seed_of(name: str, seed: int) -> int:
    return seed + (ANEW if name == CONTROL else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one seed, three curricula, 10 steps")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--curricula", nargs="+", choices=[*SETTINGS], metavar="NAME",
                        help="only these, such as vcrl")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="seeds trained at the same time")
    parser.add_argument("--out", type=Path, default=Path("runs/curricula_real"))
    parser.add_argument("--figure", type=Path, help="where to draw it (SVG or PNG)")
    words = parser.parse_args()
    seeds, names, steps = words.seeds, tuple(words.curricula or SETTINGS), STEPS
    if words.quick:
        seeds, names, steps = 1, QUICK, EVALUATIONS
        words.out = words.out / "quick"
    settings = {name: SETTINGS[name] for name in names}
    same_protocol(words.out, [steps, *BATCH, POOL, PROFILE, EVALUATED], settings)
    work = partial(one_seed, out=words.out, names=names, steps=steps)
    if words.jobs == 1:
        for seed in range(seeds):
            work(seed)
    else:
        with ProcessPoolExecutor(words.jobs, get_context("spawn")) as pool:
            list(pool.map(work, range(seeds)))
    report(words.out, seeds, names, steps, words.figure)


def report(out: Path, seeds: int, names: tuple[str, ...], steps: int, figure: Path | None) -> None:
    """Print the table and the JSON line of all that stands."""
    rows = {seed: read_lines(out / f"seed{seed}" / "results.jsonl") for seed in range(seeds)}
    families = summarise(rows, names)
    print_table(families)
    if figure:
        draw(families, figure)
    others = {name: row for name, row in families.items() if name not in CONTROLS}
    best = min(others, key=lambda name: others[name]["ratio"])
    profiles = [r["profile"] for found in rows.values() for r in found if r.get("profile")]
    result = {
        "families": families,
        "best": best,
        "best_ratio": others[best]["ratio"],
        "reaches_1_5": any(row["ratio"] <= 1 / CAP for row in others.values()),
        "surely_1_5": [n for n, row in others.items() if (row["high"] or CAP) <= 1 / CAP],
        "vcrl_beside_mixed_with_half_batches": beside(rows, VCRL_HALVES, HALVES),
        **ranking(rows, tuple(others)),
        "seeds": seeds,
        "n": sum(r["n"] for found in rows.values() for r in found if r["family"] == PEER),
        "evaluated": EVALUATED,
        "steps": steps,
        "batch": BATCH,
        "pool": POOL,
        "profile_share": round(fmean(profiles), 3) if profiles else None,
        "window": WINDOW,
        "cap": CAP,
        "input": "the embedded model and its five families, drawn anew for each seed",
        "peer": "mixed (curricula/mixed.py), same run",
        "versions": versions(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
