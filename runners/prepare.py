"""`curricle prepare`: a config's problems as parquet in verl's schema, without scoring anything.

The pool is streamed, so a million problems fit: what stays in memory is one uid for each and the
problems held out. The sets are the very ones that `curricle run` trains and evaluates on.

| file                    | holds                                                              |
|-------------------------|--------------------------------------------------------------------|
| `train.parquet`         | the pool less what evaluation keeps                                |
| `train_64.parquet` ...  | with sizes: nested subsets of it, the 64 inside the 100            |
| `test.parquet`          | what evaluation keeps, and the further evaluation sets             |
| `test_hard.parquet` ... | with bands: as many of each difficulty band, from measured rates   |
| `prepared.json`         | rows and hash of every file, and the config                        |
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from difficulty.export import sha256_of
from difficulty.prompts import Prompter
from difficulty.verl_parquet import (
    VerlWriter,
    read_column,
    verl_row,
    write_subsets,
    write_verl_parquet,
)
from domains.problem import Problem
from domains.splits import equal_bands, nested_sizes, place
from runners.config import RunConfig
from runners.console import console, print_table, progress_bar
from runners.files import read_json, write_json
from runners.problem_set import chosen, load_problems, unique
from runners.profiling.measured_rates import measured_rates

MANIFEST = "prepared.json"
_TOLD_EVERY = 1000


def prepare(
    config: RunConfig,
    out: Path,
    sizes: Sequence[int] = (),
    bands: int | None = None,
    scored: Path | None = None,
) -> dict[str, Any]:
    """Write the files and return the manifest. What an earlier call left in `out` is replaced.

    `bands` problems of each difficulty band need pass rates: those of `scored`, which is a run's
    folder, a store or JSON lines of {"uid", "correct", "n"}; by default the config's own run.
    Raises `ValueError` for sizes and bands that the sets cannot fill; nothing is changed then.
    """
    rates = None if bands is None else measured_rates(scored or _own_scores(config))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".prepare-") as beside:
        folder = Path(beside)
        train, test = folder / "train.parquet", folder / "test.parquet"
        _write_sets(config, train, test)
        if sizes:
            cut = nested_sizes(read_column(train, "extra_info.uid"), sizes)
            write_subsets(train, {folder / f"train_{n}.parquet": u for n, u in cut.items()})
        if rates is not None and bands is not None:
            kept = list(read_column(test, "extra_info.uid")) if test.is_file() else []
            by_name = equal_bands(kept, rates, bands)
            write_subsets(test, {folder / f"test_{n}.parquet": u for n, u in by_name.items()})
        manifest = _manifest(config, folder)
        for old in read_json(out / MANIFEST).get("files", ()):
            (out / old["file"]).unlink(missing_ok=True)
        for entry in manifest["files"]:
            (folder / entry["file"]).replace(out / entry["file"])
    write_json(out / MANIFEST, manifest)
    return manifest


def prepare_and_show(
    config: RunConfig, out: Path, sizes: Sequence[int], bands: int | None, scored: Path | None
) -> None:
    """`prepare`, and what was written as a table."""
    manifest = prepare(config, out, sizes, bands, scored)
    rows = [[entry["file"], entry["rows"], entry["sha256"][:12]] for entry in manifest["files"]]
    print_table(f"verl parquet in {out}", ["file", "rows", "sha256"], rows)
    console.print(
        f"in verl: data.train_files={out}/train.parquet data.prompt_key=prompt", soft_wrap=True
    )


def parse_sizes(text: str) -> list[int]:
    """`64,100,500` as numbers. Raises `ValueError` for anything else."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"--sizes must be whole numbers from 1, as in 64,100, but got {text!r}")
    return sorted({int(part) for part in parts})


def _own_scores(config: RunConfig) -> Path:
    return config.difficulty.store or config.out / config.name


def _write_sets(config: RunConfig, train: Path, test: Path) -> None:
    """Both whole sets. A test set without problems is not written."""
    settings = config.evaluation
    further = list(unique(p for source in settings.problems for p in source.stream()))
    kept_out = {problem.uid for problem in further}
    # Examples are chosen from the whole of the training set, so they need it in memory.
    prompter = load_problems(config).prompter if config.prompt.shots else None
    examples = prompter.examples if prompter else {}
    prompter = prompter or Prompter(config.prompt, {})
    shown = {problem.uid for problems in examples.values() for problem in problems}
    held_out: list[Problem] = []
    pool = unique(problem for source in config.problems for problem in source.stream())
    with VerlWriter(train) as writer, progress_bar("writing train.parquet") as progress:
        for number, problem in enumerate(pool, start=1):
            if number % _TOLD_EVERY == 0:
                progress(number, 0)
            if problem.uid in kept_out:
                continue
            if place(problem.uid) < settings.holdout:
                held_out.append(problem)
            elif problem.uid not in shown:
                writer.write(verl_row(problem, writer.rows, prompter, {"split": "train"}))
    if not writer.rows:
        raise ValueError("problems must leave at least one to train on, but none is left")
    evaluation = [*chosen(held_out, settings), *further]
    if evaluation:
        write_verl_parquet(test, _test_rows(evaluation, prompter))


def _test_rows(problems: Iterable[Problem], prompter: Prompter) -> Iterable[dict[str, Any]]:
    return (verl_row(p, i, prompter, {"split": "test"}) for i, p in enumerate(problems))


def _manifest(config: RunConfig, folder: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    files = [
        {
            "file": path.name,
            "rows": pq.ParquetFile(path).metadata.num_rows,
            "sha256": sha256_of(path),
        }
        for path in sorted(folder.glob("*.parquet"), key=_by_set_and_size)
    ]
    return {"made_from": config.model_dump(mode="json"), "files": files}


def _by_set_and_size(path: Path) -> tuple[str, int, str]:
    """train, train_64, train_100, ..., test: sizes as numbers, not as text."""
    name, _, part = path.stem.partition("_")
    return (name != "train") * "z" + name, int(part) if part.isdecimal() else 0, part
