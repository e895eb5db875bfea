"""The processes of one run, found by a mark in their environment, and their end.

Whatever a marked process starts inherits the mark. Ray's daemons and workers leave the process
group and the family tree of the command that started them, but not that.
"""

from __future__ import annotations

import os

import psutil

MARK = "CURRICLE_RUN"
"""The environment variable that holds a run's mark."""
POLL_SECONDS = 0.2


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


def end_run(mark: str) -> None:
    """Kill every process with the mark, and whatever they start meanwhile."""
    while processes := marked_processes(mark):
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=POLL_SECONDS)
