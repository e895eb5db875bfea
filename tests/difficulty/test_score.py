from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from difficulty.adaptive import Adaptive, BudgetTarget, Fixed, SamplingPlan
from difficulty.engines import Scripted
from difficulty.engines.base import Answered, Engine, Request, Sampling, sampling_seed
from difficulty.pass_rate import PassRate
from difficulty.prompts import Prompter, PromptFormat
from difficulty.score import open_store, score, stored_rates
from difficulty.store.completions import ScoreStore
from difficulty.store.sharing import CHUNK
from domains.checkers.exact import Exact
from domains.problem import Problem

MODEL = Path("none")
PROMPTER = Prompter(PromptFormat(), {})
SAMPLING = Sampling(max_tokens=8)
ADAPTIVE = Adaptive(target=BudgetTarget(mean_samples=8), most=32, fill=1)
ENGINE = Scripted(otherwise=(": 4", ": 5", "none"))


def make_problems(count: int) -> list[Problem]:
    checker = Exact(after=":")
    return [
        Problem.make(domain="math", source="sums", prompt=f"{i}+?", answer="4", checker=checker)
        for i in range(count)
    ]


def make_store(folder: Path, problems: list[Problem], seed: int = 0) -> ScoreStore:
    return open_store(folder, problems, ENGINE, MODEL, PROMPTER, SAMPLING, seed)


class Interrupted(Engine):
    """Dies in the middle, as a kill does, after a number of answered requests."""

    def __init__(self, inner: Engine, answers: int) -> None:
        self.inner, self.answers = inner, answers

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        for answered in self.inner.stream(requests, sampling):
            if self.answers == 0:
                raise RuntimeError("killed")
            self.answers -= 1
            yield answered

    def identity(self) -> dict[str, str]:
        return self.inner.identity()


def run_score(
    store: ScoreStore, problems: list[Problem], plan: SamplingPlan | int, answers: int = 10**6
) -> list[PassRate]:
    opened = ENGINE.open(MODEL, None)
    if isinstance(plan, int):
        plan = Fixed(samples=plan)
    return score(
        problems, store, lambda: Interrupted(opened, answers), PROMPTER, SAMPLING, plan, seed=0
    )


def test_seeds_belong_to_uid_step_and_sample() -> None:
    seeds = {
        sampling_seed(r, u, t, i) for r in (0, 1) for u in "ab" for t in (0, 1) for i in (0, 1)
    }
    assert len(seeds) == 16
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_every_completion_is_stored_with_its_verdict(tmp_path: Path) -> None:
    problems = make_problems(3)
    store = make_store(tmp_path / "s", problems)
    run_score(store, problems, 6)
    rows = store.rows()
    assert len(rows) == 18
    expected = {": 4": "correct", ": 5": "wrong", "none": "no_answer"}
    assert all(row.status == expected[row.text] for row in rows)
    [rate, *_] = store.pass_rates([problems[0].uid], 6)
    own = [row for row in rows if row.uid == problems[0].uid]
    assert rate.correct == sum(row.status == "correct" for row in own)


def test_an_interrupted_scoring_ends_with_the_same_rows(tmp_path: Path) -> None:
    problems = make_problems(CHUNK + 10)
    whole = make_store(tmp_path / "whole", problems)
    run_score(whole, problems, 2)
    broken = make_store(tmp_path / "broken", problems)
    with pytest.raises(RuntimeError, match="killed"):
        run_score(broken, problems, 2, answers=CHUNK // 2)
    assert len(broken.counts()) == CHUNK // 2
    run_score(make_store(tmp_path / "broken", problems), problems, 2)
    assert broken.rows() == whole.rows()


def test_more_samples_are_added_to_those_that_stand(tmp_path: Path) -> None:
    problems = make_problems(2)
    grown, whole = (make_store(tmp_path / name, problems) for name in ("grown", "whole"))
    run_score(grown, problems, 2)
    run_score(grown, problems, 5)
    run_score(whole, problems, 5)
    assert grown.rows() == whole.rows()


def test_nothing_is_opened_when_nothing_is_missing(tmp_path: Path) -> None:
    problems = make_problems(2)
    store = make_store(tmp_path / "s", problems)
    run_score(store, problems, 2)
    run_score(store, problems, 2, answers=0)


def test_another_seed_is_another_store(tmp_path: Path) -> None:
    problems = make_problems(1)
    make_store(tmp_path / "s", problems, seed=0)
    with pytest.raises(ValueError, match="seed: stored 0, asked 1"):
        make_store(tmp_path / "s", problems, seed=1)


def test_progress_tells_what_was_there_before(tmp_path: Path) -> None:
    problems = make_problems(CHUNK + 1)
    store = make_store(tmp_path / "s", problems)
    seen: list[tuple[int, int]] = []
    open_engine, once = partial(ENGINE.open, MODEL, None), Fixed(samples=1)
    for _ in range(2):
        score(problems, store, open_engine, PROMPTER, SAMPLING, once, 0, lambda *a: seen.append(a))
    every = CHUNK + 1
    assert seen[0] == (0, every)
    assert seen[-2:] == [(every, every), (every, every)]
    assert len(seen) > 3
    assert seen == sorted(seen)


@pytest.mark.parametrize("answers", [1, 200])
def test_an_interrupted_adaptive_scoring_ends_with_the_same_rows(
    tmp_path: Path, answers: int
) -> None:
    problems = make_problems(150)
    whole = make_store(tmp_path / "whole", problems)
    rates = run_score(whole, problems, ADAPTIVE)
    broken = make_store(tmp_path / "broken", problems)
    with pytest.raises(RuntimeError, match="killed"):
        run_score(broken, problems, ADAPTIVE, answers)
    part = stored_rates(problems, broken, ADAPTIVE)
    assert 0 < sum(rate.n for rate in part) < sum(rate.n for rate in rates)
    again = make_store(tmp_path / "broken", problems)
    assert run_score(again, problems, ADAPTIVE) == rates
    assert again.rows() == whole.rows()
    assert stored_rates(problems, again, ADAPTIVE) == rates


def test_an_adaptive_scoring_takes_what_a_fixed_one_left(tmp_path: Path) -> None:
    problems = make_problems(60)
    fresh, used = (make_store(tmp_path / name, problems) for name in ("fresh", "used"))
    run_score(used, problems, 6)
    assert run_score(used, problems, ADAPTIVE) == run_score(fresh, problems, ADAPTIVE)


def test_blocks_are_scored_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = make_problems(90)
    in_order = sorted(problems, key=lambda problem: problem.uid)
    whole, apart = (make_store(tmp_path / name, problems) for name in ("whole", "apart"))
    monkeypatch.setattr("difficulty.score.BLOCK", 45)
    run_score(whole, problems, ADAPTIVE)
    for half in (in_order[45:], in_order[:45]):
        run_score(apart, half, ADAPTIVE)
    assert apart.rows() == whole.rows()


def test_an_adaptive_budget_gives_unequal_numbers(tmp_path: Path) -> None:
    problems = make_problems(100)
    rates = run_score(make_store(tmp_path / "s", problems), problems, ADAPTIVE)
    assert len({rate.n for rate in rates}) > 2
    assert sum(rate.n for rate in rates) <= 8 * len(problems)
