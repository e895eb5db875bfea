"""Nothing of a run outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runners.verl.processes import MARK, end_run, marked_processes

# a command that starts a process out of its group and session, as Ray's daemons do
COMMAND = (
    "import subprocess, sys, time, pathlib;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True);"
    "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
)


def wait_until(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads other processes' environments")
def test_a_killed_parent_takes_the_whole_run_along(tmp_path: Path) -> None:
    mark, started = f"test-{os.getpid()}", tmp_path / "started"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    watchdog = [sys.executable, "-m", "runners.verl.watchdog", mark, str(temporary)]
    command = [*watchdog, sys.executable, "-c", COMMAND, str(started)]
    starter = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    parent = subprocess.Popen([sys.executable, "-c", starter, *command])
    wait_until(started.exists)
    assert len(marked_processes(mark)) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not marked_processes(mark) and not temporary.exists())


def test_the_exit_code_is_the_commands(tmp_path: Path) -> None:
    code = f"import os, sys; sys.exit(7 if os.environ[{MARK!r}] == 'm' else 0)"
    watchdog = [sys.executable, "-m", "runners.verl.watchdog", "m", str(tmp_path / "none")]
    done = subprocess.run([*watchdog, sys.executable, "-c", code], check=False)
    assert done.returncode == 7


def test_a_run_without_processes_is_over() -> None:
    end_run("no such mark")
