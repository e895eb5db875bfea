"""New verdicts on old completions: after a checker was mended, nothing needs to be generated.

Beside every stored completion stands the fingerprint of the checker that judged it. A completion is
stale where the problem's checker has another one now. `refuse_stale` keeps stale verdicts from
being counted among fresh ones, `regrade` judges them anew: part by part, each put in the place of
the old one whole, so that an interruption leaves every completion with one verdict or the other and
the same call goes on. Parts without a stale completion are not read beyond two columns.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from difficulty.store.completions import ScoredCompletion, ScoreStore, read_part, write_part
from difficulty.store.key import read_key, write_key
from difficulty.store.profile import column_batches
from domains.base import Checker
from domains.judge import judge
from domains.problem import Problem, Status

if TYPE_CHECKING:
    import pyarrow as pa

Told = Callable[[int, int], None]
"""Told (parts done, parts in all)."""
_TASK = 256
"""Completions that a process judges at a time."""


@dataclass
class Regraded:
    """What a regrade did."""

    judged: int = 0
    """Completions with a new verdict."""
    kept: int = 0
    """Completions whose verdict was fresh already."""
    unknown: int = 0
    """Completions of problems that the config does not have: their verdicts stay as they are."""
    moved: Counter[tuple[Status, Status]] = field(default_factory=Counter)
    """(before, after) of the completions whose status changed, and how many."""

    def count_old(self, known: bool, completions: int) -> None:
        """Count completions that keep their verdict."""
        if known:
            self.kept += completions
        else:
            self.unknown += completions


def fingerprints(problems: Iterable[Problem]) -> dict[str, str]:
    """The fingerprint of every problem's checker, by uid; a shared checker is asked once."""
    known: dict[int, tuple[Checker, str]] = {}
    found = {}
    for problem in problems:
        checker = problem.checker
        if id(checker) not in known:
            known[id(checker)] = (checker, checker.fingerprint())
        found[problem.uid] = known[id(checker)][1]
    return found


def checkers_of(problems: Iterable[Problem], judged_by: Mapping[str, str]) -> dict[str, set[str]]:
    """The fingerprints of every source's checkers: a part of a store's key."""
    found: dict[str, set[str]] = {}
    for problem in problems:
        found.setdefault(problem.source, set()).add(judged_by[problem.uid])
    return found


def stale_checkers(
    folder: Path, problems: Iterable[Problem], judged_by: Mapping[str, str]
) -> Counter[tuple[str, str, str]]:
    """Completions in a store's folder by (source, stored checker, asked checker), if not equal."""
    sources: dict[str, str] = {}
    found: Counter[tuple[str, str, str]] = Counter()
    for uid, checker, rows in _stale(folder, judged_by):
        sources = sources or {problem.uid: problem.source for problem in problems}
        found[sources[uid], checker, judged_by[uid]] += rows
    return found


def refuse_stale(
    store: ScoreStore, problems: Iterable[Problem], judged_by: Mapping[str, str]
) -> None:
    """Raise `ValueError` where stored verdicts are of other checkers than the problems have."""
    stale = stale_checkers(store.folder, problems, judged_by)
    if stale:
        raise ValueError(
            "difficulty.store must hold verdicts of the asked checkers, but in "
            f"{store.folder}\n"
            + "".join(
                f"  checker of {source}: stored {stored}, asked {asked} ({rows} completions)\n"
                for (source, stored, asked), rows in sorted(stale.items())
            )
            + "  `curricle score CONFIG --regrade` judges them again without generating, or give "
            "another `name` or `difficulty.store`; nothing was written"
        )


def regrade(
    store: ScoreStore, problems: Iterable[Problem], workers: int, tell: Told | None = None
) -> Regraded:
    """Judge the stale completions anew with `workers` processes; the key then names the checkers.

    One regrade of a store at a time: a second one waits for the first.
    """
    by_uid = {problem.uid: problem for problem in problems}
    judged_by = fingerprints(by_uid.values())
    done = Regraded()
    with (
        store.claims.whole_store(),
        ProcessPoolExecutor(workers, get_context("forkserver")) as judges,
    ):
        parts = store.parts()
        for number, part in enumerate(parts, 1):
            _regrade_part(part, by_uid, judged_by, judges, done)
            if tell:
                tell(number, len(parts))
        _name_checkers(store, by_uid, judged_by)
    return done


def _regrade_part(
    part: Path,
    problems: Mapping[str, Problem],
    judged_by: Mapping[str, str],
    judges: ProcessPoolExecutor,
    done: Regraded,
) -> None:
    in_part = list(_rows_by_checker(_read_checkers(part)))
    if all(judged_by.get(uid, checker) == checker for uid, checker, _ in in_part):
        for uid, _, count in in_part:
            done.count_old(uid in judged_by, count)
        return
    rows = read_part(part)
    stale = [i for i, row in enumerate(rows) if judged_by.get(row.uid, row.checker) != row.checker]
    asked = ((problems[rows[i].uid], rows[i]) for i in stale)
    for i, new in zip(stale, _judged(asked, judges), strict=True):
        if rows[i].status != new.status:
            done.moved[rows[i].status, new.status] += 1
        rows[i] = replace(new, checker=judged_by[new.uid])
    write_part(part, rows)
    done.judged += len(stale)
    for i in {*range(len(rows))} - {*stale}:
        done.count_old(rows[i].uid in judged_by, 1)


def _judged(
    asked: Iterable[tuple[Problem, ScoredCompletion]], judges: ProcessPoolExecutor
) -> Iterator[ScoredCompletion]:
    """The rows with new verdicts, in order; a last few are not worth another process."""
    waiting: deque[Future[list[ScoredCompletion]]] = deque()
    task: list[tuple[Problem, ScoredCompletion]] = []
    for pair in asked:
        task.append(pair)
        if len(task) == _TASK:
            waiting.append(judges.submit(_judge_all, task))
            task = []
    rest = _judge_all(task)
    while waiting:
        yield from waiting.popleft().result()
    yield from rest


def _judge_all(task: list[tuple[Problem, ScoredCompletion]]) -> list[ScoredCompletion]:
    rows = []
    for problem, row in task:
        verdict = judge(problem, row.text, row.finish_reason)
        rows.append(
            replace(
                row, status=verdict.status, score=verdict.score, answer=verdict.answer,
                reason=verdict.reason,
            )
        )  # fmt: skip
    return rows


def _name_checkers(
    store: ScoreStore, problems: Mapping[str, Problem], judged_by: Mapping[str, str]
) -> None:
    """Write into the key what the rows say: the new checkers, and the old ones still in use."""
    key = read_key(store.folder)
    known = {source: set(names) for source, names in key.get("checkers", {}).items()}
    left = _checkers_of_others(store.folder, judged_by)
    asked = checkers_of(problems.values(), judged_by)
    named = {
        source: sorted(asked.get(source, set()) | (known.get(source, set()) & left))
        for source in sorted({*known, *asked})
    }
    write_key(store.folder, {**key, "checkers": named})


def _stale(folder: Path, judged_by: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """(uid, stored checker, rows) wherever the asked checker is another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    uids, asked = pa.array(judged_by, pa.string()), pa.array(judged_by.values(), pa.string())
    for table in column_batches(folder, ["uid", "checker"]):
        asked_of_row = asked.take(pc.index_in(table["uid"], value_set=uids).combine_chunks())
        # An unknown problem's asked checker is null, and so is the comparison: it is left out.
        stale = table.filter(pc.not_equal(table["checker"], asked_of_row))
        yield from _rows_by_checker(stale)


def _checkers_of_others(folder: Path, judged_by: Mapping[str, str]) -> set[str]:
    """The checkers of stored completions whose problems are not among those asked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    uids = pa.array(judged_by, pa.string())
    found: set[str] = set()
    for table in column_batches(folder, ["uid", "checker"]):
        others = table.filter(pc.invert(pc.is_in(table["uid"], value_set=uids)))
        found |= set(others["checker"].unique().to_pylist())
    return found


def _read_checkers(part: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(part, columns=["uid", "checker"], partitioning=None)


def _rows_by_checker(table: pa.Table) -> Iterator[tuple[str, str, int]]:
    counts = table.group_by(["uid", "checker"]).aggregate([([], "count_all")]).to_pydict()
    yield from zip(counts["uid"], counts["checker"], counts["count_all"], strict=True)
