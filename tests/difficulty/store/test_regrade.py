import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from difficulty.adaptive import Fixed
from difficulty.engines.base import Sampling
from difficulty.engines.scripted import Scripted
from difficulty.pass_rate import PassRate
from difficulty.prompts import Prompter, PromptFormat
from difficulty.score import open_store, score
from difficulty.store.completions import ScoreStore
from difficulty.store.regrade import regrade
from domains.checkers.exact import Exact
from domains.checkers.math_answers import Math
from domains.problem import Problem

ENGINE = Scripted(otherwise=("The answer is 4.", "it is 4", r"\boxed{4}"))
PROMPTER = Prompter(PromptFormat(), {})


def make_problems(checker: Math | Exact, source: str = "own") -> list[Problem]:
    return [
        Problem.make(domain="math", source=source, prompt=f"{i} + 0?", answer="4", checker=checker)
        for i in range(6)
    ]


def make_store(folder: Path, problems: Sequence[Problem]) -> ScoreStore:
    return open_store(folder, problems, ENGINE, Path("m"), PROMPTER, Sampling(), 0)


def run_score(store: ScoreStore, problems: Sequence[Problem], samples: int = 5) -> list[PassRate]:
    open_engine = partial(ENGINE.open, Path("m"), None)
    return score(problems, store, open_engine, PROMPTER, Sampling(), Fixed(samples=samples), 0)


def test_a_mended_checker_is_refused_until_its_verdicts_are_new(tmp_path: Path) -> None:
    strict = make_problems(Math(extract=("boxed",)))
    store = make_store(tmp_path / "s", strict)
    before = run_score(store, strict)
    mended = make_problems(Math())
    again = make_store(tmp_path / "s", mended)
    old, new = strict[0].checker.fingerprint(), mended[0].checker.fingerprint()
    with pytest.raises(
        ValueError, match=f"checker of own: stored {old}, asked {new} .30 completions"
    ):
        run_score(again, mended)
    done = regrade(again, mended, workers=1)
    assert (done.judged, done.kept, done.unknown) == (30, 0, 0)
    whole = make_store(tmp_path / "whole", mended)
    rates = run_score(whole, mended)
    assert sum(rate.correct for rate in rates) > sum(rate.correct for rate in before)
    assert run_score(make_store(tmp_path / "s", mended), mended) == rates
    assert again.rows() == whole.rows()
    assert sum(done.moved.values()) == sum(
        now.correct - was.correct for now, was in zip(rates, before, strict=True)
    )
    key = json.loads((tmp_path / "s" / "key.json").read_text())
    assert key["checkers"] == {"own": [new]}


def test_a_regrade_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    strict, mended = make_problems(Math(extract=("boxed",))), make_problems(Math())
    done_part, old_part = make_store(tmp_path / "new", mended), make_store(tmp_path / "s", strict)
    run_score(done_part, mended[:2])
    run_score(old_part, strict[2:])
    old_part.write(done_part.rows())
    for asked in (strict, mended):
        with pytest.raises(ValueError, match="--regrade"):
            run_score(old_part, asked)
    done = regrade(old_part, mended, workers=1)
    assert (done.judged, done.kept) == (20, 10)
    whole = make_store(tmp_path / "whole", mended)
    assert run_score(old_part, mended) == run_score(whole, mended)


def test_many_completions_are_judged_by_several_processes(tmp_path: Path) -> None:
    strict, mended = make_problems(Math(extract=("boxed",))), make_problems(Math())
    store = make_store(tmp_path / "s", strict)
    run_score(store, strict, samples=50)
    assert regrade(store, mended, workers=2).judged == 300
    whole = make_store(tmp_path / "whole", mended)
    run_score(whole, mended, samples=50)
    assert store.rows() == whole.rows()


def test_problems_that_the_config_lacks_keep_their_verdicts_and_checker(tmp_path: Path) -> None:
    strict, mended = make_problems(Math(extract=("boxed",))), make_problems(Math())
    store = make_store(tmp_path / "s", strict)
    run_score(store, strict)
    done = regrade(store, mended[:2], workers=1)
    assert (done.judged, done.kept, done.unknown) == (10, 0, 20)
    key = json.loads((tmp_path / "s" / "key.json").read_text())
    fingerprints = {problem.checker.fingerprint() for problem in (strict[0], mended[0])}
    assert set(key["checkers"]["own"]) == fingerprints
    run_score(store, mended[:2])
    with pytest.raises(ValueError, match="20 completions"):
        run_score(store, mended)
