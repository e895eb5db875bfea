"""A part of a page, and the part that both pages share: environment and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from runners.report import tables
from runners.report.inputs import Provenance
from runners.report.plots import Figure, Legend
from runners.report.tables import Table


@dataclass(frozen=True)
class Section:
    """A part of a page. Where `absent` is set there is nothing else: it says what to run."""

    id: str
    title: str
    lead: str = ""
    legend: Legend = ()
    """Shared by the section's figures or tables."""
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()
    """(caption, table)."""
    folded: tuple[tuple[str, str], ...] = ()
    """(title, text) blocks that open on a click."""
    absent: tuple[str, str] | None = None
    """(what is missing, the command that makes it)."""


def environment(provenance: Provenance, summary: Mapping[str, Any]) -> Section:
    evaluation = provenance.config.get("evaluation")
    made = {
        "model": summary.get("model"),
        "scored by": summary.get("engine"),
        "evaluated by": _kind(evaluation.get("engine")) if isinstance(evaluation, dict) else None,
        "trained by": _kind(summary.get("trainer")),
        "git commit": provenance.git,
    }
    named = [("", tables.facts(made)), ("Versions", tables.facts(provenance.versions))]
    text = yaml.safe_dump(provenance.config, sort_keys=False, allow_unicode=True, width=96)
    return Section(
        "environment", "Environment and settings",
        tables=tuple((caption, one) for caption, one in named if one.rows),
        folded=(("The whole configuration, defaults included", text),),
    )  # fmt: skip


def _kind(settings: Any) -> str:
    """`local, grpo` of a settings block; a plain name is itself."""
    if isinstance(settings, Mapping):
        return ", ".join(str(settings[key]) for key in ("kind", "algorithm") if key in settings)
    return str(settings or "")
