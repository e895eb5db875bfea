"""Several writers in one store: processes of their own, and one whose part another has made."""

import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from difficulty.adaptive import Fixed
from difficulty.engines.base import Sampling
from difficulty.engines.scripted import Scripted
from difficulty.prompts import Prompter, PromptFormat
from difficulty.score import open_store, score
from difficulty.store.completions import ScoredCompletion, ScoreStore
from difficulty.store.sharing import Sharing
from domains.sources.tiny_families import TinyFamilies

ENGINE = Scripted(otherwise=(": 4", ": 5"))
PROMPTER = Prompter(PromptFormat(), {})
PROBLEMS = TinyFamilies(families=("math", "logic"), levels=(2, 3), size=200).load()

WRITER = """
import sys, time
from pathlib import Path
import difficulty.store.sharing
import pytest

from difficulty.adaptive import Fixed
from difficulty.engines.base import Engine, Sampling
from difficulty.prompts import Prompter, PromptFormat
from difficulty.score import open_store, score
from difficulty.engines.scripted import Scripted
from domains.sources.tiny_families import TinyFamilies

difficulty.store.sharing.CHUNK = 8
settings = Scripted(otherwise=(": 4", ": 5"))
log = open(sys.argv[2], "w", buffering=1)

class Slow(Engine):
    def stream(self, requests, sampling):
        for request in requests:
            time.sleep(0.002)
            log.write("".join(f"{request.uid} {seed}\\n" for seed in request.seeds))
            yield from settings.open(Path("m"), None).stream([request], sampling)
    def identity(self):
        return {}

problems = TinyFamilies(families=("math", "logic"), levels=(2, 3), size=200).load()
prompter, sampling = Prompter(PromptFormat(), {}), Sampling()
store = open_store(Path(sys.argv[1]), problems, settings, Path("m"), prompter, sampling, 0)
print("ready", flush=True)
sys.stdin.readline()
rates = score(problems, store, Slow, prompter, sampling, Fixed(samples=2), 0)
print(sum(rate.n for rate in rates))
"""


def make_store(folder: Path) -> ScoreStore:
    return open_store(folder, PROBLEMS, ENGINE, Path("m"), PROMPTER, Sampling(), 0)


@pytest.mark.slow
def test_two_processes_share_the_work_and_know_all_of_it(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "shared"), str(tmp_path / name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate()[0] == f"{2 * len(PROBLEMS)}\n"
    made = [(tmp_path / name).read_text().splitlines() for name in ("one", "two")]
    assert all(len(own) > 20 for own in made)
    assert max(Counter(made[0] + made[1]).values()) == 1, "nothing is generated twice"
    whole = make_store(tmp_path / "whole")
    score(
        PROBLEMS, whole, partial(ENGINE.open, Path("m"), None), PROMPTER, Sampling(),
        Fixed(samples=2), 0,
    )  # fmt: skip
    assert make_store(tmp_path / "shared").rows() == whole.rows()


def test_what_another_writer_has_made_meanwhile_is_not_asked_for(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s")
    sharing = Sharing(store)
    first, second, third = PROBLEMS[:3]

    def row(uid: str, sample: int) -> ScoredCompletion:
        return ScoredCompletion(uid, "math", sample, "", 1, "stop", "wrong", 0.0, "", "")

    other = make_store(tmp_path / "s")
    other.write([row(first.uid, i) for i in range(4)])
    other.write([row(second.uid, 0)])
    wanted = {problem.uid: range(2) for problem in (first, second, third)}
    asked = [
        (problem.uid, wanted[problem.uid])
        for problem in sharing._claimed((first, second, third), wanted, [])
    ]
    assert asked == [(second.uid, range(1, 2)), (third.uid, range(2))]
    assert sharing.known == {first.uid: ["wrong"] * 4, second.uid: ["wrong"]}
