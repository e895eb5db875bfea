"""The judge: a clean, light process of its own that runs tests and asks the jail for candidates.

It serves the client until that one is gone, and then ends at once, whatever runs: the zygote, and
with it the jail, ends when its judge does. Whatever goes wrong in the sandbox itself is answered
as `failure`.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import sys
from threading import Thread
from typing import Any

from domains.sandbox import foreseen, functional, kernel, wire
from domains.sandbox.candidate import LOCKED_IN
from domains.sandbox.channel import Channel, Closed
from domains.sandbox.jail import Jail
from domains.sandbox.remote import Candidate, TestsAtFault

GRACE_SECONDS = 5.0
"""How much longer than the candidate's limit the tests themselves may take."""
_OWN_MEMORY = 4 << 30


def run_functions(jail: Jail, request: dict[str, Any]) -> dict[str, Any]:
    """{"reason", "passed", "total"} of tests that call the program's functions."""
    graded = request["graded"]
    try:
        tests = functional.prepare(
            request["setup"], request["tests"], request["entry_point"], graded
        )
        job = _told(request["job"], tests.leetcode, tests.records, tests.foreseen)
        with jail.candidate(job) as channel:
            candidate = Candidate(
                channel, job["output_bytes"], tests.records, ahead=len(tests.foreseen)
            )
            outcome = functional.run(candidate, tests, graded)
    except TestsAtFault as error:
        return {"tests_at_fault": str(error)}
    return _answer(jail, candidate, outcome)


def run_calls(jail: Jail, request: dict[str, Any]) -> dict[str, Any]:
    """{"reason", "passed", "total"} of one function, called with several inputs."""
    ahead = tuple(foreseen.request(request["name"], values, {}) for values in request["inputs"])
    job = _told(request["job"], True, (), ahead)
    with jail.candidate(job) as channel:
        candidate = Candidate(channel, job["output_bytes"], ahead=len(ahead))
        outcome = functional.run_calls(
            candidate, request["name"], request["inputs"], request["outputs"], request["graded"]
        )
    return _answer(jail, candidate, outcome)


def run_script(jail: Jail, request: dict[str, Any]) -> dict[str, Any]:
    """{"reason", "stdout"} of a program that reads stdin and writes stdout."""
    limit = request["job"]["output_bytes"]
    stdin, stdout = os.memfd_create("stdin"), os.memfd_create("stdout")
    try:
        with os.fdopen(os.dup(stdin), "wb") as file:
            file.write(request["stdin"])
        os.lseek(stdin, 0, os.SEEK_SET)
        with jail.candidate(_told(request["job"], False, ()), stdin, stdout) as channel:
            message = _last_words(channel)
        reason = message or (_why_ended(jail.status) if jail.status else "")
        output = os.pread(stdout, limit, 0)
    finally:
        os.close(stdin)
        os.close(stdout)
    return {"reason": reason, "stdout": output}


def _told(
    job: dict[str, Any], leetcode: bool, records: tuple[str, ...], ahead: tuple[bytes, ...] = ()
) -> dict[str, Any]:
    return job | {"leetcode": leetcode, "records": records, "ahead": ahead}


def _answer(jail: Jail, candidate: Candidate, outcome: functional.Outcome) -> dict[str, Any]:
    reason = outcome.reason
    if candidate.gone == "ended early":
        reason = _why_ended(jail.status)
    return {"reason": reason, "passed": outcome.passed, "total": outcome.total}


def _last_words(channel: Channel) -> str:
    """Wait for the end of a program: empty, or the exception it ended with."""
    words = ""
    try:
        if (first := channel.receive(1 << 16)) != LOCKED_IN:
            raise RuntimeError(f"a candidate could not be locked in: {first.decode()}")
        while True:
            match wire.loads(channel.receive(1 << 16)):
                case ["error", str(kind), str(message)]:
                    words = f"{kind}: {message}"
    except Closed:
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


def _end_with(client: socket.socket) -> None:
    """Wait until the client closes its end or is killed."""
    hangup = select.poll()
    hangup.register(client, select.POLLRDHUP)
    hangup.poll()
    os._exit(0)


def main(descriptor: int, *packages: str) -> None:
    """Serve the client behind `descriptor` until it closes its end.

    `packages` are folders of packages that programs may import.
    """
    client = Channel(socket.socket(fileno=descriptor))
    sys.path += sorted({os.path.dirname(package) for package in packages})  # for tests
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.adopt_orphans()  # of the zygote, whose launcher ends at once
    try:
        jail = Jail(packages=packages)
    except (RuntimeError, OSError) as error:
        client.send(wire.dumps({"failure": str(error)}))
        return
    kernel.refuse_inspection()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_OWN_MEMORY, hard))
    Thread(target=_end_with, args=(client.stream,), daemon=True).start()
    client.send(wire.dumps({"protections": jail.protections, "missing": jail.missing}))
    serve = {"functions": run_functions, "calls": run_calls, "program": run_script}
    try:
        while True:
            request = wire.loads_trusted(client.receive())
            # Ends the judge even when the tests never do and the client is no longer there.
            signal.alarm(int(request["job"]["wall_seconds"] + 2 * GRACE_SECONDS))
            client.send(wire.dumps(serve[request["job"]["kind"]](jail, request)))
            signal.alarm(0)
    except Closed:
        return
    except Exception as error:  # noqa: BLE001  told to the client, who starts another judge
        client.send(wire.dumps({"failure": f"{type(error).__name__}: {error}"}))
