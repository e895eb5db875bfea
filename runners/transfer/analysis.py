"""The transfer minimum: how few target problems are enough, and how sure that is.

N* is the smallest number of target-domain problems for which, with probability `confidence` over
seeds and evaluation problems, pass@1 on the target rises by at least `gain` over the base model
while the source keeps at least the share `retention` of what training on the source alone gives.

Evidence: trainings at several sizes, several seeds each. Every bootstrap replicate resamples the
evaluation problems (the same ones at every size: the curve is paired by problem) and, at every
size, the seeds; fits a rising curve of gain over log(N + 1) by isotonic regression, which assumes
only that more target data does not hurt the target; and notes where the curve first reaches the
asked gain with retention held there. N* is the `confidence` quantile of these crossings and the
interval their 5th to 95th percentile. Sizes between two tested ones are interpolated on the log
axis; beyond the largest nothing is claimed: then N* is "not reached by N_max".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runners.config import TransferSettings

RESAMPLES = 2_000

Table = NDArray[np.float64]


@dataclass(frozen=True)
class TrialResult:
    """One training: pass@1 after it, by uid, on the target's and the source's problems."""

    n_target: int
    seed: int
    target: Mapping[str, float]
    source: Mapping[str, float]


@dataclass(frozen=True)
class Point:
    """The curve at one tested size; means over seeds and problems with 95% intervals."""

    n: int
    gain: float
    gain_low: float
    gain_high: float
    retention: float
    retention_low: float
    retention_high: float
    p_success: float
    """Share of bootstrap replicates in which this size reaches the gain and keeps the source."""
    seeds: int


@dataclass(frozen=True)
class Minimum:
    """The answer."""

    reached: bool
    n: int | None
    """N*; None when not reached by n_max."""
    estimate: int | None
    """Where the median replicate crosses; None when fewer than half do."""
    low: int | None
    high: int | None
    """5th and 95th percentile of the crossings; None where those replicates never cross."""
    high_censored: bool
    n_max: int


def analyse(
    base: Mapping[str, float], trials: Sequence[TrialResult], ask: TransferSettings, seed: int
) -> tuple[list[Point], Minimum]:
    """The curve and the minimum.

    `base` is the base model's pass@1 by uid on the target's problems. Needs trials at size 0, the
    source alone, which retention is measured against.
    """
    sizes = sorted({trial.n_target for trial in trials})
    if 0 not in sizes:
        raise ValueError(f"a transfer analysis must have trials with n_target=0, but got {sizes=}")
    on_target = _shared([base, *(trial.target for trial in trials)])
    on_source = _shared([trial.source for trial in trials])
    at = {n: [trial for trial in trials if trial.n_target == n] for n in sizes}
    gains = {n: _matrix([trial.target for trial in at[n]], on_target) for n in sizes}
    sources = {n: _matrix([trial.source for trial in at[n]], on_source) for n in sizes}
    before = np.array([base[uid] for uid in on_target])
    rng = np.random.default_rng(
        int.from_bytes(hashlib.sha256(f"transfer:{seed}".encode()).digest()[:8])
    )
    gain, retention = _replicates(gains, sources, before, rng)
    rising = np.array([_isotonic(row, sizes) for row in gain])
    kept = retention >= ask.retention
    reached = (rising >= ask.gain - 1e-12) & kept
    points = [
        _point(
            n, gains[n], sources[n], sources[0], before, gain[:, i], retention[:, i], reached[:, i]
        )
        for i, n in enumerate(sizes)
    ]
    crossings = np.array(
        [_crossing(rising[b], kept[b], sizes, ask.gain) for b in range(len(rising))]
    )
    return points, _minimum(crossings, ask.confidence, sizes[-1])


def _matrix(results: Sequence[Mapping[str, float]], uids: Sequence[str]) -> Table:
    """(seeds, problems)."""
    return np.array([[result[uid] for uid in uids] for result in results])


def _shared(results: Sequence[Mapping[str, float]]) -> list[str]:
    """Problems that every result has: one whose checker failed throughout is in none."""
    return sorted(set.intersection(*({*result} for result in results)))


def _replicates(
    targets: Mapping[int, Table],
    sources: Mapping[int, Table],
    before: Table,
    rng: np.random.Generator,
) -> tuple[Table, Table]:
    """Bootstrapped (gain, retention), each of shape (replicates, sizes)."""
    sizes = list(targets)
    n_source = sources[0].shape[1]
    gain, retention = np.empty((RESAMPLES, len(sizes))), np.empty((RESAMPLES, len(sizes)))
    for b in range(RESAMPLES):
        target_problems = rng.integers(len(before), size=len(before))
        source_problems = rng.integers(n_source, size=n_source)
        alone = math.nan
        for i, n in enumerate(sizes):
            seeds = rng.integers(len(targets[n]), size=len(targets[n]))
            after = targets[n][np.ix_(seeds, target_problems)].mean()
            gain[b, i] = after - before[target_problems].mean()
            source = sources[n][np.ix_(seeds, source_problems)].mean()
            alone = source if n == 0 else alone
            retention[b, i] = source / alone if alone > 0 else math.nan
    return gain, retention


def _isotonic(gain: Table, sizes: Sequence[int]) -> Table:
    """The rising curve nearest to the gains in least squares."""
    from sklearn.isotonic import isotonic_regression

    curve: Table = isotonic_regression(gain)
    return curve


def _crossing(rising: Table, kept: NDArray[np.bool_], sizes: Sequence[int], gain: float) -> float:
    """The smallest N whose curve reaches `gain` with the source kept; infinite if there is none.

    Between two tested sizes the curve is straight in log(N + 1); the source counts as kept there
    if it is kept at the upper of the two.
    """
    for i, n in enumerate(sizes):
        if rising[i] < gain - 1e-12 or not kept[i]:
            continue
        if i == 0 or rising[i - 1] >= gain or rising[i] == rising[i - 1]:
            return float(n)
        share = (gain - rising[i - 1]) / (rising[i] - rising[i - 1])
        low, high = math.log(sizes[i - 1] + 1), math.log(n + 1)
        return math.exp(low + share * (high - low)) - 1
    return math.inf


def _point(
    n: int, targets: Table, sources: Table, alone: Table, before: Table,
    gain: Table, retention: Table, reached: NDArray[np.bool_],
) -> Point:  # fmt: skip
    return Point(
        n=n,
        gain=float(targets.mean() - before.mean()),
        gain_low=float(np.quantile(gain, 0.025)),
        gain_high=float(np.quantile(gain, 0.975)),
        retention=float(sources.mean() / alone.mean()) if alone.mean() > 0 else math.nan,
        retention_low=float(np.quantile(retention, 0.025)),
        retention_high=float(np.quantile(retention, 0.975)),
        p_success=float(reached.mean()),
        seeds=len(targets),
    )


def _minimum(crossings: Table, confidence: float, n_max: int) -> Minimum:
    def quantile(share: float) -> int | None:
        # The value below which a share of the replicates lies; no interpolation with infinity.
        value = float(np.quantile(crossings, share, method="inverted_cdf"))
        return None if math.isinf(value) else math.ceil(value - 1e-9)

    enough = quantile(confidence)
    high = quantile(0.95)
    return Minimum(
        enough is not None, enough, quantile(0.5), quantile(0.05), high, high is None, n_max
    )


def as_json(points: Sequence[Point], minimum: Minimum) -> dict[str, Any]:
    """`curve` and `minimum` of transfer.json; a number that is not one is null."""
    curve = [
        {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in asdict(p).items()}
        for p in points
    ]
    return {"curve": curve, "minimum": asdict(minimum)}
