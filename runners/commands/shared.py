"""What all verbs share: the application, a config and its overrides, the line that names a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runners.config import RunConfig

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


def load(config: Path, overrides: Sequence[str] | None) -> RunConfig:
    """The config, named after its overrides too, so that variants get folders of their own."""
    from runners.config import load_config

    asked = list(overrides or ())
    loaded = load_config(config, asked)
    if any(override.startswith("name=") for override in asked):
        return loaded
    changes = [o for o in asked if not o.startswith("out=")]
    parts = [re.sub(r"[^A-Za-z0-9._]+", "-", change).strip("-") for change in changes]
    return loaded.model_copy(update={"name": "-".join([loaded.name, *parts])[:120]})


def say_page(page: Path) -> None:
    from runners.console import console

    console.print(f"\nreport: [bold]{page.resolve()}[/bold]", soft_wrap=True)
