"""The processes of one run, found by a mark in their environment, and their end.

Whatever a marked process starts inherits the mark. Ray's daemons and workers leave the process
group and the family tree of the command that started them, but not that. The mark is written into
the run's folder too: whoever goes on there ends what is left of a run that lost both its parent
and its watchdog.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from runners.files import read_json, write_json

MARK = "CURRICLE_RUN"
"""The environment variable that holds a run's mark."""
POLL_SECONDS = 0.2
END_SECONDS = 30.0
"""A process that outlives SIGKILL for this long hangs in the kernel, where nobody reaches it."""


@contextmanager
def marked_run(folder: Path, ray_folder: Path) -> Iterator[str]:
    """A mark for a run in `folder`; whatever carries it is ended at the end."""
    written = folder / "processes.json"
    left = read_json(written)
    if left:
        end_run(left["mark"])
        shutil.rmtree(left["ray_folder"], ignore_errors=True)
    mark = secrets.token_hex(8)
    write_json(written, {"mark": mark, "ray_folder": str(ray_folder)})
    try:
        yield mark
    finally:
        end_run(mark)
        written.unlink(missing_ok=True)


def marked_environment(mark: str) -> dict[str, str]:
    """This process's environment with the mark; Ray's process titles must not write over it."""
    return os.environ | {MARK: mark, "SPT_NOENV": "1"}


def marked_processes(mark: str) -> list[psutil.Process]:
    """Every living process whose environment holds the mark, but for the caller."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.pid != os.getpid() and process.environ().get(MARK) == mark
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:  # gone in the meantime, or another user's
            continue
    return found


def end_run(mark: str, seconds: float = END_SECONDS) -> None:
    """Kill every process with the mark, and what they start meanwhile; says what outlives it."""
    deadline = time.monotonic() + seconds
    while processes := marked_processes(mark):
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=POLL_SECONDS)
        if time.monotonic() > deadline:
            pids = [process.pid for process in processes]
            print(f"curricle: these processes of the run cannot be ended: {pids}", file=sys.stderr)
            return
