"""Random and mutated completions through every answer checker, and programs through the sandbox.

    python benchmarks/fuzz.py [--quick] [--completions 200000] [--programs 2000] [--kinds math ...]

A completion is a right answer that was cut, doubled, shuffled, spliced with something hostile or
grown to 50 kB, or bytes from nowhere. Asserted of every check: a verdict comes back within the
checker's time limit, no exception but a timeout is a verifier error, memory does not grow. There is
no peer: the figures are counts. Exit code 1 where one of them is not what it must be.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import psutil
from pydantic import TypeAdapter
from rich.progress import track

from domains.checkers import AnyChecker
from domains.judge import judge
from domains.problem import STATUSES, Problem

LIMIT_SECONDS = 8.0
"""The longest time limit of an answer checker (math: 5 s), and some for a new process."""
PROGRAM_LIMIT_SECONDS = 15.0
GRID = {"header": ["House", "Name"], "rows": [["1", "Ann"], ["2", "Bob"]]}
GRAPH = (
    "In a directed graph, the nodes are numbered from 0 to 3, and the edges are:\n"
    "an edge from node 0 to node 1 with weight 2, an edge from node 1 to node 2 with weight 1, "
    "an edge from node 0 to node 3 with weight 1, an edge from node 3 to node 2 with weight 1.\n"
    "Q: Give the shortest path from node 0 to node 2.\nA:"
)


class Sample(NamedTuple):
    kind: str
    answer: str
    completion: str
    metadata: Mapping[str, Any] = MappingProxyType({})
    prompt: str = "?"


SAMPLES = [
    Sample("math", r"\frac{\sqrt{3}}{2}", r"so \boxed{\frac{\sqrt{3}}{2}}"),
    Sample("math", "1,234", "#### 1,234"),
    Sample("math", r"(-\infty,1)\cup[2,3)", r"The answer is $(-\infty,1)\cup[2,3)$."),
    Sample("math", r"\begin{pmatrix}1\\2\end{pmatrix}", r"\[\begin{bmatrix}1\\2\end{bmatrix}\]"),
    Sample("math", "x^2+2x+1", r"\boxed{(x+1)^2}"),
    Sample("choice", "B", "I think it's B because not A", {"options": ["x", "y", "z"]}),
    Sample("yes_no", "unknown", "The answer is: Unknown"),
    Sample(
        "assignment", "Ann is a knight, Bob is a knave", "(1) Ann is a knight (2) Bob is a knave"
    ),
    Sample("number", r"3.0 \times 10^8 m/s", r"about 3.0e8 \mathrm{m\,s^{-1}}"),
    Sample("exact", "a b", "a b"),
    Sample("grid", json.dumps(GRID), f"```json\n{json.dumps(GRID)}\n```"),
    Sample("ordering", '["Ann", "Bob", "Cy"]', "1. Ann\n2. Bob\n3. Cy"),
    Sample("arc_grid", "[[1, 2], [3, 4]]", "<answer>[[1, 2], [3, 4]]</answer>"),
    Sample("brackets", "] ) >", "The answer is ] ) >"),
    Sample("logic", "True", "So the statement is true."),
    Sample("graph", "0,3,2", "The shortest path is 0,3,2 with a total weight of 2.", prompt=GRAPH),
    Sample("json", '"output": [1, 2]', '{"output": [1, 2]}'),
    Sample("table", "Rome|12.5", r"\boxed{Rome, 12.5}"),
    Sample("text", "the Krebs cycle", "It is the Krebs cycle."),
    Sample("theorem", "[1, 2]", "The answer is [1, 2]", {"answer_type": "list of integer"}),
    Sample("stem", "50.7 atm", "The pressure is 50.7 atm."),
]
HOSTILE = (
    "\\boxed{", "}" * 40, "{" * 200, "\0", "\u2028", "9" * 400, "1e999", "(" * 300, "####", "是",
    "\\frac{", "\\frac{1}{0}", "9^{9^{9^9}}", "$", "<answer>", "</think>", "```", "[[" * 100,
    "answer is answer is ", "\\begin{pmatrix}", "A or B", "inf", "nan", "\ud800", "1/" * 200,
    "a" * 500, "-" * 300, " " * 5000, "x=" * 100, "\\left(" * 100, "|" * 50, "!" * 60, "10**10**9",
)  # fmt: skip
PROGRAMS = (
    "def f(x):\n    return x + 1\n",
    "def f(x):\n    total = 0\n    for i in range(x):\n        total += i\n    return total\n",
    "import sys\ndef f(x):\n    sys.exit(0)\n",
    "import os\ndef f(x):\n    os._exit(0)\n",
    "def f(x):\n    while True:\n        pass\n",
    "def f(x):\n    return f(x)\n",
    "def f(x):\n    return 'a' * 10**10\n",
    "print('x' * 10**7)\ndef f(x):\n    return 2\n",
    "import os\ndef f(x):\n    [os.fork() for _ in range(20)]\n",
    "class E:\n    def __eq__(self, other):\n        return True\ndef f(x):\n    return E()\n",
)


def mutated(text: str, dice: random.Random) -> str:
    """Cut, doubled, shuffled, spliced, grown, or replaced."""
    place = dice.randrange(len(text) + 1)
    hostile = dice.choice(HOSTILE)
    way = dice.randrange(8)
    if way == 0:
        return text[:place]
    if way == 1:
        return text + dice.choice(["", " ", " or ", "\n"]) + text
    if way == 2:
        return "".join(dice.sample(text, len(text)))
    if way == 3:
        return hostile * dice.randrange(1, 4)
    if way == 4:
        return "".join(chr(dice.choice((32, 48, 92, 123, 125, 300, 20000)) + dice.randrange(40))
                       for _ in range(dice.randrange(60)))  # fmt: skip
    if way == 5 and dice.random() < 0.01:
        return (text + " ") * (50_000 // (len(text) + 1))
    return text[:place] + hostile + text[place:]


def fuzz_checker(kind: str, n: int, dice: random.Random) -> dict[str, Any]:
    """n completions through one kind of checker."""
    adapter: TypeAdapter[Any] = TypeAdapter(AnyChecker)
    problems = [
        (Problem("", "d", "s", s.prompt, s.answer, adapter.validate_python({"kind": kind}), {},
                 s.metadata), s.completion)
        for s in SAMPLES if s.kind == kind
    ]  # fmt: skip
    statuses: Counter[str] = Counter()
    crashes: list[str] = []
    slowest, slowest_text, over, memory = 0.0, "", 0, 0.0
    for i in track(range(n), description=kind, transient=True):
        if i == n // 10:
            memory = _rss_mb()
        problem, completion = dice.choice(problems)
        text = mutated(completion, dice)
        start = time.perf_counter()
        verdict = judge(problem, text, dice.choice(("stop", "length")))
        seconds = time.perf_counter() - start
        if seconds > slowest:
            slowest, slowest_text = seconds, text[:200]
        over += seconds > LIMIT_SECONDS
        statuses[verdict.status] += 1
        if verdict.status == "verifier_error" and not verdict.reason.startswith("TimeoutError"):
            crashes.append(f"{text[:200]!r}: {verdict.reason}")
    return {
        "n": n, "slowest_seconds": round(slowest, 3), "slowest": slowest_text,
        "over_limit": over, "crashes": len(crashes), "first_crashes": crashes[:3],
        "memory_growth_mb": round(_rss_mb() - memory, 1),
        "statuses": {s: statuses[s] for s in STATUSES},
    }  # fmt: skip


def fuzz_sandbox(n: int, dice: random.Random) -> dict[str, Any]:
    """n programs, whole and mutated, through the code checker."""
    from domains.checkers.unit_tests import UnitTests

    tests = json.dumps({"functional": "assert f(1) == 2\nassert f(5) == 6"})
    problem = Problem("", "code", "fuzz", "", tests, UnitTests(time_limit_seconds=1))
    statuses: Counter[str] = Counter()
    slowest, over, memory = 0.0, 0, 0.0
    for i in track(range(n), description="programs", transient=True):
        if i == n // 10:
            memory = _rss_mb()
        program = dice.choice(PROGRAMS)
        if i % 4:
            program = mutated(program, dice)
        start = time.perf_counter()
        statuses[judge(problem, f"```python\n{program}\n```").status] += 1
        seconds = time.perf_counter() - start
        slowest, over = max(slowest, seconds), over + (seconds > PROGRAM_LIMIT_SECONDS)
    return {
        "n": n, "slowest_seconds": round(slowest, 3), "over_limit": over,
        "memory_growth_mb": round(_rss_mb() - memory, 1),
        "crashes": statuses["verifier_error"],
        "statuses": {s: statuses[s] for s in STATUSES},
    }  # fmt: skip


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1%% of it")
    parser.add_argument("--completions", type=int, default=200_000, help="for each checker")
    parser.add_argument("--programs", type=int, default=2_000)
    parser.add_argument("--kinds", nargs="*", help="these checkers only")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    logging.disable(logging.WARNING)
    share = 100 if words.quick else 1
    dice = random.Random(words.seed)
    kinds = words.kinds or list(dict.fromkeys(sample.kind for sample in SAMPLES))
    checkers = {kind: fuzz_checker(kind, words.completions // share, dice) for kind in kinds}
    programs = fuzz_sandbox(words.programs // share, dice) if words.programs else {}
    parts = [*checkers.values(), *([programs] if programs else [])]
    result = {
        "peer": None,
        "crashes": sum(part["crashes"] for part in parts),
        "over_limit": sum(part["over_limit"] for part in parts),
        "memory_growth_mb": max(part["memory_growth_mb"] for part in parts),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "checkers": checkers,
        "programs": programs,
    }
    print(json.dumps(result))
    sys.exit(1 if result["crashes"] or result["over_limit"] else 0)


if __name__ == "__main__":
    main()
