"""Pass rates that others measured, in the place of a scoring."""

from __future__ import annotations

from difficulty.imported import ImportedRates
from runners.config import RunConfig
from runners.console import console
from runners.problem_set import ProblemSet
from runners.profiling.scored import Scored
from runners.run_dir import RunDir
from runners.summary import summarise


def import_rates(config: RunConfig, folder: RunDir, problems: ProblemSet) -> Scored:
    """Take the rates that `difficulty.imported` names, say what is missing, cut the buckets.

    Raises `ValueError` where the config names none, or there are none.
    """
    settings = config.difficulty.imported
    if settings is None:
        raise ValueError("difficulty.imported must say where the rates are, but it is not there")
    imported = settings.read(problems.everything)
    if all(rate.n == 0 for rate in imported.rates):
        raise ValueError(
            f"difficulty.imported must give rates, but all {imported.missing} are missing, "
            f"{imported.zeros} of them as exact zeros (zero_is_missing)"
        )
    _say(imported)
    origin = {"engine": "none", "rates from": imported.source, "model": imported.model}
    summarise(folder, name=config.name, model=config.model, engine=origin)
    return Scored.of(imported.rates, config, imported.origin)


def _say(imported: ImportedRates) -> None:
    total = len(imported.rates)
    console.print(
        f"rates from {imported.origin}: {total - imported.missing} of {total} problems, "
        f"{imported.missing} missing",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip
    if imported.zeros:
        console.print(
            f"{imported.zeros} rates of exactly 0.0 are taken as missing "
            "(difficulty.imported.zero_is_missing)",
            soft_wrap=True, highlight=False, markup=False,
        )  # fmt: skip
