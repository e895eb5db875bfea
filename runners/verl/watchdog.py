"""Runs a command that must not outlive its parent: `python -m runners.verl.watchdog MARK COMMAND`.

The watchdog starts the command and watches its parent. When that is gone, by kill -9 even, every
process of the run is ended. They are found by a mark in their environment, which whatever the
command starts inherits: Ray's daemons and workers leave the process group and the family tree,
but not that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

MARK = "CURRICLE_RUN"
"""The environment variable that holds a run's mark."""
POLL_SECONDS = 0.2


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


def marked_environment(mark: str) -> dict[str, str]:
    """This process's environment with the mark; Ray's process titles must not write over it."""
    return os.environ | {MARK: mark, "SPT_NOENV": "1"}


def main(arguments: Sequence[str]) -> int:
    """Run the command to its end; returns its exit code, or 1 when the parent died first."""
    mark, *command = arguments
    parent = os.getppid()
    # Ctrl-C reaches the whole terminal; what it means is the parent's to decide
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, env=marked_environment(mark)
    )
    while process.poll() is None and os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    code = process.poll()
    end_run(mark)
    return 1 if code is None else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
