"""`curricle predict`: pass rates of unscored problems, learnt from scored ones.

Rows in, rows out; what was measured of the `--apply` rows is looked at only afterwards, to say how
good the predictions are. Without such measurements the predictor's own card says it, from
predictions for training problems by models that had not seen them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from difficulty.buckets import Bucket, Edges
from difficulty.prediction.card import measure
from difficulty.prediction.predictor import FEWEST, Example, Prediction, Predictor
from runners.console import console, error_console, print_table
from runners.files import write_json, write_lines
from runners.profiling.counted_rows import read_examples

_FIGURES = {
    "r2": "R2",
    "spearman": "Spearman",
    "ece": "calibration error (ECE)",
    "mean_absolute_error": "mean absolute error",
    "coverage": "coverage of the interval",
    "right_bucket": "in the right bucket",
    "within_one_bucket": "at most one bucket off",
}


def predict(
    train: Path, apply: Path, out: Path | None = None, card: Path | None = None, level: float = 0.9
) -> None:
    """Learn from the rows of `train` that have counts; predict every row of `apply`.

    Rows go to `out`, or to standard output (the summary then goes to standard error). `card` is a
    JSON file with every figure, its n and its interval.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, but got level={level:g}")
    taught = [example for _, example in read_examples(train)]
    asked = read_examples(apply)
    with error_console.status(f"learning from {len(taught)} problems"):
        try:
            predictor = Predictor().fit(taught)
        except ValueError as error:
            raise ValueError(f"{train}: {error}") from None
        examples = [example for _, example in asked]
        found = predictor.predict(examples, level)
        buckets = Edges().buckets
        own = predictor.card(level, buckets)
        on_apply = _measured(found, examples, buckets, level)
    rows = prediction_rows((name for name, _ in asked), found, buckets)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_lines(out, rows)
    else:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    figures = {
        "train": {"file": str(train), "problems": len(taught), "scored": own["n"]},
        "apply": {
            "file": str(apply),
            "problems": len(asked),
            "measured": on_apply["n"] if on_apply else 0,
            "also_in_train": _shared(taught, examples),
            "right_bucket_expected": round(1 - float(found.doubt(buckets).mean()), 4),
        },
        "on_train": own,
        "on_apply": on_apply,
    }
    if card:
        card.parent.mkdir(parents=True, exist_ok=True)
        write_json(card, figures)
    _say(figures, out)


def prediction_rows(
    names: Iterable[str], found: Prediction, buckets: Sequence[Bucket]
) -> Iterator[dict[str, Any]]:
    """One row for each problem: rate, interval, concentration, bucket, chances, doubt."""
    chances = found.bucket_chances(buckets)
    doubt = found.doubt(buckets)
    for i, name in enumerate(names):
        yield {
            "id": name,
            "pass_rate": float(found.mean[i]),
            "low": float(found.low[i]),
            "high": float(found.high[i]),
            "interval_n": int(found.n[i]),
            "concentration": round(float(found.concentration[i]), 4),
            "bucket": buckets[int(chances[i].argmax())].name,
            "buckets": {b.name: round(float(chances[i, j]), 4) for j, b in enumerate(buckets)},
            "doubt": round(float(doubt[i]), 4),
        }


def _measured(
    found: Prediction, examples: Sequence[Example], buckets: Sequence[Bucket], level: float
) -> dict[str, Any] | None:
    """The figures on the rows that have counts of their own; None where none has."""
    rows = np.array([i for i, e in enumerate(examples) if e.n and e.correct is not None], dtype=int)
    if not len(rows):
        return None
    correct = np.array([examples[i].correct for i in rows], dtype=float)
    n = np.array([examples[i].n for i in rows], dtype=float)
    part = Prediction(
        *(a[rows] for a in (found.mean, found.concentration, found.low, found.high, found.n))
    )
    return measure(part, correct, n, buckets, level)


def _shared(taught: Sequence[Example], examples: Sequence[Example]) -> int:
    """Problems of `examples` whose very text was learnt from: their figures flatter."""
    texts = {" ".join(example.text.split()) for example in taught if example.n}
    return sum(" ".join(example.text.split()) in texts for example in examples)


def _say(figures: Mapping[str, Any], out: Path | None) -> None:
    terminal = console if out else error_console
    train, apply = figures["train"], figures["apply"]
    columns = [("train, unseen", figures["on_train"])]
    if figures["on_apply"]:
        columns.append(("apply", figures["on_apply"]))
    print_table(
        f"learnt from {train['scored']} scored problems, predicted {apply['problems']}",
        ["", *(f"{name}, n = {found['n']}" for name, found in columns)],
        [
            [label, *(_shown(found[name]) for _, found in columns)]
            for name, label in _FIGURES.items()
        ],
        to=terminal,
    )
    lines = [
        "each with its 95% interval, against measured rates, their binomial noise included",
        f"bucketed unscored, {apply['right_bucket_expected']:.0%} of these problems are expected "
        "in the right bucket; score the ones with the highest `doubt` first",
    ]
    if train["scored"] < FEWEST:
        lines.append(f"fewer than {FEWEST} scored problems: only their mean rate was learnt")
    if apply["also_in_train"]:
        lines.append(f"{apply['also_in_train']} of them stand in the training file too")
    if out:
        lines.append(f"predictions: {out}")
    for line in lines:
        terminal.print(line, soft_wrap=True, highlight=False)


def _shown(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "not defined"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
