"""The candidate's side: the one process that runs the program nobody trusts.

`main` is entered in a fresh fork of the zygote, which is locked in already. It reads the program
from the judge, sets its limits, gives up its last powers, and only then runs it. Nothing here is
relied on after that point: the program owns the whole process and may answer the judge whatever it
likes, which is no more than any function may return.
"""

from __future__ import annotations

import builtins
import math
import os
import resource
import struct
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from domains.sandbox import wire

LOCKED_IN = b"locked in"
"""The first message, while no word of the program has run; any other is the sandbox's failure."""
CHANNEL, CONTROL = 3, 63
"""Descriptors of the channel to the judge and, in the zygote, of its own socket."""
OFFERED: dict[str, Any] = {}
"""Names that a solution in LeetCode's form may use unasked; filled before the first fork."""

HEADER = struct.Struct("!I")
_MESSAGE_LIMIT = 200


def main(with_files: bool, lock_in: Callable[[bool], int]) -> None:
    """Run one program and end this process; never returns.

    The channel to the judge is descriptor 3; `with_files` says that stdin and stdout of a program
    are 4 and 5. `lock_in`, told whether threads are wanted, takes its last powers and says how
    many may run.
    """
    try:
        _arrange(with_files)
        job = wire.loads_trusted(receive())
        # Nobody starts a thread without one of these words.
        code = job["code"]
        _limit(job, lock_in("thread" in code or "concurrent" in code))
    except BaseException as error:  # noqa: BLE001  the sandbox's own failure, told as such
        send(f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    try:
        send(LOCKED_IN)
        if job["leetcode"]:
            builtins.__dict__.update(OFFERED)
            if "Sorted" in code:
                # Not above: its `random` may be imported by the zygote only.
                from domains.sandbox import leetcode

                builtins.__dict__.update(leetcode.sorted_containers())
        if job["kind"] == "program":
            _run_program(job["code"])
        else:
            Server(job).serve()
    finally:
        os._exit(1)


def _arrange(with_files: bool) -> None:
    if with_files:
        os.dup2(CHANNEL + 1, 0)
        os.dup2(CHANNEL + 2, 1)
    os.closerange(CHANNEL + 1, CONTROL + 1)


def _limit(job: dict[str, Any], tasks: int) -> None:
    seconds = math.ceil(job["seconds"])
    # The first ends a program with a signal that says why; the second ends one that ignores it.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for kind, limit in (
        (resource.RLIMIT_AS, job["memory_mb"] << 20),
        (resource.RLIMIT_FSIZE, job["output_bytes"]), (resource.RLIMIT_NPROC, tasks),
    ):  # fmt: skip
        resource.setrlimit(kind, (limit, limit))


def receive() -> bytes:
    """One message; the judge sends the next only after the answer to this one."""
    data = os.read(CHANNEL, 1 << 16)
    while len(data) < HEADER.size or len(data) < HEADER.size + HEADER.unpack_from(data)[0]:
        more = os.read(CHANNEL, 1 << 20)
        if not more:
            os._exit(0)
        data += more
    return data[HEADER.size :]


def send(data: bytes) -> None:
    rest = memoryview(HEADER.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(CHANNEL, rest) :]


def _run_program(code: str) -> None:
    """The whole program as `__main__`; its exit status is this process's."""
    try:
        exec(compile(code, "<program>", "exec"), _module("__main__"))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:  # noqa: BLE001  whatever it raises is a result
        send(wire.dumps(_describe(error)))
        status = 1
    try:
        sys.stdout.flush()
    finally:
        os._exit(status & 0xFF)


class Server(wire.Reader):
    """Loads a program, then answers what the judge asks of it until the judge is done."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__()
        self.code: str = job["code"]
        self.ahead: tuple[bytes, ...] = job["ahead"]
        self.records: list[str] = job["records"]
        self.leetcode: bool = job["leetcode"]
        # Not "__main__": what a solution does when run as a script is not asked for.
        self.names = _module("solution")
        self.objects: list[Any] = []

    def serve(self) -> None:
        send(self.answer(self.load))
        for request in self.ahead:
            send(self.answer(self.obey, request))
        while True:
            send(self.answer(self.obey, receive()))

    def answer(self, function: Callable[..., Any], *details: Any) -> bytes:
        try:
            value = function(*details)
            try:
                return wire.dumps_reply(value, self.records)
            except wire.CannotCross as error:
                # It stays here and the tests get a handle, which equals nothing.
                self.objects.append(value)
                return wire.dumps(["object", len(self.objects) - 1, str(error)])
        except BaseException as error:  # noqa: BLE001  whatever it raises is a result
            return wire.dumps(_describe(error))

    def load(self) -> None:
        exec(compile(self.code, "<program>", "exec"), self.names)

    def obey(self, request: bytes) -> Any:
        match wire.loads_trusted(request, self):
            case ["call", key, arguments, keywords]:
                return self.reference(key)(*arguments, **keywords)
            case ["get", key, name]:
                return getattr(self.reference(key), name)
            case ["set", key, name, value]:
                return setattr(self.reference(key), name, value)

    def reference(self, key: str | int) -> Any:
        if isinstance(key, int):
            return self.objects[key]
        if key in self.names:
            return self.names[key]
        if self.leetcode and "Solution" in self.names and key != "Solution":
            return getattr(self.names["Solution"](), key)
        raise NameError(f"the program does not define {key!r}")

    def record(self, name: str) -> Any:
        kind = self.names.get(name) or OFFERED.get(name)
        if not isinstance(kind, type):
            raise NameError(f"the program does not define the class {name!r}")
        return object.__new__(kind)


def _describe(error: BaseException) -> list[str]:
    try:
        text = str(error)[:_MESSAGE_LIMIT]
    except BaseException:  # noqa: BLE001  a hostile __str__
        text = ""
    return ["error", type(error).__name__, text]


def _module(name: str) -> dict[str, Any]:
    """The namespace of a fresh module which dataclasses, typing and pickle can look up."""
    module = ModuleType(name)
    sys.modules[name] = module
    return module.__dict__
