"""Running a problem's tests against functions that live in another process.

The tests run here, in the judge, which trusts them. Each name they use and nobody defines is a
`Remote`, a handle on the program's function or class of that name.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import math
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from domains.sandbox import foreseen, leetcode
from domains.sandbox.remote import (
    FROM_CANDIDATE,
    Candidate,
    CandidateError,
    CandidateGone,
    NotStarted,
    Remote,
    TestsAtFault,
)  # fmt: skip

_TESTS_FILE, _TESTS_MODULE = "<tests>", "tests"


@dataclass
class Count:
    """Asserts so far, where they are counted one by one."""

    total: int
    passed: int = 0
    executed: int = 0
    first_failure: BaseException | None = None

    def note(self, error: BaseException | None = None) -> None:
        self.executed += 1
        self.passed += error is None
        self.first_failure = self.first_failure or error


@dataclass(frozen=True)
class Outcome:
    reason: str = ""
    """Empty exactly when everything passed."""
    passed: int = 0
    total: int = 0
    """Asserts passed and asserts in all; both 0 unless they are counted."""


@dataclass(frozen=True)
class Tests:
    """Test code, compiled once for the many completions of its problem."""

    setup: CodeType
    body: CodeType
    entry_point: str
    """An expression for what `check` is called with; may be empty."""
    own: str
    """The name in it that is the program's even where the setup binds it."""
    unknown: frozenset[str]
    """Names that the code reads and nobody binds: they are looked for in the candidate."""
    modules: frozenset[str]
    """Modules of the standard library that the code uses without importing them."""
    records: tuple[str, ...]
    """Classes of the tests, whose objects may cross."""
    leetcode: bool
    """Whether they are written as LeetCode's are, around a class `Solution`."""
    source: str
    foreseen: tuple[bytes, ...]
    """Requests that will be made, in this order, whatever the program answers."""
    asserts: int = 0


def run(candidate: Candidate, tests: Tests, graded: bool) -> Outcome:
    """Run the tests. Graded ones go on after a failed assert.

    Raises `TestsAtFault` when the fault is in the tests.
    """
    names = _names(candidate, tests)
    count = Count(total=tests.asserts)
    names |= {"__name__": _TESTS_MODULE, "__count__": count.note}
    candidate.classes = lambda name: _trusted_class(names, name)
    failure: BaseException | None = None
    try:
        candidate.load()
        exec(tests.setup, names)
        if tests.own:
            names[tests.own] = Remote(candidate, tests.own)
        exec(tests.body, names)
        if tests.entry_point and "check" in names and not candidate.calls:
            names["check"](eval(tests.entry_point, names))
    except (TestsAtFault, NotStarted):
        raise
    except BaseException as error:  # noqa: BLE001  a test may fail with anything
        failure = error
    failure = count.first_failure or failure
    if isinstance(failure, ImportError) and not _of_program(failure):
        raise TestsAtFault(f"the tests cannot import: {failure}")
    if failure is None and not candidate.gone and candidate.calls == 0:
        raise TestsAtFault("the tests never call the program")
    reason = candidate.gone or ("" if failure is None else _describe(failure, tests.source))
    if not graded:
        return Outcome(reason)
    return Outcome(reason, count.passed, max(count.total, count.executed))


def run_calls(
    candidate: Candidate, name: str, inputs: Sequence[Sequence[Any]], outputs: Sequence[Any],
    graded: bool,
) -> Outcome:  # fmt: skip
    """Call the function or method `name` with each list of arguments and compare what it returns.

    As APPS and LiveCodeBench compare: a tuple is as good as a list, an output may stand in a list
    of its own, and floats need not agree beyond a relative or absolute 1e-6.
    """
    passed, reason = 0, ""
    try:
        candidate.load()
        function = Remote(candidate, name)
        for number, (arguments, expected) in enumerate(zip(inputs, outputs, strict=True), start=1):
            try:
                value = function(*arguments)
                found = "" if as_expected(value, expected) else f"returned {value!r:.200}"
            except Exception as error:  # noqa: BLE001  a program may raise anything
                found = _describe(error, "")
            passed += not found
            reason = reason or (f"input {number}: {found}" if found else "")
            if reason and not graded:
                break
    except CandidateGone:
        pass
    except CandidateError as error:
        reason = _describe(error, "")
    return Outcome(candidate.gone or reason, passed, len(inputs) if graded else 0)


@lru_cache(maxsize=32)
def prepare(setup: str, tests: str, entry_point: str, graded: bool) -> Tests:
    """Compile tests. `setup` is trusted code that they stand on. Raises `TestsAtFault`."""
    try:
        trees = ast.parse(setup), ast.parse(tests)
        unknown = _unknown_names(*trees, ast.parse(entry_point))
        modules = unknown & sys.stdlib_module_names & _attribute_owners(*trees)
        asserts = sum(isinstance(node, ast.Assert) for node in ast.walk(trees[1]))
        body = _counted(trees[1]) if graded else trees[1]
        own = re.split(r"\W", entry_point)[0] or ("" if unknown else _shadowed_builtin(trees[1]))
        programs = unknown - modules | ({own} if own else set())
        ahead = foreseen.foreseen(*trees, programs, entry_point)
        return Tests(
            setup=compile(trees[0], "<setup>", "exec"), body=compile(body, _TESTS_FILE, "exec"),
            entry_point=entry_point, own=own,
            unknown=unknown - modules, modules=modules, records=_records(*trees, unknown=unknown),
            leetcode="Solution" in unknown or entry_point.startswith("Solution"),
            source=tests, asserts=asserts if graded else 0,
            foreseen=ahead,
        )  # fmt: skip
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TestsAtFault(f"the tests are not Python: {error}") from None


def _shadowed_builtin(tests: ast.AST) -> str:
    """The function under test, where it bears the name of a builtin and nothing else is called."""
    for node in ast.walk(tests):
        match node:
            case ast.Assert(test=ast.Compare(left=ast.Call(func=ast.Name(id=name)))):
                if hasattr(builtins, name):
                    return name
    return ""


def _names(candidate: Candidate, tests: Tests) -> dict[str, Any]:
    names: dict[str, Any] = {name: Remote(candidate, name) for name in tests.unknown}
    if tests.leetcode:
        names |= {
            name: leetcode.FOR_TESTS[name] for name in tests.unknown & leetcode.FOR_TESTS.keys()
        }
    return names | {name: importlib.import_module(name) for name in tests.modules}


def _records(*trees: ast.AST, unknown: frozenset[str]) -> tuple[str, ...]:
    nodes = (node for tree in trees for node in ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    offered = set(leetcode.RECORDS) if "Solution" in unknown else set()
    return tuple(sorted(own | offered))


def _trusted_class(names: dict[str, Any], name: str) -> type | None:
    kind = names.get(name, leetcode.RECORDS.get(name))
    if isinstance(kind, type) and kind.__module__ in (_TESTS_MODULE, leetcode.__name__):
        return kind
    return leetcode.RECORDS.get(name)


def counted(tests: str) -> str:
    """The tests with each assert told to `__count__`, as `prepare` compiles them when graded."""
    return ast.unparse(_counted(ast.parse(tests)))


def _counted(tree: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(_CountAsserts().visit(tree))  # type: ignore[no-any-return]


class _CountAsserts(ast.NodeTransformer):
    """Wraps each assert so that it is counted and a failing one does not end the tests."""

    def visit_Assert(self, node: ast.Assert) -> ast.Try:
        wrapper = ast.parse(
            "try:\n    pass\nexcept Exception as __error__:\n    __count__(__error__)\n"
            "else:\n    __count__()"
        ).body[0]
        assert isinstance(wrapper, ast.Try)
        wrapper.body = [node]
        return ast.copy_location(wrapper, node)


def _unknown_names(*trees: ast.AST) -> frozenset[str]:
    read: set[str] = set()
    bound: set[str] = set(dir(builtins))
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name="*"):
                pass
            case ast.alias(name=name, asname=other):
                bound.add(other or name.partition(".")[0])
            case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")]):
                if module in sys.stdlib_module_names:
                    bound |= set(dir(importlib.import_module(module)))
    return frozenset(read - bound)


def _attribute_owners(*trees: ast.AST) -> set[str]:
    """Names that are only ever used to take an attribute of, as `sys` in `sys.maxsize`."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    owners = [
        node.value for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]  # fmt: skip
    known = set(map(id, owners))
    alone = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in known}
    return {owner.id for owner in owners} - alone


def as_expected(value: Any, expected: Any) -> bool:
    """Whether a returned value is the expected one, as `run_calls` says."""
    try:
        return _close(value, expected) or (
            isinstance(expected, list) and len(expected) == 1 and _close(value, expected[0])
        )
    except RecursionError:
        return False


def _close(value: Any, expected: Any) -> bool:
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(map(_close, value, expected))
    if isinstance(value, float) and isinstance(expected, float | int):
        return math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-6)
    return bool(value == expected)


def _of_program(error: BaseException) -> bool:
    return isinstance(error, CandidateError) or FROM_CANDIDATE in getattr(error, "__notes__", ())


def _describe(error: BaseException, tests: str) -> str:
    """What failed, and the line of the tests where it did."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == _TESTS_FILE and frame.lineno
    ]  # fmt: skip
    line = tests.splitlines()[lines[-1] - 1].strip()[:200] if lines else ""
    if type(error) is AssertionError and line:
        return f"failed: {line}"
    name = "" if isinstance(error, CandidateError) else f"{type(error).__name__}: "
    return f"{name}{error}" + (f" at: {line}" if line else "")
