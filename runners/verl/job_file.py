"""The job as verl's processes read it: one JSON file in the run's training folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from curricula.base import Curriculum, Item, Scheduler
from domains.base import Settings
from runners.tracking.trackers import RolloutSettings


class JobFile(Settings):
    """What the registered trainer needs beyond verl's own configuration."""

    scheduler: dict[str, Any]
    """Settings of the scheduler, its `kind` among them."""
    pool: tuple[Item, ...]
    """The training problems as the curriculum sees them, in the order of the training rows."""
    steps: int
    prompts_per_step: int
    seed: int
    evaluation: Mapping[str, Item] = Field(default_factory=dict)
    """The problems evaluated during training, by uid."""
    evaluation_k: tuple[int, ...] = (1,)
    """The k of the pass@k that verl's logger is told."""
    rollouts: RolloutSettings = RolloutSettings()
    """What is recorded of the single completions."""
    training_folder: Path
    """Where `metrics.jsonl`, `curriculum.jsonl` and `rollouts.jsonl` are appended to."""
    evaluations_file: Path | None = None
    """Where the rows of evaluations during training are appended to; None leaves them to verl."""

    @classmethod
    def read(cls, path: Path) -> JobFile:
        return cls.model_validate_json(path.read_text())

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n")

    def build_curriculum(self) -> Curriculum:
        """The curriculum over the pool, at its start."""
        from curricula import AnyScheduler

        adapter: TypeAdapter[Scheduler] = TypeAdapter(AnyScheduler)
        try:
            scheduler = adapter.validate_python(self.scheduler)
        except ValidationError as error:
            raise ValueError(f"the curriculum must be one of ours, but got {error}") from None
        return scheduler.build(self.pool, self.steps, self.seed)
