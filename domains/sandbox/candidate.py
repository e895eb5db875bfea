"""The candidate's side: the one process that runs the program nobody trusts.

`main` is entered in a fresh fork of the zygote. It reads the program from the judge, locks itself
in (limits, another user, no capabilities, filtered system calls), and only then runs it. Nothing
here is relied on after that point: the program owns the whole process and may answer the judge
whatever it likes, which is no more than any function may return.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from domains.sandbox import wire

_CHANNEL = 3
FIRST_KEPT = 64
"""Descriptors from here on outlive the clearing; `lock_in` may need one."""
_MESSAGE_LIMIT = 200


def main(descriptors: list[int], lock_in: Callable[[], None]) -> None:
    """Run one program and end this process; never returns.

    `descriptors` are the channel to the judge and, for a program that reads stdin and writes
    stdout, those two; `lock_in` takes every privilege from the calling process.
    """
    channel = wire.Channel(socket.socket(fileno=_arrange(descriptors)))
    try:
        job = wire.loads(channel.receive())
        _limit(job)
        lock_in()
    except BaseException as error:  # noqa: BLE001  the sandbox's own failure, told as such
        with suppress(wire.Closed):
            channel.send(wire.dumps(("failure", f"{type(error).__name__}: {error}")))
        os._exit(1)
    channel.send(wire.dumps(("locked in",)))
    try:
        if job["kind"] == "program":
            _run_program(job["code"], channel)
        else:
            _serve_functions(job["code"], channel)
    finally:
        os._exit(1)


def _arrange(descriptors: list[int]) -> int:
    """Channel at 3, stdin and stdout where given, the others closed; returns the channel."""
    # Duplicated upwards first, so that no target is still in use as a source.
    high = [os.dup(descriptor) for descriptor in descriptors]
    for source, target in zip(high, (_CHANNEL, 0, 1), strict=False):
        os.dup2(source, target)
    os.closerange(_CHANNEL + 1, FIRST_KEPT)
    return _CHANNEL


def _limit(job: dict[str, Any]) -> None:
    memory = job["memory_mb"] << 20
    seconds = int(job["seconds"]) + 1
    for kind, limit in (
        (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, job["output_bytes"]), (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(kind, (limit, limit))


def _run_program(code: str, channel: wire.Channel) -> None:
    """The whole program as `__main__`; its exit status is this process's."""
    try:
        exec(compile(code, "<program>", "exec"), _module("__main__"))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:  # noqa: BLE001  whatever it raises is a result
        channel.send(wire.dumps(_describe(error)))
        status = 1
    try:
        sys.stdout.flush()
    finally:
        os._exit(status & 0xFF)


def _serve_functions(code: str, channel: wire.Channel) -> None:
    """Load the program, then answer calls of its functions until the judge is done."""
    # Not "__main__": what a solution does when run as a script is not asked for.
    namespace = _module("solution")

    def load() -> None:
        exec(compile(code, "<program>", "exec"), namespace)

    channel.send(_answer(load))
    while True:
        try:
            name, arguments, keywords = wire.loads(channel.receive())
        except wire.Closed:
            os._exit(0)
        if name in namespace:
            reply = _answer(namespace[name], *arguments, **keywords)
        else:
            reply = wire.dumps(("error", "NameError", f"the program does not define {name!r}"))
        channel.send(reply)


def _answer(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> bytes:
    try:
        value = function(*arguments, **keywords)
    except BaseException as error:  # noqa: BLE001  whatever it raises is a result
        return wire.dumps(_describe(error))
    try:
        return wire.dumps(("value", value))
    except wire.CannotCross as error:
        return wire.dumps(("error", "CannotCross", f"returned {error}, not plain data"))
    except BaseException as error:  # noqa: BLE001  an iterator's own code runs here
        return wire.dumps(_describe(error))


def _describe(error: BaseException) -> tuple[str, str, str]:
    try:
        text = str(error)[:_MESSAGE_LIMIT]
    except BaseException:  # noqa: BLE001  a hostile __str__
        text = ""
    return ("error", type(error).__name__, text)


def _module(name: str) -> dict[str, Any]:
    """The namespace of a fresh module which dataclasses, typing and pickle can look up."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    return module.__dict__
