"""Verbs for a config: the whole job, and each part of it by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runners.commands.shared import Config, Overrides, app, load, say_page

PANEL = "From a config to a result"


@app.command("run", rich_help_panel=PANEL)
def run_command(config: Config, overrides: Overrides = None) -> None:
    """Do the whole job: score, bucket, train through the curriculum, evaluate, report.

    Example: `curricle run configs/quickstart.yaml trainer.kind=verl`
    """
    from runners.run import run

    say_page(run(load(config, overrides)))


@app.command("check", rich_help_panel=PANEL)
def check_command(config: Config, overrides: Overrides = None) -> None:
    """Validate a config and load its problems, without running anything.

    Example: `curricle check configs/quickstart.yaml trainer.steps=20`
    """
    from runners.stages import check_only

    check_only(load(config, overrides))


@app.command("score", rich_help_panel=PANEL)
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
    (show_status if status else regrade_scores if regrade else score_only)(load(config, overrides))


@app.command("export", rich_help_panel=PANEL)
def export_command(config: Config, overrides: Overrides = None) -> None:
    """Write the buckets: parquet in verl's schema, JSON lines, a manifest with hashes.

    Example: `curricle export configs/quickstart.yaml buckets.kind=quantiles buckets.parts=3`
    """
    from runners.stages import export_only

    export_only(load(config, overrides))


@app.command("plan", rich_help_panel=PANEL)
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

    loaded = load(config, overrides)
    if (simulate or like) and parquet:
        raise ValueError("plan takes --simulate or --parquet, but got both")
    picture = plan_simulated(loaded, seeds, like) if simulate or like else plan(loaded, parquet)
    console.print(f"picture: {picture}", soft_wrap=True)


@app.command("eval", rich_help_panel=PANEL)
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

    evaluate_only(load(config, overrides), model)


@app.command("transfer", rich_help_panel=PANEL)
def transfer_command(config: Config, overrides: Overrides = None) -> None:
    """Search the least target-domain data that makes a skill carry over.

    Example: `curricle transfer configs/transfer/tiny.yaml transfer.gain=0.3`
    """
    from runners.transfer.search import search_transfer

    say_page(search_transfer(load(config, overrides)))


@app.command("report", rich_help_panel=PANEL)
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
    say_page(write_transfer_report(folder) if is_search else write_run_report(folder))


@app.command("watch", rich_help_panel=PANEL)
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
