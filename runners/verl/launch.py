"""Runs a command of verl to its end: under a watchdog, with a progress bar and a time limit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.console import progress_bar
from runners.verl.failures import failure, size_of
from runners.verl.processes import END_SECONDS, marked_run

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Launch:
    """One run of verl."""

    title: str
    """Of the progress bar."""
    command: Sequence[str]
    """What Python is to run: `-m`, the module, its arguments."""
    folder: Path
    """Holds `verl.log`, which is appended to."""
    temporary: Path
    """A folder of this run alone, removed with it."""
    environment: Mapping[str, str]
    """Variables beyond those that are set already."""
    steps: int
    stall_seconds: float
    """A run without a finished step for this long is ended."""

    def run(self, done: Callable[[], int]) -> None:
        """Run to the end; `done` counts the finished steps.

        Raises `Fault` with the end of verl's log when the run fails or stalls. No process of it is
        left, however it ends.
        """
        log = self.folder / "verl.log"
        start = size_of(log)
        with marked_run(self.folder, self.temporary) as mark, log.open("ab") as output:
            watchdog = subprocess.Popen(
                [
                    *(sys.executable, "-m", "runners.verl.watchdog"),
                    *(str(os.getpid()), mark, str(self.temporary)),
                    *(sys.executable, *self.command),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | dict(self.environment),
            )
            try:
                failed = self._wait(watchdog, done)
            finally:
                _end(watchdog)
        if failed:
            raise failure(failed, log, start)

    def _wait(self, watchdog: subprocess.Popen[bytes], done: Callable[[], int]) -> str | None:
        """How verl failed, or None when it ended well."""
        seen, changed = -1, time.monotonic()
        with progress_bar(self.title) as progress:
            while (code := watchdog.poll()) is None:
                time.sleep(POLL_SECONDS)
                if (now := done()) != seen:
                    seen, changed = now, time.monotonic()
                    progress(now, self.steps)
                if time.monotonic() > changed + self.stall_seconds:
                    return (
                        f"no step finished within trainer.stall_seconds={self.stall_seconds:g}; "
                        "the run was ended"
                    )
        return f"verl ended with code {code}" if code else None


def _end(watchdog: subprocess.Popen[bytes]) -> None:
    """Have the watchdog end the run: it stays until the end, should this process be killed too."""
    watchdog.terminate()
    try:
        watchdog.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        watchdog.kill()
        watchdog.wait()
