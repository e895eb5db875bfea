"""How long choosing a batch takes, and what it keeps in memory, for every scheduler.

    python benchmarks/selection.py [--quick]

Pools of 10^4, 10^5 and 10^6 problems with the shape of AdaRFT's real difficulties (pass rates out
of 128 drawn from Beta(.258, .349)), five domains, five buckets. Each scheduler draws batches of 64
and is told outcomes of eight rollouts at those rates; `next_batch` alone is timed, in CPU time of
one thread, and the batch in which a pass ends is among them where that costs anything. Bytes are
those of the running curriculum beside the pool; the state in a checkpoint is measured when every
problem has been seen. Beside it all runs the selection of AdaRFT's own code (uscnlp-lime/verl at
bf2dd7e, verl/trainer/ppo/custom_sampler.py, `_select_closest_to_target`, typed anew), on the same
difficulties. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
import tracemalloc
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, get_args

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from curricula import AnyScheduler, Curriculum, KnownScheduler, Outcome, Scheduler
from curricula.machinery.nearest import NearestDeck
from curricula.machinery.pool import Column, Pool

BATCH = 64
ROLLOUTS = 8
SIZES = [10**4, 10**5, 10**6]
DOMAINS = ("math", "code", "logic", "stem", "graph")
BUCKETS = ("very_hard", "hard", "medium", "easy", "very_easy")
ADAPTER: TypeAdapter[Scheduler] = TypeAdapter(AnyScheduler)
SEQUENCE = {"parts": [{"name": "all", "curriculum": {"kind": "staged"}}]}


def make_pool(size: int, rng: np.random.Generator) -> Pool:
    rates = rng.binomial(128, rng.beta(0.258, 0.349, size)) / 128
    codes = {
        "domain": rng.integers(0, len(DOMAINS), size),
        "source": np.zeros(size, int),
        "bucket": np.minimum((rates * len(BUCKETS)).astype(int), len(BUCKETS) - 1),
    }
    values = {"domain": DOMAINS, "source": ("synthetic",), "bucket": BUCKETS}
    columns = {name: Column(values[name], code.astype(np.int32)) for name, code in codes.items()}
    return Pool([f"{i:07}" for i in range(size)], columns, rates, np.arange(size, dtype=np.int32))


def make_schedulers() -> dict[str, Scheduler]:
    kinds = [kind.model_fields["kind"].default for kind in get_args(get_args(KnownScheduler)[0])]
    plain = {k: {"kind": k, **(SEQUENCE if k == "sequence" else {})} for k in kinds}
    plain["e2h_gaussian"] = {"kind": "e2h", "schedule": "gaussian"}
    return {name: ADAPTER.validate_python(settings) for name, settings in plain.items()}


def cpu_ms(action: Callable[[], Any]) -> tuple[float, Any]:
    start = time.thread_time_ns()
    result = action()
    return (time.thread_time_ns() - start) / 1e6, result


def measure(scheduler: Scheduler, pool: Pool, batches: int, seed: int) -> dict[str, float]:
    """Milliseconds a batch (median, worst), bytes a problem, and the state's bytes a problem.

    At the smallest size the state is measured when every problem has been seen.
    """
    gc.collect()
    tracemalloc.start()
    built = scheduler.build(pool, 100_000, seed)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    rng = np.random.default_rng(seed)
    gc.disable()
    times = [_step(built, pool, rng) for _ in range(batches)]
    if _end_pass(built):
        times.append(_step(built, pool, rng))
    gc.enable()
    if len(pool) == SIZES[0]:
        _answer(built, pool, pool.uids, rng)
    state = len(json.dumps(built.state_dict()))
    return {
        "median_ms": median(times[1:]),
        "worst_ms": max(times),
        "bytes_a_problem": held / len(pool),
        "state_bytes_a_problem": state / len(pool),
    }


def _step(curriculum: Curriculum, pool: Pool, rng: np.random.Generator) -> float:
    spent, batch = cpu_ms(lambda: curriculum.next_batch(BATCH))
    _answer(curriculum, pool, batch.uids, rng)
    return spent


def _answer(
    curriculum: Curriculum, pool: Pool, uids: Sequence[str], rng: np.random.Generator
) -> None:
    """Tell outcomes at the pool's pass rates."""
    right = rng.binomial(ROLLOUTS, [pool.pass_rates[pool.row_of(uid)] for uid in uids])
    outcomes = [
        Outcome(uid, (1.0,) * int(k) + (0.0,) * (ROLLOUTS - int(k)))
        for uid, k in zip(uids, right, strict=True)
    ]
    curriculum.observe(outcomes)


def _end_pass(curriculum: Curriculum) -> bool:
    """Use up each deck whose renewal takes time; whether there is any."""
    decks = [d for d in getattr(curriculum, "decks", {}).values() if isinstance(d, NearestDeck)]
    for deck in decks:
        deck.taken[:] = True
        deck.restore(deck.state())
    return bool(decks)


def adarft_select(difficulties: NDArray[np.float64], target: float, batch_size: int) -> list[int]:
    """AdaRFT's own selection: every difference, sorted, and a list that is searched for each."""
    diffs = np.abs(difficulties - target)
    closest_indices = np.argsort(diffs)
    selected: list[int] = []
    for index in closest_indices:
        if index not in selected:
            selected.append(index)
        if len(selected) == batch_size:
            break
    return selected


def measure_peer(pool: Pool, batches: int) -> dict[str, float]:
    difficulties = 100 * (1 - pool.pass_rates)
    targets = np.linspace(0, 100, batches)
    times = [cpu_ms(lambda t=t: adarft_select(difficulties, t, BATCH))[0] for t in targets]
    return {"median_ms": median(times), "worst_ms": max(times)}


def exponent(sizes: list[int], times: list[float]) -> float:
    """Slope of log time over log size: 0 is constant, 1 linear."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="30 batches instead of 300")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    batches = 30 if words.quick else 300
    sizes = SIZES
    found: dict[str, list[dict[str, float]]] = {}
    pool_bytes = 0.0
    for size in sizes:
        pool = make_pool(size, np.random.default_rng(words.seed))
        arrays = [pool.pass_rates, *(column.codes for column in pool.columns.values())]
        pool_bytes = sum(array.nbytes for array in arrays) / size + 8  # a pointer to each uid
        for name, scheduler in make_schedulers().items():
            found.setdefault(name, []).append(measure(scheduler, pool, batches, words.seed))
        found.setdefault("AdaRFT's own code", []).append(measure_peer(pool, min(batches, 20)))
    peer = found.pop("AdaRFT's own code")
    fits = {name: exponent(sizes, [row["median_ms"] for row in f]) for name, f in found.items()}
    print(f"{'scheduler':18}{'median ms at 1e4, 1e5, 1e6':>32}{'worst':>8}{'slope':>7}{'B':>7}")
    for name, rows in found.items():
        times = "".join(f"{row['median_ms']:10.3f}" for row in rows)
        last = rows[-1]
        print(
            f"{name:18}{times:>32}{last['worst_ms']:8.2f}{fits[name]:7.2f}"
            f"{last['bytes_a_problem']:7.1f}"
        )
    print(f"{'AdaRFT own code':18}  " + "".join(f"{row['median_ms']:10.3f}" for row in peer))
    result = {
        "worst_ms_at_1e6": max(rows[-1]["worst_ms"] for rows in found.values()),
        "slowest": max(found, key=lambda name: found[name][-1]["worst_ms"]),
        "ratio_adarft_code": peer[-1]["median_ms"] / found["adarft"][-1]["median_ms"],
        "exponent": max(fits.values()),
        "exponent_of": max(fits, key=fits.__getitem__),
        "exponent_adarft_code": exponent(sizes, [row["median_ms"] for row in peer]),
        "bytes_a_problem": max(rows[-1]["bytes_a_problem"] for rows in found.values()),
        "state_bytes_a_problem": max(r[0]["state_bytes_a_problem"] for r in found.values()),
        "pool_bytes_a_problem": pool_bytes,
        "peer": "uscnlp-lime/verl bf2dd7e, custom_sampler.py",
        "peer_ms_at_1e6": peer[-1]["median_ms"],
        "input": "synthetic: Binomial(128, p)/128, p ~ Beta(.258, .349); 5 domains, 5 buckets",
        "n": sizes,
        "batch": BATCH,
        "batches": batches,
        "numpy": np.__version__,
        "schedulers": {
            name: {
                "median_ms": [round(row["median_ms"], 4) for row in rows],
                "worst_ms": [round(row["worst_ms"], 3) for row in rows],
                "exponent": round(fits[name], 3),
                "bytes_a_problem": round(rows[-1]["bytes_a_problem"], 1),
                "state_bytes_a_problem": round(rows[0]["state_bytes_a_problem"], 3),
            }
            for name, rows in found.items()
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
