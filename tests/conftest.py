"""Fixtures that several folders share."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_MODE", "offline")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as difficulty.engines.transformers does


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The embedded model, from the cache after the first time."""
    from runners.models.resolve import resolve_model

    return resolve_model("tiny")


Killer = Callable[[list[str], Path, Callable[[], bool]], None]


@pytest.fixture
def run_and_kill() -> Killer:
    """Start a command, kill -9 it when a condition holds, and check that nothing is left of it."""

    def start(words: list[str], folder: Path, until: Callable[[], bool]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 240
        while not until():
            assert process.poll() is None, "the command ended before it could be killed"
            assert time.monotonic() < deadline, "the moment to kill never came"
            time.sleep(0.02)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive, f"left running: {alive}"

    return start
