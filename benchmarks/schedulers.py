"""Every curriculum against mixed, at equal cost, on real difficulties and a learner model.

    python benchmarks/schedulers.py [--quick] [--seeds 20] [--figure docs/schedulers.svg]

Difficulties are AdaRFT's: the pass rates of Qwen2.5-Math-7B over 128 rollouts on 29,724 problems
(../shared/data/math/adarft_deepscaler, or --data). Each seed draws a pool of 1,024 of them and
4,096 others to evaluate on. A curriculum that looks at pass rates or buckets is given what 8
rollouts of each problem of the pool tell, and pays for them; one that does not look, pays nothing.
Whether it looks is found out by building it on the unscored pool too. The learner, and what it
assumes, is `curricula/learner.py`: its defaults were fitted to a real run; an optimistic and a
pessimistic one (for curricula) show where the ranking hangs on it.

Mixed trains for 60 steps of 32 prompts x 8 rollouts; its level at the end is the target (levels are
means over five steps). Each curriculum is built for as many steps as mixed's FLOPs buy it (2 P a
generated token, 6 P a trained one, profiling among them), and if it does not get there, for twice
as many. The ratio is its FLOPs at the first step that reaches the target over mixed's: below 1 is
cheaper. Ratios are paired by seed: trainings of one seed share their problems and their luck (the
learner's wander), so intervals tell the effect of curricula more sharply than as many trainings of
unlike luck would. `mixed, drawn anew` is the control: it shares the problems only, and shows what
chance makes of a ratio. The table has geometric means and 95% t intervals, each on its own, for
many curricula at once. What is not reached counts as the cap, so such ratios are lower bounds. The
peer is mixed, in the same run. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from against_mixed import (
    ADAPTER,
    ANEW,
    CONTROL,
    MIXED,
    ROOT,
    from_config,
    interval,
    looks_at_scores,
    ratio_interval,
)
from numpy.typing import NDArray
from pydantic import ValidationError
from schedulers_table import draw, print_table, rank_correlation

from curricula import Item, KnownScheduler, Scheduler
from curricula.learner import LearnerSettings, ProblemTable
from curricula.machinery.pool import Pool
from curricula.simulate import Simulation
from difficulty.pass_rate import PassRate, posteriors
from runners.flops import FORWARD, UPDATE

DATA = ROOT.parent / "shared" / "data" / "math" / "adarft_deepscaler"
POOL, HELD_OUT, PROFILE = 1_024, 4_096, 8
STEPS, PROMPTS, SAMPLES = 60, 32, 8
WINDOW = 5
"""Steps that a level is a mean over."""
CAP = 2.0
"""Most of mixed's FLOPs that a curriculum may spend."""
BUCKETS = ("hard", "medium", "easy")

DEFAULT = LearnerSettings()
# Rates are set so that mixed learns about as fast under all three.
LEARNERS = {
    "default": DEFAULT,
    "optimistic": LearnerSettings(
        rate=0.47, critical_batch=256, reach=12, forgetting=0, memory=0, wander=0.02
    ),
    "pessimistic": LearnerSettings(
        rate=0.13, critical_batch=16, reach=1.5, forgetting=0.01, memory=0.5,
        false_positives=0.05, false_negatives=0.1,
    ),
}  # fmt: skip

FROM_CONFIGS = (
    "adarft", "dynamic_sampling", "e2h_cosine", "e2h_gaussian", "greso", "learnability", "light_r1",
    "mopps", "pods", "pools", "replay_and_retire", "reverse", "sec", "sequence", "speed", "vcrl",
)  # fmt: skip
"""Their settings are those of configs/curricula; the rest name columns that these data lack."""
FAMILIES: dict[str, dict[str, Any]] = {
    CONTROL: {"kind": "mixed"},
    "staged": {"kind": "staged", "by": "difficulty"},
    "staged, plateau gates": {
        "kind": "staged",
        "by": "difficulty",
        "gate": {"kind": "plateau", "window": 5, "gain": 0.02},
    },
    "interleaved": {"kind": "interleaved", "over": "bucket"},
    "nemotron3": {"kind": "nemotron3", "start": 0.7, "end": 0.4, "width": 0.15},
    "dump": {"kind": "dump", "arms": ["bucket"]},
    "transfer_aware": {"kind": "transfer_aware", "arms": ["bucket"]},
    "ratio_control": {"kind": "ratio_control", "wraps": {"kind": "learnability"}},
    "retire": {"kind": "retire"},
    "replay": {"kind": "replay"},
    "pods of mixed": {"kind": "pods", "keep": 4},
    "greso, no refill": {"kind": "greso"},
    "learnability, unscored": {"kind": "learnability", "prior_weight": 0},
}
SAMPLES_OF = {"pods": 16, "pods of mixed": 16}


@dataclass(frozen=True)
class Scenario:
    """One seed's problems."""

    seed: int
    scored: Pool
    """What curricula see, with the rates and buckets of `PROFILE` rollouts."""
    unscored: Pool
    rates: dict[str, float]
    """The true pass rates, by uid."""
    held_out: ProblemTable


@dataclass(frozen=True)
class Result:
    """One curriculum under one seed; FLOPs as shares of mixed's."""

    ratio: float
    """To the target, profiling counted; the cap where it is not reached."""
    free: float
    """The same without profiling."""
    skipping: float
    """As `ratio`, if groups without variance cost no training, in mixed neither."""
    reached: bool
    difference: float
    """Its level less mixed's, when mixed's FLOPs are spent or the steps that they should buy are
    done."""


def load_rates(folder: Path) -> NDArray[np.float64]:
    """Pass rates of the different prompts, shape (29,724,); the mean where one stands twice."""
    import pyarrow.parquet as pq

    found: dict[str, list[float]] = {}
    for path in sorted(folder.glob("*.parquet")):
        columns = pq.read_table(path, columns=["prompt", "extra_info"]).to_pydict()
        for prompt, info in zip(columns["prompt"], columns["extra_info"], strict=True):
            found.setdefault(prompt[-1]["content"], []).append(1 - info["difficulty"] / 100)
    return np.array([fmean(rates) for rates in found.values()])


def make_scenario(rates: NDArray[np.float64], seed: int) -> Scenario:
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(rates))[: POOL + HELD_OUT]
    own = rates[drawn[:POOL]]
    uids = [f"{i:05}" for i in drawn[:POOL]]
    right = rng.binomial(PROFILE, own)
    counted = [
        PassRate(uid, "math", int(k), PROFILE - int(k), 0, 0, 0)
        for uid, k in zip(uids, right, strict=True)
    ]
    means = {uid: posterior.mean for uid, posterior in posteriors(counted).items()}
    order = np.argsort(np.array([means[uid] for uid in uids]), kind="stable").argsort()
    names = [BUCKETS[place * len(BUCKETS) // POOL] for place in order]
    scored = [
        Item(uid, "math", "adarft", name, means[uid]) for uid, name in zip(uids, names, strict=True)
    ]
    unscored = [Item(uid, "math", "adarft") for uid in uids]
    others = rates[drawn[POOL:]]
    return Scenario(
        seed, Pool.of(scored), Pool.of(unscored), dict(zip(uids, own.tolist(), strict=True)),
        ProblemTable.of(["math"], ["math"] * len(others), others),
    )  # fmt: skip


def make_families() -> dict[str, Scheduler]:
    """Every family by name; kinds that none of the above is or holds come with their defaults."""
    settings = dict(FAMILIES)
    for name in FROM_CONFIGS:
        settings[name] = from_config(name)
    families = {name: ADAPTER.validate_python(given) for name, given in settings.items()}
    for kind in not_covered(families):
        try:
            families[kind] = ADAPTER.validate_python({"kind": kind})
        except ValidationError:
            continue  # it needs settings that only its user can know
    return dict(sorted(families.items()))


def not_covered(families: dict[str, Scheduler]) -> list[str]:
    """Kinds of the union that no family is or holds."""
    kinds = [kind.model_fields["kind"].default for kind in get_args(get_args(KnownScheduler)[0])]
    text = json.dumps([family.model_dump(mode="json") for family in families.values()])
    return [kind for kind in kinds if f'"kind": "{kind}"' not in text]


@dataclass(frozen=True)
class Point:
    """A training after one step; FLOPs are those of a model of one parameter."""

    spent: float
    skipping: float
    """FLOPs, if groups without variance cost no training."""
    level: float
    """Mean pass rate on the held-out problems, over the last steps."""


def train(
    scheduler: Scheduler,
    scenario: Scenario,
    learner: LearnerSettings,
    steps: int,
    samples: int,
    seed: int,
) -> Iterator[Point]:
    simulation = Simulation(
        scheduler, scenario.scored, learner, steps=steps, prompts=PROMPTS, samples=samples,
        seed=seed, rates=scenario.rates,
    )  # fmt: skip
    generated = trained = informative = 0
    levels: deque[float] = deque(maxlen=WINDOW)
    for step in simulation:
        generated, trained = generated + step.rollouts, trained + step.trained
        informative += step.informative
        levels.append(float(simulation.learner.pass_rates(scenario.held_out).mean()))
        rollouts = FORWARD * generated
        yield Point(
            learner.tokens * (rollouts + UPDATE * trained),
            learner.tokens * (rollouts + UPDATE * informative),
            fmean(levels),
        )


def compare(
    name: str, scheduler: Scheduler, scenario: Scenario, learner: LearnerSettings, mixed: Point
) -> Result:
    """Train at mixed's FLOPs and, where that is not enough, at twice as many."""
    samples = SAMPLES_OF.get(name, SAMPLES)
    seed = scenario.seed + (ANEW if name == CONTROL else 0)
    pools = scenario.scored, scenario.unscored
    scores = looks_at_scores(scheduler, *pools, STEPS, PROMPTS, scenario.seed)
    profile = POOL * PROFILE * learner.tokens * FORWARD if scores else 0.0
    plain = PROMPTS * learner.tokens * (FORWARD * samples + UPDATE * min(samples, SAMPLES))
    difference = 0.0
    for times in (1.0, CAP):
        steps = max(1, round((times * mixed.spent - profile) / plain))
        reached: Point | None = None
        for point in train(scheduler, scenario, learner, steps, samples, seed):
            if profile + point.spent > times * mixed.spent * (1 + 1e-9):
                break
            if times == 1.0:
                difference = point.level - mixed.level
            if reached is None and point.level >= mixed.level:
                reached = point
        if reached is not None:
            return Result(
                (profile + reached.spent) / mixed.spent, reached.spent / mixed.spent,
                (profile + reached.skipping) / mixed.skipping, True, difference,
            )  # fmt: skip
    return Result(CAP, CAP, CAP, False, difference)


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    """Over the seeds of one family and learner."""
    ratio, low, high = ratio_interval([r.ratio for r in results])
    difference = interval([r.difference for r in results])
    return {
        "ratio": round(ratio, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "without_profiling": round(ratio_interval([r.free for r in results])[0], 3),
        "skipping": round(ratio_interval([r.skipping for r in results])[0], 3),
        "reached": sum(r.reached for r in results),
        "difference": [round(value, 4) for value in difference],
        "n": len(results),
    }


def run(
    rates: NDArray[np.float64], families: dict[str, Scheduler], learner: LearnerSettings, seeds: int
) -> dict[str, dict[str, Any]]:
    """The summary of every family under one learner."""
    found: dict[str, list[Result]] = {name: [] for name in families}
    for seed in range(seeds):
        scenario = make_scenario(rates, seed)
        *_, last = train(MIXED, scenario, learner, STEPS, SAMPLES, seed)
        for name, scheduler in families.items():
            found[name].append(compare(name, scheduler, scenario, learner, last))
    return {name: summarise(results) for name, results in found.items()}


def beside_one(found: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The curricula whose whole interval lies below 1, and those whose lies above."""
    return {
        "cheaper": [name for name, row in found.items() if row["high"] < 1],
        "dearer": [name for name, row in found.items() if row["low"] > 1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of AdaRFT's parquet files")
    parser.add_argument("--figure", type=Path, help="where to draw it (SVG or PNG)")
    words = parser.parse_args()
    if not words.data.is_dir():
        raise SystemExit(f"schedulers: skipped, there is no {words.data} (AdaRFT's difficulties)")
    seeds = 2 if words.quick else words.seeds
    rates = load_rates(words.data)
    families = make_families()
    found = {name: run(rates, families, learner, seeds) for name, learner in LEARNERS.items()}
    print_table(found, seeds)
    if words.figure:
        draw(found, seeds, words.figure)
    correlations = {name: round(rank_correlation(found, name), 3) for name in LEARNERS}
    result = {
        "families": found["default"],
        "optimistic": found["optimistic"],
        "pessimistic": found["pessimistic"],
        "rank_correlation_with_default": correlations,
        "beside_one": {learner: beside_one(rows) for learner, rows in found.items()},
        "not_covered": not_covered(families),
        "n": len(rates),
        "pool": POOL,
        "held_out": HELD_OUT,
        "profile_rollouts": PROFILE,
        "steps": STEPS,
        "batch": [PROMPTS, SAMPLES],
        "seeds": seeds,
        "cap": CAP,
        "input": "adarft_deepscaler: 1 - difficulty / 100, prompts once",
        "peer": "mixed (curricula/mixed.py), same run",
        "numpy": np.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
