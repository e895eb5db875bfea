"""Where a run's figures go besides the JSON lines: Weights & Biases, TensorBoard, trackio.

One `tracking:` block serves every trainer. The local and the simulated one write through the
trackers here, verl through its own logger, to the same places and under the same names; what
curricle counts stands under `curricle/`, beside what verl counts itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

from pydantic import Field, model_validator

from domains.base import Settings


class RolloutSettings(Settings):
    """What `rollouts.jsonl` keeps of the single completions; about 250 bytes each."""

    every: int = Field(1, ge=0)
    """Steps between those that are recorded; 0 records none."""
    prompts: int = Field(64, ge=1)
    """Most prompts of a step that are recorded, evenly spaced among all; which bounds the file."""
    characters: int = Field(0, ge=0)
    """Most characters of each completion's text that are kept; 0 leaves the texts out."""


class TrackingSettings(Settings):
    """Where metrics go besides the JSON lines in the run's folder."""

    wandb: str | None = None
    """A Weights & Biases project; WANDB_MODE=offline keeps it on this machine."""
    tensorboard: bool = False
    """Write event files too, under `training/tensorboard` in the run's folder."""
    trackio: str | None = None
    """A trackio project, kept on this machine (TRACKIO_DIR says where)."""
    rollouts: RolloutSettings = RolloutSettings()

    @model_validator(mode="after")
    def _one_project(self) -> Self:
        if self.wandb and self.trackio and self.wandb != self.trackio:
            raise ValueError(
                "wandb and trackio must name the same project (verl knows one), but got "
                f"wandb={self.wandb!r} and trackio={self.trackio!r}"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What is asked for, in verl's words for it."""
        asked = {"wandb": self.wandb, "tensorboard": self.tensorboard, "trackio": self.trackio}
        return tuple(name for name, wanted in asked.items() if wanted)

    @property
    def project(self) -> str:
        return self.wandb or self.trackio or "curricle"

    def check(self) -> None:
        """Raises `ValueError` for a tracker whose package is not installed."""
        for name in self.names:
            if find_spec(name) is None:
                raise ValueError(
                    f"tracking.{name} needs the package {name}: pip install 'curricle[{name}]'"
                )

    def environment(self, folder: Path) -> dict[str, str]:
        """What verl's logger finds the places by; `folder` is that of the training."""
        found = {}
        if self.tensorboard:
            found["TENSORBOARD_DIR"] = str(folder / "tensorboard")
        if self.wandb:
            # one W&B run a folder: a resumed training goes on with the run that it began
            name = run_name(folder)
            found |= {"WANDB_RUN_ID": name, "WANDB_RESUME": "allow", "WANDB_DIR": str(folder)}
        passed_on = ("WANDB_MODE", "TRACKIO_DIR")
        return found | {name: os.environ[name] for name in passed_on if name in os.environ}


class Tracker(Protocol):
    """One place that figures go to."""

    def log(self, figures: Mapping[str, float], step: int) -> None: ...

    def close(self) -> None: ...


def open_trackers(
    settings: TrackingSettings, folder: Path, config: Mapping[str, Any]
) -> list[Tracker]:
    """A tracker for each place asked for; a run that is resumed goes on where it was.

    Raises `ValueError` for a package that is not installed.
    """
    settings.check()
    trackers: list[Tracker] = []
    if settings.wandb:
        trackers.append(_Wandb(settings.wandb, folder, config))
    if settings.tensorboard:
        trackers.append(_TensorBoard(folder / "tensorboard"))
    if settings.trackio:
        trackers.append(_Trackio(settings.trackio, run_name(folder), config))
    return trackers


def run_name(folder: Path) -> str:
    """What trackers call the run whose training stands in `folder`; SFT before it is another."""
    name = folder.absolute().parent.name
    return name if folder.name == "training" else f"{name}-{folder.name}"


def figures_of(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a line of `metrics.jsonl`, as every tracker gets them."""
    numbers = {k: v for k, v in row.items() if isinstance(v, int | float) and k != "step"}
    return {f"curricle/{name}": float(value) for name, value in numbers.items()}


class _Wandb:
    def __init__(self, project: str, folder: Path, config: Mapping[str, Any]) -> None:
        import wandb

        name = run_name(folder)
        self.run = wandb.init(
            project=project, name=name, id=name, resume="allow", dir=folder, config=dict(config)
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self.run.log(dict(figures), step=step)

    def close(self) -> None:
        self.run.finish()


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder))

    def log(self, figures: Mapping[str, float], step: int) -> None:
        for name, value in figures.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        self.writer.close()


class _Trackio:
    def __init__(self, project: str, name: str, config: Mapping[str, Any]) -> None:
        self.run = open_trackio(project, name, config)

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self.run.log(dict(figures), step=step)

    def close(self) -> None:
        self.run.finish()


def open_trackio(project: str, name: str, config: Mapping[str, Any]) -> Any:
    """The run of that name, gone on with or begun; verl's logger takes one that is open already."""
    import trackio

    return trackio.init(project=project, name=name, config=dict(config), resume="allow")
