"""The tables of a run's page: what stands in which cell, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runners.evaluation.summary import (
    Estimate,
    EvaluationRow,
    GroupBy,
    Summary,
    grouped,
    paired_difference,
    summarise,
)
from runners.report.inputs import Run
from runners.report.run_plots import NO_BUCKET, stages
from runners.report.wording import (
    MISSING,
    count,
    duration,
    flops,
    interval,
    rate,
    signed,
    signed_interval,
)

STATUS_COLUMNS = ("correct", "wrong", "no_answer", "truncated")


PARTS = {"score": "scoring", "evaluate": "evaluation", "train": "training"}
"""Names of the timed parts, as the computation's ledger has them."""


@dataclass(frozen=True)
class Cell:
    """One cell; everything in it is escaped when the page is rendered."""

    text: str
    small: str = ""
    """A second, quieter line."""
    tone: str = ""
    """up, down or flat for a difference whose interval leaves out 0, or holds it."""
    href: str = ""
    """A relative link."""
    bar: tuple[tuple[str, float], ...] = ()
    """Parts of a bar: CSS class and share in [0, 1]."""


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    names: int = 1
    """How many of the first columns are names; the others are numbers."""


def table(head: Sequence[str], rows: Iterable[Sequence[Cell | str]], names: int = 1) -> Table:
    """A table from cells, or plain strings in their place."""
    cells = (tuple(Cell(c) if isinstance(c, str) else c for c in row) for row in rows)
    return Table(tuple(head), tuple(cells), names)


def estimate_cell(estimate: Estimate) -> Cell:
    return Cell(rate(estimate.mean), interval(estimate))


def difference_cell(estimate: Estimate) -> Cell:
    """A difference, toned by whether its interval leaves out 0."""
    tone = "up" if estimate.low > 0 else "down" if estimate.high < 0 else "flat"
    return Cell(signed(estimate.mean), signed_interval(estimate), tone)


def data_table(run: Run) -> Table:
    """How many problems each source gives to training and to evaluation."""
    pool = Counter((row.domain, row.source) for row in run.pool)
    evaluated = {(row.domain, row.source, row.uid) for row in run.evaluations}
    held_out = Counter((domain, source) for domain, source, _ in evaluated)
    rows = [
        (*key, count(pool[key]), count(held_out[key]))
        for key in sorted(pool.keys() | held_out.keys())
    ]
    if len(rows) > 1:
        rows.append(("all", "", count(pool.total()), count(held_out.total())))
    return table(("domain", "source", "training pool", "evaluation"), rows, names=2)


def bucket_table(run: Run) -> Table:
    """Each bucket's problems, their pass rates and domains, and the exported files."""
    several = len({row.domain for row in run.pool}) > 1
    domains = sorted({row.domain for row in run.pool}) if several else []
    rows: list[list[Cell | str]] = []
    for bucket in run.buckets:
        members = [row for row in run.pool if row.bucket == bucket]
        rates = [row.pass_rate for row in members if row.pass_rate is not None]
        by_domain = Counter(row.domain for row in members)
        path = f"buckets/{bucket}.jsonl"
        safe = "/" not in bucket and (run.folder / path).exists()
        rows.append([
            Cell(bucket, href=path if safe else ""),
            count(len(members)),
            rate(sum(rates) / len(rates)) if rates else MISSING,
            f"{rate(min(rates))} to {rate(max(rates))}" if rates else MISSING,
            *(count(by_domain[domain]) for domain in domains),
        ])  # fmt: skip
    return table(("bucket", "problems", "mean pass rate", "from – to", *domains), rows)


def stage_table(run: Run) -> Table:
    """What each stage trained on."""
    rows: list[tuple[str, ...]] = []
    for stage, first, last in stages(run):
        uids = [u for row in run.curriculum if first <= row.step <= last for u in row.uids]
        steps = f"{first} to {last}" if last > first else str(first)
        rows.append((stage, steps, count(len(uids)), count(len(set(uids)))))
    return table(("stage", "steps", "prompts", "different problems"), rows)


def columns_of_k(rows: Sequence[EvaluationRow]) -> list[int]:
    """1, the largest power of two for which nine problems in ten have completions, one between.

    Not all ten: the checker's failure on one problem must not take a column from all.
    """
    sizes = sorted(row.n for row in rows)
    most = max(1, sizes[len(sizes) // 10]) if sizes else 1
    powers = [2**i for i in range(most.bit_length())]
    return sorted({1, powers[len(powers) // 2], powers[-1]})


def asked_k(run: Run) -> list[int]:
    """The k of the settings, or what the rows have completions for; 1 always."""
    evaluation = run.provenance.config.get("evaluation")
    asked = evaluation.get("k") if isinstance(evaluation, Mapping) else None
    return sorted({1, *asked}) if asked else columns_of_k(run.evaluations)


def before_after_table(run: Run, by: GroupBy, order: Sequence[str], seed: int) -> Table:
    """pass@1 before and after with the paired difference, then the change of pass@k."""
    before, after = grouped(run.phase("before"), (by,)), grouped(run.phase("after"), (by,))
    ks = asked_k(run)
    head = [by, "problems", "pass@1 before", "after", "difference", *(f"pass@{k}" for k in ks[1:])]
    rows: list[list[Cell | str]] = []
    for group in sorted(before.keys() & after.keys(), key=lambda g: rank(g[0], order)):
        first, second = before[group], after[group]
        rows.append([
            str(group[0] or NO_BUCKET),
            count(len(first)),
            estimate_cell(summarise(first, 1, (), seed)[0].pass_at_k),
            estimate_cell(summarise(second, 1, (), seed)[0].pass_at_k),
            difference_cell(paired_difference(first, second, 1, seed)),
            *(change_cell(first, second, k, seed) for k in ks[1:]),
        ])  # fmt: skip
    return table(head, rows)


def change_cell(
    before: Sequence[EvaluationRow], after: Sequence[EvaluationRow], k: int, seed: int
) -> Cell:
    """pass@k before and after, with the interval of the paired difference and its n."""
    first = summarise(before, k, (), seed)[0].pass_at_k
    second = summarise(after, k, (), seed)[0].pass_at_k
    difference = paired_difference(before, after, k, seed)
    small = f"{signed_interval(difference)}, n = {difference.n_problems}"
    return Cell(
        f"{rate(first.mean)} → {rate(second.mean)}", small, difference_cell(difference).tone
    )


def cross_table(run: Run, seed: int) -> Table:
    """Domain by bucket: pass@1 before and after, toned by the paired difference."""
    before = grouped(run.phase("before"), ("domain", "bucket"))
    after = grouped(run.phase("after"), ("domain", "bucket"))
    shared = before.keys() & after.keys()
    buckets = sorted({bucket for _, bucket in shared}, key=lambda b: rank(b, run.buckets))
    rows: list[list[Cell | str]] = []
    for domain in sorted({str(domain) for domain, _ in shared}):
        cells: list[Cell | str] = [domain]
        for bucket in buckets:
            key = (domain, bucket)
            cells.append(
                change_cell(before[key], after[key], 1, seed) if key in shared else MISSING
            )
        rows.append(cells)
    return table(("domain", *(str(bucket or NO_BUCKET) for bucket in buckets)), rows)


def rank(name: Any, order: Sequence[str]) -> tuple[int, str]:
    """Place in a known order; unknown names after it, none at all last."""
    if name is None:
        return (len(order) + 1, "")
    return (order.index(name) if name in order else len(order), str(name))


def verdict_table(groups: Sequence[tuple[str, Sequence[EvaluationRow]]]) -> Table:
    """How completions were judged, for each (when, rows) and domain; five things, never merged."""
    rows: list[list[Cell | str]] = []
    for when, members in groups:
        for summary in sorted(summarise(members, 1, ("domain",)), key=lambda s: str(s.group)):
            rows.append([when, str(summary.group[0]), *_verdict_cells(summary)])
    head = ("when", "domain", "", "judged", "correct", "wrong", "no answer", "truncated")
    return table((*head, "verifier failed"), rows, names=2)


def _verdict_cells(summary: Summary) -> list[Cell | str]:
    numbers = [getattr(summary, status) for status in STATUS_COLUMNS]
    judged = max(1, summary.n_samples)
    bar = tuple((s, n / judged) for s, n in zip(STATUS_COLUMNS, numbers, strict=True))
    return [
        Cell("", bar=bar),
        count(summary.n_samples),
        *(Cell(count(n), f"{n / judged:.0%}") for n in numbers),
        Cell(count(summary.verifier_errors), tone="down" if summary.verifier_errors else ""),
    ]


def ledger(summary: Mapping[str, Any]) -> Table:
    """Time and computation of each part of the run, and of all of it."""
    seconds = {PARTS.get(part, part): v for part, v in _numbers(summary.get("seconds")).items()}
    computed = {PARTS.get(part, part): v for part, v in _numbers(summary.get("flops")).items()}
    whole = seconds.pop("total", sum(seconds.values()))
    operations = computed.pop("total", sum(computed.values()))
    rows: list[list[Cell | str]] = [
        [
            part,
            Cell("", bar=(("time", seconds.get(part, 0.0) / (whole or 1.0)),)),
            duration(seconds.get(part)),
            flops(computed.get(part)),
        ]
        for part in dict.fromkeys([*seconds, *computed])
    ]
    if rows:
        rows.append(["total", "", duration(whole), flops(operations) if computed else MISSING])
    return table(("part", "share of time", "time", "computation"), rows)


def _numbers(values: Any, prefix: str = "") -> dict[str, float]:
    """The numbers of a possibly nested mapping, under names such as `train / rollout`."""
    found: dict[str, float] = {}
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if isinstance(value, Mapping):
            found |= _numbers(value, f"{prefix}{key} / ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{prefix}{key}"] = float(value)
    return found


def facts(values: Mapping[str, Any]) -> Table:
    """Names and values, as they are."""
    rows = [(str(key), _flat(value)) for key, value in values.items() if value not in (None, "")]
    return table(("", ""), rows, names=2)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_flat(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_flat(inner) for inner in value)
    return str(value)
