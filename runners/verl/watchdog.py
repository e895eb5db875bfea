"""Runs a command that must not outlive its parent.

    python -m runners.verl.watchdog MARK FOLDER COMMAND...

The watchdog starts the command and watches its parent. When that is gone, by kill -9 even, it ends
every process of the run (`processes.py`) and removes the run's temporary folder.
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
    """Run the command to its end; returns its exit code, or 1 when the parent died first."""
    mark, folder, *command = arguments
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
    shutil.rmtree(folder, ignore_errors=True)
    return 1 if code is None else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
