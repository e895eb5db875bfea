"""The first process of the jail: builds it once, then forks a candidate whenever it is told to.

It runs one program at a time. Where the system allows namespaces it is process 1 of its own, so
"kill everything but me" after each program is exact, and when it ends the kernel ends the rest.
It receives descriptors only, never programs or tests, so there is nothing in it to be found.

It imports little (neither pathlib nor socket), since each fork copies what it holds, and all that
can be done once is done once: a fork is born locked in, in an empty folder, and adds only
its own limits and the last few system calls that it may not make.
"""

from __future__ import annotations

import _socket
import builtins
import contextlib
import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable

from domains.sandbox import candidate, kernel, seccomp, wire

SPARE_UID = 60_999
"""Whom a candidate becomes where root starts the sandbox; no system hands this number out."""
UNSHARED, MAPPED, RUN, END, STUBBORN = b"unshared", b"mapped", b"run", b"end", b"!"
"""Words between judge and zygote; the last follows a wait status when the jail cannot go on."""

NAMESPACES, NO_NAMESPACES = "namespaces", "no namespaces"
"""The two kinds of jail."""

_WORK, _PACKAGES = "/box", "/packages"
_WORK_OPTIONS = "size=16m,nr_inodes=512,mode=777"
_THREADS = 16
_SYSTEM_PATHS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/dev/null", "/dev/urandom")
# Imported before the first fork, so that a solution's own imports cost it nothing. What is rarely
# asked for is left out, since every page of it is copied for every program.
_PRELOADED = (
    "bisect", "collections", "copy", "datetime", "enum", "functools", "heapq",
    "io", "itertools", "math", "numbers", "operator", "re", "string", "time", "typing",
)  # fmt: skip


class Unavailable(Exception):
    """This kind of jail cannot be built here."""


def main(descriptor: int, namespaces: str, *packages: str) -> None:
    """Start the zygote, whose control socket is `descriptor`, and end.

    `packages` are folders of packages that programs may import, in namespaces only. The process
    that asks for a namespace of processes is not in it; its first child is.
    """
    # Out of the way: what the judge sends then arrives as the lowest descriptors, from 3 on.
    os.dup2(descriptor, candidate.CONTROL)
    os.closerange(candidate.CHANNEL, candidate.CONTROL)
    control = _socket.socket(fileno=candidate.CONTROL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _preload()
    _rehearse()
    try:
        if namespaces == NAMESPACES:
            kernel.unshare(
                kernel.NEW_USER | kernel.NEW_PID | kernel.NEW_MOUNT | kernel.NEW_NET
                | kernel.NEW_IPC | kernel.NEW_UTS
            )  # fmt: skip
            control.send(UNSHARED)
            if control.recv(16) != MAPPED:
                return
        if os.fork() == 0:
            _run(control, namespaces == NAMESPACES, packages)
    except OSError as error:
        control.send(f"failed: {error}".encode())


def _run(control: _socket.socket, namespaces: bool, packages: tuple[str, ...]) -> None:
    """Build the jail, say so over `control`, and serve until the judge is gone."""
    try:
        protections, lock_in = _build(namespaces, packages)
    except Exception as error:  # noqa: BLE001  nobody else is left to tell it
        control.send(f"failed: {type(error).__name__}: {error}".encode())
        os._exit(1)
    os.environ.clear()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads would take the memory of many
    gc.collect()
    gc.freeze()
    control.send("\n".join(protections).encode())
    _serve(control, namespaces, lock_in)


def _preload() -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    # It would seed itself anew in each fork; so a program draws the same numbers every time.
    registered, os.register_at_fork = os.register_at_fork, lambda **_: None
    random = importlib.import_module("random")
    os.register_at_fork = registered
    random.seed(0)
    candidate.OFFERED.update(
        (name, value)
        for name, value in importlib.import_module("domains.sandbox.leetcode")
        .for_programs()
        .items()
        if not hasattr(builtins, name)
    )


def _rehearse() -> None:
    """Run a candidate's common steps here, so that what they set up once is not copied each time.

    Python adapts a function to its use while it first runs, which writes to the function.
    """
    code = "import math\nfrom typing import List\ndef f(x: int) -> List[int]:\n    return x"
    job = {"code": code, "records": (), "leetcode": False, "ahead": ()}
    theirs, ours = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    assert theirs.fileno() == candidate.CHANNEL
    for value in [1, 2.5, [1], {"a": (1, "b")}] * 10:
        server = candidate.Server(job)
        for message in (job, ["call", "f", (value,), {}], ["call", "f", (), {}]):
            data = wire.dumps_trusted(message)
            ours.send(candidate.HEADER.pack(len(data)) + data)
            request = candidate.receive()
            step = server.load if message is job else lambda: server.obey(request)  # noqa: B023
            candidate.send(server.answer(step))
            ours.recv(1 << 10)
    theirs.close()
    ours.close()
    del sys.modules["solution"]


def _build(namespaces: bool, packages: tuple[str, ...]) -> tuple[list[str], Callable[[bool], int]]:
    """(what protects the system from a candidate, what a fork calls to lose its last powers)."""
    zygote_filter = seccomp.for_zygote(process_1=namespaces)
    if zygote_filter is None:
        raise Unavailable(f"no filter on system calls is known for {os.uname().machine}")
    candidate_filter = kernel.CallFilter(seccomp.for_candidate())
    uid = SPARE_UID if os.geteuid() == 0 else None
    protections = [
        "resource limits (processor time, memory, file size, open files, threads)",
        "filtered system calls (no processes, signals, tracing, sockets)",
        "no environment, hash seed 0",
    ]
    if uid is not None:
        protections.append("a user of its own")
    if namespaces:
        _move_in(packages)
        protections.append(
            "namespaces (processes, network, files, users, ipc), a folder of its own"
        )
    ruleset = None if namespaces else _landlock(uid is not None)
    if ruleset is not None:
        protections.append("Landlock (no file can be written)")
    for kind, limit in ((resource.RLIMIT_NOFILE, 32), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (limit, limit))
    if uid is not None:
        kernel.shrink_bounding_set()
    os.chdir(_WORK if namespaces else "/")
    kernel.drop_privileges(uid)
    kernel.refuse_inspection()
    if ruleset is not None:
        kernel.landlock_enter(ruleset)
    kernel.CallFilter(zygote_filter).install()

    def lock_in(threads: bool) -> int:
        if namespaces and not threads:
            # Process 1 cannot be harmed from within and its end is the end of all, and without
            # threads a limit of none suffices against forks.
            return 0
        candidate_filter.install()
        if not namespaces:
            kernel.die_with_parent()
            return 0  # the limit counts what other zygotes run, too
        return _THREADS

    return protections, lock_in


def _landlock(has_own_user: bool) -> int | None:
    """A ruleset; None where the kernel has none and another user is protection enough."""
    try:
        return kernel.landlock_ruleset(_readable())
    except OSError as error:
        if not has_own_user:
            raise Unavailable(f"neither namespaces nor Landlock ({error})") from None
        return None


def _readable() -> list[str]:
    """What Python needs in order to import the rest of the standard library."""
    return sorted({*filter(os.path.isdir, sys.path), *_SYSTEM_PATHS})


def _move_in(packages: tuple[str, ...]) -> None:
    """Swap the file system for an empty one that shows `_readable()` and a folder to work in.

    Seen by this process and its children only; nothing is left behind when they end.
    """
    shown = {path: path for path in _readable()}
    shown |= {path: f"{_PACKAGES}/{os.path.basename(path)}" for path in packages}
    kernel.mount("none", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    root = "/tmp"
    kernel.mount("tmpfs", root, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, "size=1m,mode=755")
    os.mkdir(f"{root}/old")
    kernel.pivot_root(root, f"{root}/old")
    os.chdir("/")
    for original, path in shown.items():
        source = "/old" + original
        if os.path.exists(path):
            continue  # below one that is bound already: /usr/lib/python3.11 in /usr/lib
        if os.path.islink(source):
            os.symlink(os.readlink(source), path)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.mkdir(path) if os.path.isdir(source) else os.close(os.open(path, os.O_CREAT))
            kernel.bind_read_only(source, path)
    sys.path.append(_PACKAGES)
    os.mkdir(_WORK)
    kernel.unmount("/old")
    os.rmdir("/old")
    kernel.mount("none", "/", None, kernel.REMOUNT | kernel.READ_ONLY)
    kernel.mount("tmpfs", _WORK, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, _WORK_OPTIONS)


def _serve(control: _socket.socket, namespaces: bool, lock_in: Callable[[bool], int]) -> None:
    """For each set of descriptors: fork, wait for the word, kill, clean, report the wait status."""
    size = 4  # of a descriptor as the kernel writes it
    room = _socket.CMSG_SPACE(3 * size)
    while True:
        message, ancillary, _, _ = control.recvmsg(16, room)
        if not message:
            os._exit(0)
        count = len(ancillary[0][2]) // size
        pid = os.fork()
        if pid == 0:
            candidate.main(count > 1, lock_in)
        os.closerange(candidate.CHANNEL, candidate.CHANNEL + count)
        told = control.recv(16)
        status = _end(pid, namespaces)
        if not told:
            os._exit(0)
        clean = not namespaces or not os.listdir() or _wipe()
        control.send(str(status).encode() + (b"" if clean else STUBBORN))


def _end(pid: int, namespaces: bool) -> int:
    """Reap a child, by force where it still runs, and all that it left; its wait status."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        if namespaces:
            kernel.kill_all_others()
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if namespaces and kernel.kill_all_others():
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
    return status


def _wipe() -> bool:
    """Empty the folder; False where a program made that impossible (a folder nobody may enter)."""
    with contextlib.suppress(OSError, RecursionError):
        for folder, folders, files in os.walk(".", topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            for name in folders:
                path = os.path.join(folder, name)
                os.unlink(path) if os.path.islink(path) else os.rmdir(path)
    return not os.listdir()
