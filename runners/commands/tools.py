"""Verbs for data and files: problems, verdicts, pass rates, and this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runners.commands.shared import Config, Overrides, app, load

PANEL = "Problems, verdicts and pass rates"


@app.command("inspect", rich_help_panel=PANEL)
def inspect_command(
    config: Config,
    overrides: Overrides = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file too")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables")] = False,
    samples: Annotated[int, typer.Option(min=0, help="Problems of each source to show")] = 3,
    gold_limit: Annotated[
        int | None, typer.Option(min=1, help="Gold answers of each source to check; all by default")
    ] = None,
) -> None:
    """Show what the problems look like: counts, lengths, samples, faults, repeats, overlaps.

    Example: `curricle inspect configs/domains.yaml --html problems.html`
    """
    from runners.inspection.show import inspect_and_show

    inspect_and_show(load(config, overrides), html, as_json, samples, gold_limit)


@app.command("prepare", rich_help_panel=PANEL)
def prepare_command(
    config: Config,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder for the files")] = Path("prepared"),
    sizes: Annotated[
        str, typer.Option(help="Nested training sets too, such as 64,100,500,1000,2000")
    ] = "",
    bands: Annotated[
        int | None,
        typer.Option(min=1, help="Evaluation sets too: so many never, hard, medium and easy ones"),
    ] = None,
    scored: Annotated[
        Path | None, typer.Option(help="Run or JSON lines with rates for --bands; the config's own")
    ] = None,
) -> None:
    """Write the problems as parquet in verl's schema, streamed, without scoring anything.

    Example: `curricle prepare configs/own_data.yaml --out data --sizes 64,100,500`
    """
    from runners.prepare import parse_sizes, prepare_and_show

    prepare_and_show(load(config, overrides), out, parse_sizes(sizes), bands, scored)


@app.command("verify", rich_help_panel=PANEL)
def verify_command(
    file: Annotated[Path, typer.Argument(help="JSON lines: prompt, answer, completion")],
    domain: Annotated[
        str, typer.Option(help="math, code, logic, stem, choice, graph, or any preset")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where verdicts go; standard output by default")
    ] = None,
) -> None:
    """Judge completions that are already there: one verdict a row, and a summary.

    Rows may also have id, options, finish_reason and metadata. For code, the answer is
    {"functional": asserts} or {"inputs": [...], "outputs": [...]}.

    Example: `curricle verify completions.jsonl --domain math --out verdicts.jsonl`
    """
    from runners.verify import verify

    verify(file, domain, out)


@app.command("predict", rich_help_panel=PANEL)
def predict_command(
    train: Annotated[Path, typer.Option(help="JSON lines: prompt, labels, correct, n (answer)")],
    apply: Annotated[Path, typer.Option(help="JSON lines: prompt, labels (answer, correct, n)")],
    out: Annotated[Path | None, typer.Option(help="File for the rows; else the terminal")] = None,
    card: Annotated[Path | None, typer.Option(help="JSON file for every figure")] = None,
    level: Annotated[float, typer.Option(help="Coverage of the intervals")] = 0.9,
) -> None:
    """Predict pass rates of unscored problems from text and labels, learning from scored ones.

    Example: `curricle predict --train scored.jsonl --apply all.jsonl --out rates.jsonl`
    """
    from runners.profiling.predict import predict

    predict(train, apply, out, card, level)


@app.command("irt", rich_help_panel=PANEL)
def irt_command(
    files: Annotated[list[Path], typer.Argument(help="JSON lines: id, model, correct, n")],
    kind: Annotated[str, typer.Option(help="2pl, or 1pl: all problems discriminate alike")] = "2pl",
    out: Annotated[Path | None, typer.Option(help="File for the problems' labels")] = None,
) -> None:
    """Put models and problems on one scale: ability, difficulty, discrimination.

    Example: `curricle irt weak.jsonl strong.jsonl --out labels.jsonl`
    """
    from runners.profiling.irt import fit_files

    fit_files(files, kind, out)


@app.command("drift", rich_help_panel=PANEL)
def drift_command(
    before: Annotated[Path, typer.Argument(help="A run's folder, its scores, or JSON lines")],
    after: Annotated[Path, typer.Argument(help="The same problems, scored again")],
    rate: Annotated[float, typer.Option(help="Accepted share of false alarms")] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON")] = False,
) -> None:
    """Compare two scorings of the same problems: who moved, and by how much.

    Example: `curricle drift runs/base runs/checkpoint-200`
    """
    from runners.profiling.drift import compare_files

    compare_files(before, after, rate, as_json)


@app.command("doctor", rich_help_panel=PANEL)
def doctor_command() -> None:
    """Say what this machine has, what it can run, and what to install.

    Example: `curricle doctor`
    """
    from runners.doctor import doctor

    raise typer.Exit(0 if doctor() else 1)
