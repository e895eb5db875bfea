"""The first process of the jail: builds it once, then forks a candidate whenever it is told to.

It runs one program at a time. Where the system allows namespaces it is process 1 of its own, so
"kill everything but me" after each program is exact, and when it ends the kernel ends the rest.
It receives descriptors only, never programs or tests, so there is nothing in it to be found.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from domains.sandbox import candidate, kernel, seccomp

SPARE_UID = 60_999
"""Whom a candidate becomes where root starts the sandbox; no system hands this number out."""

_WORK = "/box"
_WORK_OPTIONS = "size=16m,nr_inodes=512,mode=777"
# Imported before the first fork, so that a solution's own imports cost it nothing. Left out are
# those that do work of their own in each fork: `random`, which seeds itself, and `threading`.
_PRELOADED = (
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "hashlib", "heapq", "io", "itertools", "math", "numbers", "operator",
    "re", "string", "textwrap", "time", "typing", "unicodedata",
)  # fmt: skip


class Unavailable(Exception):
    """This kind of jail cannot be built here."""


def run(control: socket.socket, namespaces: bool) -> None:
    """Build the jail, say so over `control`, and serve until the judge is gone."""
    try:
        lock_in, protections = _build(namespaces)
    except Exception as error:  # noqa: BLE001  nobody else is left to tell it
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        os._exit(1)
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"protections": protections}).encode())
    _serve(control, namespaces, lock_in)


def _build(namespaces: bool) -> tuple[Callable[[], None], list[str]]:
    """(what a fork calls to lock itself in, what protects the system from it)."""
    filter_program = seccomp.program()
    if filter_program is None:
        raise Unavailable(f"no filter on system calls is known for {os.uname().machine}")
    uid = SPARE_UID if os.geteuid() == 0 else None
    ruleset: int | None = None
    protections = ["resource limits", "filtered system calls"]
    if uid is not None:
        protections.append("a user of its own")
    if namespaces:
        _move_in()
        protections.append("namespaces (processes, network, files, users, ipc)")
    else:
        try:
            ruleset = kernel.landlock_ruleset(_readable(), candidate.FIRST_KEPT)
            protections.append("Landlock (no file can be written)")
        except OSError as error:
            if uid is None:
                raise Unavailable(f"neither namespaces nor Landlock ({error})") from None
    kernel.refuse_inspection()
    if uid is not None:
        kernel.shrink_bounding_set()

    def lock_in() -> None:
        os.chdir(_WORK if namespaces else "/")
        kernel.drop_privileges(uid)
        kernel.die_with_parent()  # after the change of user, which clears it
        if ruleset is not None:
            kernel.landlock_enter(ruleset)
        kernel.filter_calls(filter_program)

    return lock_in, protections


def _readable() -> list[str]:
    """What Python needs in order to import the rest of the standard library."""
    paths = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return sorted(paths | {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/dev/null", "/dev/urandom"})


def _move_in() -> None:
    """Swap the file system for an empty one that shows `_readable()` and a folder to work in.

    Seen by this process and its children only; nothing is left behind when they end.
    """
    readable = [Path(path) for path in _readable()]
    kernel.mount("none", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    root = "/tmp"
    kernel.mount("tmpfs", root, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, "size=1m,mode=755")
    old = Path(root, "old")
    old.mkdir()
    kernel.pivot_root(root, str(old))
    os.chdir("/")
    for path in readable:
        source = Path("/old", *path.parts[1:])
        if path.exists():
            continue  # below one that is bound already: /usr/lib/python3.11 in /usr/lib
        if source.is_symlink():
            path.symlink_to(source.readlink())
        elif source.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir() if source.is_dir() else path.touch()
            kernel.bind_read_only(str(source), str(path))
    Path(_WORK).mkdir()
    kernel.unmount("/old")
    Path("/old").rmdir()
    kernel.mount("none", "/", None, kernel.REMOUNT | kernel.READ_ONLY)
    _fresh_work_folder()


def _fresh_work_folder() -> None:
    kernel.mount("tmpfs", _WORK, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, _WORK_OPTIONS)


def _serve(control: socket.socket, namespaces: bool, lock_in: Callable[[], None]) -> None:
    """For each set of descriptors: fork, wait for the word, kill, clean, report the wait status."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 3)
        if not message:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            candidate.main(descriptors, lock_in)
        for descriptor in descriptors:
            os.close(descriptor)
        told = control.recv(16)
        status = _end(pid)
        if not told:
            os._exit(0)
        if namespaces:
            _end_all_others()
            if any(Path(_WORK).iterdir()):
                kernel.unmount(_WORK)  # however deep or many its files, this takes no time
                _fresh_work_folder()
        control.send(str(status).encode())


def _end(pid: int) -> int:
    """Reap a child, by force where it still runs; its wait status."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return status


def _end_all_others() -> None:
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def start(namespaces: bool) -> tuple[socket.socket, list[str]]:
    """Start a zygote. Returns (its control socket, what protects the system from a candidate).

    Raises `Unavailable` where this kind of jail cannot be built.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _launch(theirs, namespaces)
    theirs.close()
    try:
        if namespaces and ours.recv(16) == b"unshared":
            _map_users(pid)
            ours.send(b"mapped")
        os.waitpid(pid, 0)
        report = json.loads(ours.recv(1 << 16) or b'{"error": "it ended at once"}')
    except OSError as error:
        report = {"error": str(error)}
    if "error" in report:
        ours.close()
        raise Unavailable(report["error"])
    return ours, report["protections"]


def _launch(control: socket.socket, namespaces: bool) -> None:
    """Between the judge and the zygote: only a child of the caller of `unshare` is process 1."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if namespaces:
            kernel.unshare(
                kernel.NEW_USER | kernel.NEW_PID | kernel.NEW_MOUNT | kernel.NEW_NET
                | kernel.NEW_IPC | kernel.NEW_UTS
            )  # fmt: skip
            control.send(b"unshared")
            if control.recv(16) != b"mapped":
                os._exit(1)
        if os.fork() == 0:
            run(control, namespaces)
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
    finally:
        os._exit(0)


def _map_users(pid: int) -> None:
    """Users that exist inside: whoever starts the sandbox and, where root can, the spare one."""
    root = os.geteuid() == 0
    if not root:
        Path(f"/proc/{pid}/setgroups").write_text("deny")
    for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
        lines = [f"{own} {own} 1"] + [f"{SPARE_UID} {SPARE_UID} 1"] * root
        Path(f"/proc/{pid}/{kind}_map").write_text("\n".join(lines))
