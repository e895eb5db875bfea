"""What benchmarks/curricula_real.py found, over the seeds: table, figure and rank correlation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from against_mixed import interval, ratio_interval
from numpy.typing import NDArray

Rows = Mapping[int, Sequence[Mapping[str, Any]]]
"""By seed: the lines of its results."""
Family = dict[str, Any]
RESAMPLES = 2_000


def summarise(rows: Rows, names: Sequence[str]) -> dict[str, Family]:
    """Each curriculum over the seeds that have it, real and simulated; those without are left out.

    The simulated value of a seed is the mean over its draws (of logarithms, for ratios). One seed
    has no interval: its ends are None.
    """
    families: dict[str, Family] = {}
    for name in names:
        real, simulated = (found(rows, name, where) for where in ("real", "simulated"))
        if real:
            families[name] = {
                **_summary(list(real.values())),
                "profile": round(fmean(row["profile"] for row in real.values()), 3),
                "simulated": _summary([_mean(row) for row in simulated.values()]),
            }
    return families


def found(rows: Rows, name: str, where: str) -> dict[int, Mapping[str, Any]]:
    """A curriculum's lines by seed."""
    return {
        seed: line
        for seed, lines in rows.items()
        for line in lines
        if (line["family"], line["where"]) == (name, where)
    }


def beside(rows: Rows, name: str, peer: str) -> list[float | None] | None:
    """[ratio, low, high]: FLOPs of a curriculum over those of another to the same level, paired;
    None where no seed has both."""
    own, others = found(rows, name, "real"), found(rows, peer, "real")
    ratios = [own[seed]["ratio"] / others[seed]["ratio"] for seed in own if seed in others]
    return _ends(ratio_interval(ratios), len(ratios), 3) if ratios else None


def _mean(row: Mapping[str, Any]) -> dict[str, Any]:
    """One seed's simulated draws as one result."""
    shares = {key: ratio_interval(row[key])[0] for key in ("ratio", "free", "skipping")}
    return {**shares, "reached": all(row["reached"]), "difference": fmean(row["difference"])}


def _summary(results: Sequence[Mapping[str, Any]]) -> Family:
    if not results:
        return {"n": 0}
    ratio = _ends(ratio_interval([r["ratio"] for r in results]), len(results), 3)
    return {
        **dict(zip(("ratio", "low", "high"), ratio, strict=True)),
        "without_profiling": round(ratio_interval([r["free"] for r in results])[0], 3),
        "skipping": round(ratio_interval([r["skipping"] for r in results])[0], 3),
        "reached": sum(r["reached"] for r in results),
        "difference": _ends(interval([r["difference"] for r in results]), len(results), 4),
        "n": len(results),
    }


def _ends(estimate: tuple[float, float, float], n: int, digits: int) -> list[float | None]:
    rounded = [round(value, digits) for value in estimate] if n > 1 else []
    return [*rounded] or [round(estimate[0], digits), None, None]


def ranking(rows: Rows, names: Sequence[str]) -> dict[str, Any]:
    """Spearman's correlation of the curricula, simulated against real, by ratio and by level.

    Intervals are 95% percentiles of a bootstrap over seeds and curricula at once. `split_half`: the
    same between the real means of two halves of the seeds, over random halves: about what a perfect
    simulator would reach on half of the seeds.
    """
    seeds = [
        s for s in rows if all(s in found(rows, n, w) for n in names for w in ("real", "simulated"))
    ]
    if not seeds:
        return {"spearman_simulator": None, "spearman_level": None, "split_half": None}
    ratios, differences = (
        tuple(_matrix(rows, names, seeds, where, key) for where in ("real", "simulated"))
        for key in ("ratio", "difference")
    )
    return {
        "spearman_simulator": _with_interval(*ratios),
        "spearman_level": _with_interval(*differences),
        "split_half": {"ratio": split_half(ratios[0]), "level": split_half(differences[0])},
    }


def _matrix(
    rows: Rows, names: Sequence[str], seeds: Sequence[int], where: str, key: str
) -> NDArray[np.float64]:
    """(seeds, curricula); ratios as logarithms."""
    values = np.empty((len(seeds), len(names)))
    for j, name in enumerate(names):
        lines = found(rows, name, where)
        for i, seed in enumerate(seeds):
            line = lines[seed] if where == "real" else _mean(lines[seed])
            values[i, j] = log(line[key]) if key == "ratio" else line[key]
    return values


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Of two rankings, ties at their mean rank; NaN where one has no order."""
    from scipy.stats import rankdata

    a, b = rankdata(first), rankdata(second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _with_interval(
    real: NDArray[np.float64], simulated: NDArray[np.float64]
) -> dict[str, float | None]:
    rng = np.random.default_rng(0)
    seeds, names = real.shape
    draws: list[float] = []
    for _ in range(RESAMPLES):
        i, j = rng.integers(seeds, size=seeds), rng.integers(names, size=names)
        draws.append(spearman(real[i][:, j].mean(0), simulated[i][:, j].mean(0)))
    value = spearman(real.mean(0), simulated.mean(0))
    low, high = (float(np.nanquantile(draws, q)) for q in (0.025, 0.975))
    told = {"value": value, "low": low, "high": high}
    return {key: None if np.isnan(v) else round(v, 3) for key, v in told.items()}


def split_half(real: NDArray[np.float64]) -> float | None:
    """Mean correlation between the curricula's means over two random halves of the seeds."""
    rng = np.random.default_rng(0)
    half = len(real) // 2
    if half == 0:
        return None
    draws: list[float] = []
    for _ in range(RESAMPLES // 4):
        order = rng.permutation(len(real))
        draws.append(spearman(real[order[:half]].mean(0), real[order[half : 2 * half]].mean(0)))
    return round(float(np.nanmean(draws)), 3)


def print_table(families: Mapping[str, Family]) -> None:
    """Markdown, cheapest first; `>` where some seeds did not reach the target."""
    print("| curriculum | FLOPs to mixed's level, of mixed's | without profiling | "
          "flat groups free | reached | level at mixed's FLOPs, less mixed's | simulated ratio | "
          "simulated level |")  # fmt: skip
    print("|" + " --- |" * 8)
    for name in sorted(families, key=lambda name: families[name]["ratio"]):
        row = families[name]
        cells = [
            name, _ratio(row), f"{row['without_profiling']:.2f}", f"{row['skipping']:.2f}",
            f"{row['reached']}/{row['n']}", _level(row), _ratio(row["simulated"]),
            _level(row["simulated"]),
        ]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


def _ratio(row: Family) -> str:
    if not row["n"]:
        return ""
    beyond = ">" if row["reached"] < row["n"] else ""
    return f"{beyond}{row['ratio']:.2f}{_interval(row['low'], row['high'], '.2f')}"


def _level(row: Family) -> str:
    if not row["n"]:
        return ""
    mean, low, high = row["difference"]
    return f"{mean:+.3f}{_interval(low, high, '+.3f')}"


def _interval(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None else f" [{low:{form}}, {high:{form}}]"


def draw(families: Mapping[str, Family], path: Path) -> None:
    """A line a curriculum: its real ratio and the simulated one, with their intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    names = sorted(families, key=lambda name: -families[name]["ratio"])
    figure, axes = plt.subplots(figsize=(7, 0.28 * len(names) + 1.2), layout="constrained")
    styles = (("simulated", "#3d7f63", "D", 3, 0.16), ("real training", "#2f5d8c", "o", 5, -0.08))
    for label, colour, marker, size, shift in styles:
        rows = [families[n] if label != "simulated" else families[n]["simulated"] for n in names]
        placed = [(row, y + shift) for y, row in enumerate(rows) if row["n"]]
        axes.plot([row["ratio"] for row, _ in placed], [y for _, y in placed], marker,
                  color=colour, markersize=size, label=label)  # fmt: skip
        for row, y in placed:
            if row["low"] is not None:
                axes.hlines(y, row["low"], row["high"], color=colour, linewidth=1.2)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.axvline(1 / 1.5, color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    ticks = [0.5, 1 / 1.5, 0.8, 1, 1.25, 1.5]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.set_xticklabels([f"{tick:.3g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(names)), names, fontsize=9)
    most = max(row["n"] for row in families.values())
    axes.set_xlabel(f"FLOPs to mixed's final level, as a share of mixed's ({most} seeds, 95%)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
