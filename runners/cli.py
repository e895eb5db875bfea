"""The `curricle` command. Every verb takes a config and dotted overrides, and can be run again:
what is finished is not done twice.

A user's mistake or a foreseen fault (`difficulty/faults.py`) ends with one message and exit code 2
or 1; CURRICLE_TRACEBACK=1 shows where it arose.
Heavy libraries are imported by the verb that needs them, so `--help` answers at once.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from difficulty.faults import GO_ON, foreseen

if TYPE_CHECKING:
    from runners.config import RunConfig

_INTERRUPTED = 130
"""The exit code that typer makes of Ctrl-C."""
_TERMINATED = 143
"""The exit code of a command that was ended by SIGTERM, as Slurm and `kill` do."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Difficulty, curricula and transfer for reinforcement learning on LLM reasoning.\n\n"
    "Start with `curricle run configs/quickstart.yaml`.",
)

Config = Annotated[Path, typer.Argument(help="A YAML file, such as configs/quickstart.yaml")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Dotted overrides, such as trainer.steps=20")
]


@app.command("run")
def run_command(config: Config, overrides: Overrides = None) -> None:
    """Do the whole job: score, bucket, train through the curriculum, evaluate, report.

    Example: `curricle run configs/quickstart.yaml trainer.kind=verl`
    """
    from runners.run import run

    _say_page(run(_load(config, overrides)))


@app.command("score")
def score_command(
    config: Config,
    overrides: Overrides = None,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Judge stored completions by today's checkers only")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Say what is stored, and do nothing")
    ] = False,
) -> None:
    """Measure how often the model solves each problem. Several may run at once, and share the work.

    Example: `curricle score configs/quickstart.yaml difficulty.samples=16`
    """
    from runners.profiling.stored_scores import regrade_scores, show_status
    from runners.stages import score_only

    if regrade and status:
        raise ValueError("score takes --regrade or --status, but got both")
    (show_status if status else regrade_scores if regrade else score_only)(_load(config, overrides))


@app.command("export")
def export_command(config: Config, overrides: Overrides = None) -> None:
    """Write the buckets: parquet in verl's schema, JSON lines, a manifest with hashes.

    Example: `curricle export configs/quickstart.yaml buckets.kind=quantiles buckets.parts=3`
    """
    from runners.stages import export_only

    export_only(_load(config, overrides))


@app.command("prepare")
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

    prepare_and_show(_load(config, overrides), out, parse_sizes(sizes), bands, scored)


@app.command("plan")
def plan_command(
    config: Config,
    overrides: Overrides = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Train a learner model: expected learning curves")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of --simulate")] = 8,
    like: Annotated[
        Path | None, typer.Option(help="A trained run to fit the learner of --simulate to")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Write the rows in their planned order to this file")
    ] = None,
) -> None:
    """Draw what would be trained on, step by step, and the memory it needs, without training.

    Example: `curricle plan configs/quickstart.yaml --simulate curriculum.order=hard_to_easy`
    """
    from runners.console import console
    from runners.planning.plan import plan, plan_simulated

    loaded = _load(config, overrides)
    if (simulate or like) and parquet:
        raise ValueError("plan takes --simulate or --parquet, but got both")
    picture = plan_simulated(loaded, seeds, like) if simulate or like else plan(loaded, parquet)
    console.print(f"picture: {picture}", soft_wrap=True)


@app.command("eval")
def eval_command(
    config: Config,
    overrides: Overrides = None,
    model: Annotated[
        str | None, typer.Option(help="Another model to evaluate; the config's by default")
    ] = None,
) -> None:
    """Evaluate a model on the held-out problems: pass@k with intervals.

    Example: `curricle eval configs/quickstart.yaml --model runs/quickstart/training/model`
    """
    from runners.stages import evaluate_only

    evaluate_only(_load(config, overrides), model)


@app.command("transfer")
def transfer_command(config: Config, overrides: Overrides = None) -> None:
    """Search the least target-domain data that makes a skill carry over.

    Example: `curricle transfer configs/transfer/tiny.yaml transfer.gain=0.3`
    """
    from runners.transfer.search import search_transfer

    _say_page(search_transfer(_load(config, overrides)))


@app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(help="A run's or a search's folder")],
) -> None:
    """Make the page of a run or of a transfer search again.

    Example: `curricle report runs/quickstart`
    """
    from runners.report import write_run_report, write_transfer_report

    if not (folder / "config.json").is_file():
        raise ValueError(f"report needs a run's folder with a config.json in it, but got {folder}")
    is_search = (folder / "transfer.json").is_file()
    _say_page(write_transfer_report(folder) if is_search else write_run_report(folder))


@app.command("verify")
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


@app.command("check")
def check_command(config: Config, overrides: Overrides = None) -> None:
    """Validate a config and load its problems, without running anything.

    Example: `curricle check configs/quickstart.yaml trainer.steps=20`
    """
    from runners.stages import check_only

    check_only(_load(config, overrides))


@app.command("predict")
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


@app.command("irt")
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


@app.command("drift")
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


@app.command("inspect")
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

    inspect_and_show(_load(config, overrides), html, as_json, samples, gold_limit)


@app.command("watch")
def watch_command(
    folder: Annotated[Path, typer.Argument(help="A run's folder, as in runs/quickstart")],
    once: Annotated[bool, typer.Option("--once", help="Print what stands now, and end")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks")] = 2.0,
) -> None:
    """Watch a training: stage, reward by domain, pass rates, lengths, what is left; or a past one.

    Example: `curricle watch runs/quickstart`
    """
    from runners.tracking.watch import watch

    watch(folder, once, every)


@app.command("doctor")
def doctor_command() -> None:
    """Say what this machine has, what it can run, and what to install.

    Example: `curricle doctor`
    """
    from runners.doctor import doctor

    raise typer.Exit(0 if doctor() else 1)


def main() -> None:
    """Entry point: a user's mistake is one message and exit code 2, a foreseen fault 1 or 2."""
    terminated = _unwind_on_sigterm()
    try:
        app()
    except Exception as error:
        fault = foreseen(error)
        if os.environ.get("CURRICLE_TRACEBACK") or not (fault or isinstance(error, ValueError)):
            raise
        print(f"curricle: {fault or error}", file=sys.stderr)
        raise SystemExit(fault.exit_code if fault else 2) from None
    except SystemExit as end:
        if end.code != _INTERRUPTED:
            raise
        print(f"curricle: stopped; {GO_ON}", file=sys.stderr)
        raise SystemExit(_TERMINATED if terminated else _INTERRUPTED) from None


def _unwind_on_sigterm() -> list[int]:
    """Have SIGTERM end this process as Ctrl-C does, tidily; the list says whether it has come."""
    terminated: list[int] = []
    own = os.getpid()

    def unwind(number: int, _: object) -> None:
        if os.getpid() != own:  # a forked child has nothing of ours to tidy
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        terminated.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, unwind)
    return terminated


def _load(config: Path, overrides: Sequence[str] | None) -> RunConfig:
    """The config, named after its overrides too, so that variants get folders of their own."""
    from runners.config import load_config

    asked = list(overrides or ())
    loaded = load_config(config, asked)
    if any(override.startswith("name=") for override in asked):
        return loaded
    changes = [o for o in asked if not o.startswith("out=")]
    parts = [re.sub(r"[^A-Za-z0-9._]+", "-", change).strip("-") for change in changes]
    return loaded.model_copy(update={"name": "-".join([loaded.name, *parts])[:120]})


def _say_page(page: Path) -> None:
    from runners.console import console

    console.print(f"\nreport: [bold]{page.resolve()}[/bold]", soft_wrap=True)


if __name__ == "__main__":
    main()
