"""`curricle irt`: several models' counts on the same problems, put on one scale.

Each row of the files is one model on one problem: {"id" (or "uid"), "model", "correct", "n"}. A row
without a model belongs to the model that its file is named after. Or it is one problem with a
column of rates for each model, such as Guru's `qwen2.5_7b_pass_rate` and `qwen3_30b_pass_rate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from difficulty.prediction.irt import IrtFit, Kind, counts_from_rates, fit_irt
from difficulty.store.counted_rows import counts_of, least_n, read_rows
from runners.console import console, error_console, print_table
from runners.files import write_lines

_RATE = "_pass_rate"
"""How the columns end that hold one model's rates; what stands before is the model."""


def fit_files(files: Sequence[Path], kind: str, out: Path | None) -> IrtFit:
    """Fit the rows of all files together; print the models, write the problems' labels."""
    known: dict[str, Kind] = {name: name for name in get_args(Kind)}
    if kind not in known:
        raise ValueError(f"kind must be one of {list(known)}, but got kind={kind!r}")
    cells = _cells(files)
    models = sorted({model for model, _ in cells})
    uids = list(dict.fromkeys(uid for _, uid in cells))
    row, column = ({name: i for i, name in enumerate(names)} for names in (uids, models))
    correct, n = np.zeros((2, len(uids), len(models)))
    for (model, uid), (solved, tried) in cells.items():
        correct[row[uid], column[model]] = solved
        n[row[uid], column[model]] = tried
    fit = fit_irt(models, uids, correct, n, known[kind])
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_lines(out, ({"id": uid, "labels": own} for uid, own in fit.labels().items()))
    _say(fit, n, out)
    return fit


def _cells(files: Sequence[Path]) -> dict[tuple[str, str], tuple[float, float]]:
    """Counts of every (model, problem); several rows of one are added up."""
    cells: dict[tuple[str, str], tuple[float, float]] = {}
    for path in files:
        rows = read_rows(path)
        names = [_name(f"{path} line {number}", row) for number, row in rows]
        found = [
            (str(row.get("model", path.stem)), name, count.correct, count.n)
            for name, (_, row), count in zip(names, rows, counts_of(path, rows), strict=True)
        ]
        found += _from_columns(path, names, [row for _, row in rows])
        for model, name, correct, n in found:
            if n and correct is not None:
                solved, tried = cells.get((model, name), (0.0, 0.0))
                cells[model, name] = (solved + correct, tried + n)
    return cells


def _from_columns(
    path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, float | None, float | None]]:
    """(model, problem, correct, n) from columns of rates."""
    columns = sorted({key for row in rows for key in row if key.endswith(_RATE)} - {_RATE})
    found: list[tuple[str, str, float | None, float | None]] = []
    for column in columns:
        rates = [row.get(column) for row in rows]
        for name, rate in zip(names, rates, strict=True):
            if rate is not None and not (isinstance(rate, int | float) and 0 <= rate <= 1):
                raise ValueError(
                    f"{path}: {column} must be from 0 to 1, but got {rate!r} for {name}"
                )
        n = least_n([rate for rate in rates if rate is not None])
        (model,), correct, tried = counts_from_rates({column.removesuffix(_RATE): rates}, n)
        zeros = sum(rate == 0 for rate in rates)
        if zeros:
            error_console.print(
                f"{path}: {zeros} of {len(rates)} rates of {model} are 0, which some tools write "
                "for problems that were not measured; if so, leave them out",
                soft_wrap=True,
            )
        found += [
            (model, name, float(correct[i, 0]), float(tried[i, 0])) for i, name in enumerate(names)
        ]
    return found


def _name(place: str, row: Mapping[str, Any]) -> str:
    name = row.get("id", row.get("uid"))
    if name is None:
        raise ValueError(
            f"{place}: id must say which problem it is, but got the keys {sorted(row)}"
        )
    return str(name)


def _say(fit: IrtFit, n: np.ndarray, out: Path | None) -> None:
    rows = []
    for i, model in enumerate(fit.models):
        value, low, high = fit.ability_interval(model)
        rows.append(
            [model, f"{value:+.2f} [{low:+.2f}, {high:+.2f}]", int((n[:, i] > 0).sum()),
             int(fit.completions[i])]
        )  # fmt: skip
    rows.sort(key=lambda row: -fit.ability[fit.models.index(row[0])])
    print_table(
        f"{fit.kind}: {len(fit.labels())} problems, difficulty 0 is their mean, "
        f"standard deviation {fit.spread:.2f}",
        ["model", "ability [95%]", "problems", "completions"],
        rows,
    )
    console.print(f"log likelihood {fit.log_likelihood:.1f}", highlight=False)
    if out:
        console.print(f"labels: {out}", soft_wrap=True, highlight=False)
