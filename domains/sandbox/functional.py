"""Running a problem's tests against functions that live in another process.

The tests see a proxy under each name they use and nobody defines; calling it sends the arguments
into the jail and brings the value back. They run here, in the judge, which trusts them.
"""

from __future__ import annotations

import ast
import builtins
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from domains.sandbox import wire

_TESTS_FILE = "<tests>"


class CandidateGone(BaseException):
    """The candidate ended, ran out of time or broke the protocol."""


class TestsAtFault(BaseException):
    """The tests themselves cannot be run: a mistake in the data, not in the program."""


class CandidateError(Exception):
    """An exception in the candidate whose type is not one of Python's own."""


@dataclass
class Candidate:
    """The judge's end of one candidate."""

    channel: wire.Channel
    value_limit: int
    calls: int = 0
    gone: str = ""
    """Why it cannot answer any more; a test that swallows `CandidateGone` still fails by this."""

    def load(self) -> None:
        """Wait until the program itself has run. Raises what it raised, or `CandidateGone`."""
        self._value()

    def call(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Call a function of the program with plain arguments."""
        self.calls += 1
        if self.gone:
            raise CandidateGone(self.gone)
        try:
            request = wire.dumps((name, arguments, keywords))
        except wire.CannotCross as error:
            raise TestsAtFault(f"the tests pass {error} to {name}, not plain data") from None
        try:
            self.channel.send(request)
        except (wire.Closed, TimeoutError) as error:
            self._lose(error)
        return self._value()

    def _value(self) -> Any:
        try:
            reply = wire.loads(self.channel.receive(self.value_limit))
        except (wire.Closed, wire.CannotCross, TimeoutError) as error:
            self._lose(error)
        match reply:
            case ("value", value):
                return value
            case ("error", str(kind), str(message)):
                raise _exception(kind, message)
        self._lose(wire.CannotCross("bytes that are no reply"))

    def _lose(self, error: Exception) -> Any:
        if isinstance(error, TimeoutError):
            self.gone = "out of time"
        elif isinstance(error, wire.CannotCross):
            self.gone = f"sent {error}"
        else:
            self.gone = "ended early"
        raise CandidateGone(self.gone) from None


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
    unknown: frozenset[str] = field(default=frozenset())
    """Names that the code reads and nobody binds: they are looked for in the candidate."""
    asserts: int = 0


def run(candidate: Candidate, setup: str, tests: str, entry_point: str, graded: bool) -> Outcome:
    """Run the tests. `setup` is trusted code that they stand on.

    The name `entry_point` (may be empty) is the candidate's even where `setup` binds it; tests that
    define `check` have it called with that function. Graded tests go on after a failed assert.
    Raises `TestsAtFault` when the fault is in the tests.
    """
    compiled = _compile(setup, tests, graded)
    count = Count(total=compiled.asserts)
    names: dict[str, Any] = {name: _proxy(candidate, name) for name in compiled.unknown}
    names |= {"__name__": "tests", "__count__": count.note}
    failure: BaseException | None = None
    try:
        candidate.load()
        exec(compiled.setup, names)
        if entry_point:
            names[entry_point] = _proxy(candidate, entry_point)
        exec(compiled.body, names)
        if entry_point and "check" in names and entry_point != "check":
            names["check"](names[entry_point])
    except TestsAtFault:
        raise
    except BaseException as error:  # noqa: BLE001  a test may fail with anything
        failure = error
    failure = count.first_failure or failure
    if failure is None and not candidate.gone and candidate.calls == 0:
        raise TestsAtFault("the tests never call the program")
    reason = candidate.gone or ("" if failure is None else _describe(failure, tests))
    if not graded:
        return Outcome(reason)
    return Outcome(reason, count.passed, max(count.total, count.executed))


@lru_cache(maxsize=256)
def _compile(setup: str, tests: str, graded: bool) -> Tests:
    try:
        trees = ast.parse(setup), ast.parse(tests)
        unknown = _unknown_names(*trees)
        asserts = sum(isinstance(node, ast.Assert) for node in ast.walk(trees[1]))
        body = ast.fix_missing_locations(_CountAsserts().visit(trees[1])) if graded else trees[1]
        return Tests(
            compile(trees[0], "<setup>", "exec"), compile(body, _TESTS_FILE, "exec"),
            unknown, asserts if graded else 0,
        )  # fmt: skip
    except (SyntaxError, ValueError) as error:
        raise TestsAtFault(f"the tests are not Python: {error}") from None


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
            case ast.alias(name=name, asname=other):
                bound.add(other or name.partition(".")[0])
    return frozenset(read - bound)


def _proxy(candidate: Candidate, name: str) -> Callable[..., Any]:
    def proxy(*arguments: Any, **keywords: Any) -> Any:
        return candidate.call(name, *arguments, **keywords)

    proxy.__name__ = proxy.__qualname__ = name
    return proxy


def _exception(kind: str, message: str) -> Exception:
    """The candidate's exception, so that tests can expect one of Python's own."""
    known = getattr(builtins, kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(message)
        except TypeError:  # UnicodeDecodeError and its like want more than a message
            pass
    return CandidateError(f"{kind}: {message}")


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
