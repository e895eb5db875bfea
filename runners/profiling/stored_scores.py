"""`curricle score --status` and `--regrade`: what is stored, and new verdicts on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from difficulty.score import open_store, store_key
from difficulty.store.key import differences, read_key
from difficulty.store.profile import Profile, read_profile
from difficulty.store.regrade import Regraded, fingerprints, regrade, stale_checkers
from domains.problem import STATUSES, Problem
from runners.config import RunConfig
from runners.console import console, print_table, progress_bar
from runners.models.resolve import resolve_model
from runners.problem_set import load_problems
from runners.run_dir import RunDir


def scores_folder(config: RunConfig) -> Path:
    """Where the config keeps its scores."""
    return config.difficulty.store or RunDir(config.out / config.name).scores


def show_status(config: RunConfig) -> None:
    """Print how much of the config's problems is scored, by what, and what is stale."""
    folder = scores_folder(config)
    problems = load_problems(config)
    if config.difficulty.imported:
        _say("the rates are imported (difficulty.imported): nothing is scored here")
    if not (folder / "key.json").is_file():
        _say(f"nothing is scored: 0 of {len(problems.everything)} problems in {folder}")
        return
    profile = read_profile(folder)
    _print_domains(profile, problems.everything)
    key = store_key(
        config.difficulty.engine,
        resolve_model(config.model),
        problems.prompter,
        config.decoding,
        config.seed,
    )
    _print_key(folder, differences(read_key(folder), key))
    judged_by = fingerprints(problems.everything)
    stale = stale_checkers(folder, problems.everything, judged_by)
    for (source, stored, asked), rows in sorted(stale.items()):
        _say(f"stale: {rows} completions of {source} were judged by {stored}, asked is {asked}")
    _say("verdicts: all by the asked checkers" if not stale else "mend them with --regrade")


def regrade_scores(config: RunConfig) -> None:
    """Judge every stored completion anew that another checker has judged; generate nothing."""
    folder = scores_folder(config)
    if not (folder / "key.json").is_file():
        raise ValueError(f"--regrade must find stored scores, but there are none in {folder}")
    problems = load_problems(config)
    model = resolve_model(config.model)
    store = open_store(
        folder,
        problems.everything,
        config.difficulty.engine,
        model,
        problems.prompter,
        config.decoding,
        config.seed,
    )
    with progress_bar("judging anew") as progress:
        done = regrade(store, problems.everything, os.cpu_count() or 1, progress)
    _say_regraded(done, folder)


def _print_domains(profile: Profile, problems: Sequence[Problem]) -> None:
    place = {uid: i for i, uid in enumerate(profile.uids.to_pylist())}
    asked: Counter[str] = Counter()
    stored: dict[str, list[int]] = {}
    for problem in problems:
        asked[problem.domain] += 1
        if problem.uid in place:
            stored.setdefault(problem.domain, []).append(place[problem.uid])
    together = [i for members in stored.values() for i in members]
    groups = {name: np.array(stored.get(name, []), int) for name in asked}
    if len(groups) > 1:
        asked["all"], groups["all"] = asked.total(), np.array(together, int)
    rows = [
        [name, asked[name], len(members), int(profile.drawn[members].sum()),
         int(profile.tokens[members].sum())]
        for name, members in groups.items()
    ]  # fmt: skip
    print_table("Scored", ["domain", "problems", "scored", "completions", "tokens"], rows)
    verdicts = [[name, *profile.statuses[m].sum(axis=0).tolist()] for name, m in groups.items()]
    print_table("Verdicts", ["domain", *(s.replace("_", " ") for s in STATUSES)], verdicts)
    drawn = profile.drawn[np.array(together, int)]
    if len(drawn):
        _say(f"{drawn.mean():.1f} completions a scored problem ({drawn.min()} to {drawn.max()})")
    if len(place) > len(together):
        others = len(place) - len(together)
        _say(f"{others} further problems are stored that the config does not have")


def _print_key(folder: Path, changed: Sequence[str]) -> None:
    key = read_key(folder)
    files = [path for path in folder.iterdir() if path.is_file()]
    parts = [path for path in files if path.name.startswith("part-") and path.suffix == ".parquet"]
    size = sum(path.stat().st_size for path in files)
    _say(f"{folder}: {len(parts)} parts, {size / 1e6:.1f} MB")
    for name, value in key.items():
        _say(f"  {name}: {value}")
    if changed:
        _say("the config asks for another key, so scoring would be refused:")
    for line in changed:
        _say(f"  {line}")


def _say_regraded(done: Regraded, folder: Path) -> None:
    _say(
        f"{done.judged} completions judged anew, {done.kept} had a fresh verdict, nothing generated"
    )
    if done.unknown:
        _say(
            f"{done.unknown} completions of problems that the config does not have stay as they are"
        )
    moved = [[before, after, n] for (before, after), n in done.moved.most_common()]
    if moved:
        print_table("Changed verdicts", ["before", "after", "completions"], moved)
    _say(f"scores: {folder}")


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
