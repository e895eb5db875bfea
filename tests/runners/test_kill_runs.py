"""Killed trainings leave nothing behind and end as if they had never been killed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def kill_runs(*words: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "benchmarks" / "kill.py"), "runs", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["leftover_after_10s"] == 0
    assert found["tracebacks"] == 0
    assert found["equal"]
    # verl's samples come back in any order, and so are summed
    assert found["weights_differ_by_at_most"] < 1e-6
    return found


@pytest.mark.slow
def test_the_local_trainer_goes_on_after_kill_9_and_after_sigterm(tiny_model: Path) -> None:
    found = kill_runs("--quick", "--kills", "2")
    assert found["exit_codes"] == {"local SIGKILL": {"-9": 1}, "local SIGTERM": {"143": 1}}


@pytest.mark.soak
def test_both_trainers_go_on_after_every_kind_of_kill(tiny_model: Path) -> None:
    assert kill_runs("--kills", "11")["kills"] == 11
