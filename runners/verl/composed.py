"""verl's own configuration as Hydra composes it, and what may be laid over it.

Every key must exist there, or be marked with Hydra's `+` as an addition, so that a misspelled
override is an error before Ray starts. verl itself is not imported: its YAML files say it all.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

OWN_KEYS = {
    "algorithm.filter_groups": "curriculum: {kind: dynamic_sampling} does the same",
    "data.gen_batch_size": "the curriculum says how much is rolled out: {kind: dynamic_sampling}",
    "data.sampler": "the curriculum is the sampler",
    "data.shuffle": "the curriculum is the order: {kind: sequential} or {kind: mixed}",
    "trainer.v1.sampler": "the curriculum chooses the rollouts that are trained on",
    "trainer.v1.trainer_mode": "the curriculum needs the mode curricle",
}
"""What overrides may not touch, and what to write instead."""


Plain = str | int | float | bool | None
Value = Plain | list[Plain]
"""What an override may be."""


def dotted(tree: Any, prefix: str = "") -> Any:
    """Nested overrides as dotted keys; what is no mapping is left for validation to refuse."""
    if not isinstance(tree, Mapping):
        return tree
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= dotted(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


Overrides = Annotated[dict[str, Value], BeforeValidator(dotted)]


def check_overrides(overrides: Mapping[str, Value]) -> None:
    """Raises `ValueError` for a key that verl does not have, or that is the curriculum's."""
    for key in overrides:
        for own, instead in OWN_KEYS.items():
            if key.removeprefix("+") == own or key.removeprefix("+").startswith(f"{own}."):
                raise ValueError(f"trainer.overrides must leave {key} alone: {instead}")
    if overrides:
        lay_over(verl_defaults(), overrides, "trainer.overrides")


def verl_defaults(name: str = "ppo_trainer") -> Any:
    """A configuration of verl's by name, composed by Hydra, without importing verl itself."""
    return deepcopy(_composed(name))


@cache
def _composed(name: str) -> Any:
    from hydra import compose, initialize_config_dir

    verl = importlib.util.find_spec("verl")
    if verl is None or not verl.submodule_search_locations:
        raise ValueError("trainer.kind=verl needs the package verl, but it is not installed")
    folder = Path(verl.submodule_search_locations[0]) / "trainer" / "config"
    with initialize_config_dir(str(folder), version_base=None):
        return compose(name)


def lay_over(config: Any, table: Mapping[str, Any], place: str = "verl") -> None:
    """Set dotted keys of a configuration in place; a key with `+` in front is new.

    Raises `ValueError` naming the nearest known key when a key is neither known nor marked new.
    """
    from omegaconf import OmegaConf, open_dict

    for key, value in table.items():
        name = key.removeprefix("+")
        if key == name and not _knows(config, name):
            known = _keys(OmegaConf.to_container(config))
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise ValueError(
                f"{place}: a key must be one of verl's (or start with + to be added), but got "
                f"{name!r}; the nearest is {nearest[0]!r}"
            )
        with open_dict(config):
            OmegaConf.update(config, name, value, force_add=True)


def _knows(config: Any, name: str) -> bool:
    """Whether a dotted key is there, whatever it holds."""
    from omegaconf import DictConfig

    here = config
    for part in name.split("."):
        if not isinstance(here, DictConfig) or part not in here.keys():  # noqa: SIM118  `in` resolves
            return False
        here = here._get_node(part)
    return True


def _keys(tree: Any, prefix: str = "") -> list[str]:
    """Dotted names of every branch and leaf of a nested dict."""
    if not isinstance(tree, dict):
        return []
    names = []
    for key, below in tree.items():
        names.append(f"{prefix}{key}")
        names += _keys(below, f"{prefix}{key}.")
    return names
