"""The judge: a clean, light process of its own that runs tests and asks the jail for candidates.

It reads requests from the client until that one is gone, which is also how it learns that the
client was killed. Whatever goes wrong in the sandbox itself is answered as `failure`.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Sequence
from typing import Any

from domains.sandbox import functional, kernel, wire, zygote

GRACE_SECONDS = 5.0
"""How much longer than the candidate's limit the tests themselves may take."""
_OWN_MEMORY = 4 << 30


class Jail:
    """A zygote and the candidate that it runs at the moment."""

    def __init__(self, ways: Sequence[bool] = (True, False)) -> None:
        """The first jail of `ways` that can be built here: with namespaces or, False, without.

        Raises `RuntimeError` with the reasons when none can.
        """
        reasons = []
        for namespaces in ways:
            try:
                self.control, self.protections = zygote.start(namespaces)
            except zygote.Unavailable as error:
                reasons.append(str(error))
            else:
                break
        else:
            raise RuntimeError("no jail can be built here: " + "; ".join(reasons))
        self.missing = [f"namespaces: {reason}" for reason in reasons]

    def start(self, job: dict[str, Any], *files: int) -> wire.Channel:
        """Fork a candidate and hand it its job; the deadline of the channel runs from now."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [b"run"], [theirs.fileno(), *files])
        theirs.close()
        channel = wire.Channel(ours, time.monotonic() + job["seconds"])
        try:
            channel.send(wire.dumps(job))
            first = wire.loads(channel.receive())
        except (wire.Closed, TimeoutError) as error:
            raise RuntimeError(f"a candidate did not start: {type(error).__name__}") from None
        if first != ("locked in",):
            raise RuntimeError(f"a candidate could not be locked in: {first[1]}")
        return channel

    def end(self) -> int:
        """Kill the candidate and all it left behind; its exit status, or minus the signal."""
        self.control.send(b"end")
        status = self.control.recv(16)
        if not status:
            raise RuntimeError("the jail ended by itself")
        return os.waitstatus_to_exitcode(int(status))


def run_functions(jail: Jail, request: dict[str, Any]) -> dict[str, Any]:
    """{"reason", "passed", "total"} of tests that call the program's functions."""
    channel = jail.start(request["job"])
    candidate = functional.Candidate(channel, request["job"]["output_bytes"])
    try:
        outcome = functional.run(
            candidate, request["setup"], request["tests"], request["entry_point"],
            request["graded"],
        )  # fmt: skip
    except functional.TestsAtFault as error:
        return {"tests_at_fault": str(error)}
    finally:
        channel.stream.close()
        status = jail.end()
    reason = outcome.reason
    if candidate.gone == "ended early":
        reason = _why_ended(status)
    return {"reason": reason, "passed": outcome.passed, "total": outcome.total}


def run_script(jail: Jail, request: dict[str, Any]) -> dict[str, Any]:
    """{"reason", "stdout"} of a program that reads stdin and writes stdout."""
    limit = request["job"]["output_bytes"]
    stdin, stdout = os.memfd_create("stdin"), os.memfd_create("stdout")
    try:
        with os.fdopen(os.dup(stdin), "wb") as file:
            file.write(request["stdin"])
        os.lseek(stdin, 0, os.SEEK_SET)
        channel = jail.start(request["job"], stdin, stdout)
        message = _last_words(channel)
        channel.stream.close()
        status = jail.end()
        reason = message or (_why_ended(status) if status else "")
        output = os.pread(stdout, limit, 0)
    finally:
        os.close(stdin)
        os.close(stdout)
    return {"reason": reason, "stdout": output}


def _last_words(channel: wire.Channel) -> str:
    """Wait for the end of a program: empty, or the exception it ended with."""
    words = ""
    try:
        while True:
            match wire.loads(channel.receive(1 << 16)):
                case ("error", str(kind), str(message)):
                    words = f"{kind}: {message}"
    except wire.Closed:
        return words
    except TimeoutError:
        return "out of time"
    except wire.CannotCross as error:
        return f"sent {error}"


def _why_ended(status: int) -> str:
    if status == -signal.SIGXCPU:
        return "out of time"
    if status < 0:
        return f"ended early by {signal.Signals(-status).name}"
    return f"ended early with exit status {status}"


def main(descriptor: int) -> None:
    """Serve the client behind `descriptor` until it closes its end."""
    client = wire.Channel(socket.socket(fileno=descriptor))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.adopt_orphans()  # of the zygote, whose launcher ends at once
    try:
        jail = Jail()
    except (RuntimeError, OSError) as error:
        client.send(wire.dumps({"failure": str(error)}))
        return
    kernel.refuse_inspection()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_OWN_MEMORY, hard))
    client.send(wire.dumps({"protections": jail.protections, "missing": jail.missing}))
    serve = {"functions": run_functions, "program": run_script}
    try:
        while True:
            request = wire.loads(client.receive())
            # Ends the judge even when the tests never do and the client is no longer there.
            signal.alarm(int(request["job"]["seconds"] + 2 * GRACE_SECONDS))
            client.send(wire.dumps(serve[request["job"]["kind"]](jail, request)))
            signal.alarm(0)
    except wire.Closed:
        return
    except Exception as error:  # noqa: BLE001  told to the client, who starts another judge
        client.send(wire.dumps({"failure": f"{type(error).__name__}: {error}"}))
