"""Testing programs that nobody trusts: the client of `domains.sandbox`.

    run = run_tests("def f(x): return x + 4", "assert f(1) == 5")
    run.passed, run.reason

A pool of judges (one for each CPU at most) starts when first needed, is replaced when one dies, and
ends with this process, however that ends. Threads share it; a fork starts its own.

What a program cannot do: see the tests or other programs, write outside an empty folder of its own
that is thrown away, reach the network, start processes or threads, signal or trace anything, run
longer or take more memory than `Limits` say. What it also cannot use, honest as it may be:
packages other than the standard library, threads, subprocesses, files. Arguments and values are
copies of plain data (see `domains.sandbox.wire`), so a change made to an argument is not seen.

Linux only (x86-64, aarch64). Where a container forbids user namespaces, Landlock takes their place
(and no file can be written at all); `protections()` says what is in force.
"""

from __future__ import annotations

import atexit
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domains.sandbox import wire

_START_SECONDS = 30.0
_GRACE_SECONDS = 5.0
# Imports the judge without `domains/__init__.py` and all that this brings: the zygote is forked
# for each program, and the smaller it is the faster.
_BOOT = """
import sys, types
package = types.ModuleType("domains")
package.__path__ = [sys.argv[1]]
sys.modules["domains"] = package
from domains.sandbox.judge import main
main(int(sys.argv[2]))
"""


class SandboxError(RuntimeError):
    """The sandbox itself failed, or the tests did: nothing is known about the program."""


@dataclass(frozen=True)
class Limits:
    """What one program may take."""

    seconds: float = 3.0
    """Wall-clock time for the program and its tests together; CPU time is cut a second later."""
    memory_mb: int = 512
    """Address space in MiB, the interpreter's own (about 30) included."""
    output_bytes: int = 1 << 20
    """The longest value or standard output; also the longest file."""


@dataclass(frozen=True)
class TestsRun:
    """What came of a program's tests."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    reason: str
    """Why it failed; empty exactly when all tests passed."""
    passed_asserts: int
    asserts: int
    """How many asserts passed and stand in the tests; both 0 unless graded."""

    @property
    def passed(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class ProgramRun:
    """What came of a program that reads stdin and writes stdout."""

    reason: str
    """Why it failed to end well; empty when its exit status was 0."""
    stdout: str


def run_tests(
    code: str, tests: str, *, setup: str = "", entry_point: str = "", graded: bool = False,
    limits: Limits = Limits(),
) -> TestsRun:  # fmt: skip
    """Run trusted `tests` against the functions of an untrusted program.

    `tests` are asserts, or define `check(candidate)`, which is called with the function
    `entry_point`. Names that neither tests nor `setup` (trusted as well) bind are the program's.
    `graded` counts asserts and goes on after a failed one. Raises `SandboxError`.
    """
    request = {"setup": setup, "tests": tests, "entry_point": entry_point, "graded": graded}
    answer = _ask(request, {"kind": "functions", "code": code}, limits)
    return TestsRun(answer["reason"], answer.get("passed", 0), answer.get("total", 0))


def run_program(code: str, stdin: str, limits: Limits = Limits()) -> ProgramRun:
    """Run an untrusted program as a script. Raises `SandboxError`."""
    answer = _ask({"stdin": stdin.encode()}, {"kind": "program", "code": code}, limits)
    stdout: bytes = answer.get("stdout", b"")
    return ProgramRun(answer["reason"], stdout.decode(errors="replace"))


def protections() -> tuple[list[str], list[str]]:
    """(what is in force here, what is missing and why). Raises `SandboxError` where none can be."""
    with _judge() as judge:
        return judge.protections, judge.missing


def _ask(request: dict[str, Any], job: dict[str, Any], limits: Limits) -> dict[str, Any]:
    with _judge() as judge:
        answer = judge.ask(request | {"job": job | asdict(limits)}, limits.seconds)
    if "tests_at_fault" in answer:
        raise SandboxError(answer["tests_at_fault"])
    return answer


class _Judge:
    """One judge process and this side of its socket."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise SandboxError(f"the code sandbox needs Linux, but this is {sys.platform}")
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-P", "-B", "-c", _BOOT,
                 str(Path(__file__).parent), str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", start_new_session=True,
            )  # fmt: skip
        self.channel = wire.Channel(ours)
        answer = self._receive(_START_SECONDS)
        self.protections: list[str] = answer["protections"]
        self.missing: list[str] = answer["missing"]

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Raises `SandboxError`; the judge is dead then."""
        try:
            self.channel.send(wire.dumps(request))
            return self._receive(seconds + _GRACE_SECONDS)
        except TimeoutError:
            # The judge itself ends a candidate in time, so the tests' own code hangs, kept busy by
            # a value of the candidate's: other programs pass them.
            self.close()
            return {"reason": "out of time (in the tests)"}

    def _receive(self, seconds: float) -> dict[str, Any]:
        self.channel.stream.settimeout(seconds)
        try:
            answer: dict[str, Any] = wire.loads(self.channel.receive())
        except wire.Closed:
            answer = {"failure": "its process ended"}
        if "failure" in answer:
            self.close()
            raise SandboxError(f"the code sandbox failed: {answer['failure']}")
        return answer

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """End the judge and, through it, all that it started."""
        self.channel.stream.close()
        self.process.kill()
        self.process.wait()


def _empty_pool() -> queue.LifoQueue[_Judge | None]:
    """A slot for each CPU; None in a slot means that no judge was needed there yet."""
    pool: queue.LifoQueue[_Judge | None] = queue.LifoQueue()
    for _ in range(os.cpu_count() or 1):
        pool.put(None)
    return pool


_pool = _empty_pool()


@contextmanager
def _judge() -> Iterator[_Judge]:
    """Borrow a judge; last in, first out, so that one thread keeps to one judge."""
    pool = _pool
    judge = pool.get()
    try:
        if judge is None or not judge.alive:
            judge = None
            judge = _Judge()
        yield judge
    finally:
        pool.put(judge)


def close() -> None:
    """End every idle judge; the next program starts one again."""
    judges = []
    with suppress(queue.Empty):
        while True:
            judges.append(_pool.get_nowait())
    for judge in judges:
        if judge is not None:
            judge.close()
        _pool.put(None)


def _forget() -> None:
    """In a fork: the judges belong to the parent, whose sockets must not be held open here."""
    global _pool
    inherited, _pool = _pool, _empty_pool()
    for judge in filter(None, inherited.queue):
        judge.channel.stream.close()
        judge.process.returncode = 0  # not our child: nothing to wait for


atexit.register(close)
os.register_at_fork(after_in_child=_forget)
