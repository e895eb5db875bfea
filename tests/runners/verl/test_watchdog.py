"""Nothing of a run outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runners.verl.processes import (
    MARK,
    end_run,
    marked_environment,
    marked_processes,
    marked_run,
)

SLEEP = "import time; time.sleep(60)"
# a command that starts a process out of its group and session, as Ray's daemons do
COMMAND = (
    "import subprocess, sys, time, pathlib;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True);"
    "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
)


# a parent that runs a command under the watchdog and waits for it
PARENT = (
    "import os, subprocess, sys;"
    "sys.exit(subprocess.call([sys.executable, '-m', 'runners.verl.watchdog', str(os.getpid()),"
    " *sys.argv[1:]]))"
)


def watched(mark: str, folder: Path, *command: str) -> list[str]:
    return [sys.executable, "-c", PARENT, mark, str(folder), *command]


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
    parent = subprocess.Popen(watched(mark, temporary, sys.executable, "-c", COMMAND, str(started)))
    wait_until(started.exists)
    assert len(marked_processes(mark)) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not marked_processes(mark) and not temporary.exists())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads other processes' environments")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_watchdog_that_is_ended_takes_the_whole_run_along(tmp_path: Path, number: int) -> None:
    mark, started = f"test-{os.getpid()}-{number}", tmp_path / "started"
    command = [sys.executable, "-c", COMMAND, str(started)]
    parent = psutil.Popen(watched(mark, tmp_path / "temporary", *command))
    wait_until(started.exists)
    [watchdog] = parent.children()
    second = [child for child in watchdog.children() if child.environ().get(MARK) != mark]
    watchdog.send_signal(number)
    parent.wait(timeout=20)
    wait_until(lambda: not marked_processes(mark) and not any(s.is_running() for s in second))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads other processes' environments")
def test_what_lost_parent_and_watchdogs_is_ended_by_the_next_run(tmp_path: Path) -> None:
    with marked_run(tmp_path, tmp_path / "ray") as mark:
        written = (tmp_path / "processes.json").read_text()
    left = subprocess.Popen([sys.executable, "-c", SLEEP], env=marked_environment(mark))
    wait_until(lambda: marked_processes(mark))
    (tmp_path / "processes.json").write_text(written)
    with marked_run(tmp_path, tmp_path / "ray") as other:
        assert other != mark
        left.wait(timeout=10)
        assert not marked_processes(mark)
    assert not (tmp_path / "processes.json").exists()


def test_a_parent_that_dies_before_the_watchdog_looks_is_missed(tmp_path: Path) -> None:
    mark, started = f"test-{os.getpid()}-early", tmp_path / "started"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    watchdog = [sys.executable, "-m", "runners.verl.watchdog", str(gone.pid), mark]
    command = [sys.executable, "-c", COMMAND, str(started)]
    done = subprocess.run([*watchdog, str(tmp_path / "none"), *command], check=False, timeout=20)
    assert done.returncode == 1
    assert not marked_processes(mark)


@pytest.mark.parametrize(("code", "seen"), [("sys.exit(7)", 7), ("os.abort()", 128 + 6)])
def test_the_exit_code_is_the_commands(tmp_path: Path, code: str, seen: int) -> None:
    check = f"import os, sys; assert os.environ[{MARK!r}] == 'm'; {code}"
    command = watched("m", tmp_path / "none", sys.executable, "-c", check)
    assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == seen


def test_a_run_without_processes_is_over() -> None:
    end_run("no such mark")
