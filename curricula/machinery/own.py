"""Schedulers from outside this repository: `kind: package.module:Class`, or an entry point.

A package that declares an entry point in the group `curricle.schedulers` makes its scheduler's name
a kind of its own; docs/own_scheduler.md shows both in ten lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler

from curricula.base import Scheduler
from curricula.machinery.names import UnknownName

GROUP = "curricle.schedulers"


def or_own(value: Any, known: ValidatorFunctionWrapHandler) -> Any:
    """A scheduler of the union, or one from outside where the kind is not one of ours."""
    if isinstance(value, Scheduler):
        return value
    if isinstance(value, str):
        raise ValueError(f"must be a record, such as {{kind: {value}}}, but got {value!r}")
    kind = str(value.get("kind")) if isinstance(value, Mapping) else ""
    if ":" in kind:
        return load(kind).model_validate(value)
    try:
        return known(value)
    except ValidationError as error:
        (first, *_) = error.errors()
        if first["type"] != "union_tag_invalid" or first["loc"]:
            raise
        own = declared()
        if kind not in own:
            ours = _names(first["ctx"]["expected_tags"])
            if {*get_close_matches(kind, [*own, *ours], n=1)} & {*own}:
                raise UnknownName("kind", kind, [*own, *ours]) from None
            raise
    return load(own[kind]).model_validate(value)


def _names(tags: str) -> list[str]:
    """The kinds in pydantic's words: `'mixed', 'staged'`."""
    return tags.replace("'", "").split(", ")


def load(target: str) -> type[Scheduler]:
    """The class that `package.module:Class` names. Raises `ValueError` where there is none."""
    module_name, _, name = target.partition(":")
    try:
        module = import_module(module_name)
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"kind must name an importable module before the colon, but got {target!r}: {error}"
        ) from None
    found = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, Scheduler):
        return found
    schedulers = {
        n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, Scheduler)
    }
    raise UnknownName(f"kind {target!r}: the scheduler", name, schedulers)


@cache
def declared() -> dict[str, str]:
    """Entry points of what is installed: name to `package.module:Class`; a second to look up."""
    return {point.name: point.value for point in entry_points(group=GROUP)}
