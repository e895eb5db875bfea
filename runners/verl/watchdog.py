"""Runs a command that must not outlive its parent.

    python -m runners.verl.watchdog PARENT MARK FOLDER COMMAND...

The watchdog starts the command and watches its parent, the process PARENT. When that is gone, by
kill -9 even, or asks for it by SIGTERM, the watchdog ends every process of the run
(`processes.py`) and removes the run's temporary folder. It has a session of its own, so that no
signal to its parent's group reaches it, and a second of its kind that does the same when it is
killed itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from runners.verl.processes import POLL_SECONDS, end_run, marked_environment


def main(arguments: Sequence[str]) -> int:
    """Run the command to its end; returns its exit code, or 1 when it was ended before."""
    parent, mark, folder, *command = arguments
    asked_to_end: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_end.append(number))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, env=marked_environment(mark)
    )
    _start_second(mark, folder)
    while process.poll() is None and os.getppid() == int(parent) and not asked_to_end:
        time.sleep(POLL_SECONDS)
    code = process.poll()
    _clear(mark, folder)
    if code is None:
        return 1
    return code if code >= 0 else 128 - code  # as a shell says which signal it was


def _start_second(mark: str, folder: str) -> None:
    """Fork the process that ends the run when this one is gone."""
    first = os.getpid()
    if os.fork():
        return
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while os.getppid() == first:
        time.sleep(POLL_SECONDS)
    _clear(mark, folder)
    os._exit(0)


def _clear(mark: str, folder: str) -> None:
    end_run(mark)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
