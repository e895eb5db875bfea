"""Real verl on a Ray cluster that runs already: it is joined, used and left running."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.trainer import TrainingJob
from runners.verl.machine import cluster_words
from runners.verl.processes import end_run, marked_environment
from runners.verl.trainer import VerlTrainer

pytestmark = pytest.mark.soak

PORT = 6479
WORDS = {"VERL_PLATFORM": "cpu", "RAY_memory_monitor_refresh_ms": "0"}
"""The machine's other work is no reason to end a worker."""


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a Ray cluster of this machine, with a logical GPU as verl asks for one.

    It asks for Ray's token where one lies in the home folder, as `ray start` decides by itself.
    """
    mark = f"test-cluster-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        try:
            subprocess.run(
                [Path(sys.executable).with_name("ray"), "start", "--head", f"--port={PORT}",
                 "--num-cpus=16", "--num-gpus=1", "--include-dashboard=false",
                 f"--temp-dir={folder}", "--disable-usage-stats"],
                env=marked_environment(mark) | WORDS, check=True, timeout=120,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            yield f"127.0.0.1:{PORT}"
        finally:
            end_run(mark)


def test_a_running_cluster_is_joined_and_left_running(
    cluster: str,
    make_job: Callable[..., TrainingJob],
    make_trainer: Callable[..., VerlTrainer],
    rows: Callable[[Path], list[dict[str, Any]]],
) -> None:
    job = make_job()
    model = make_trainer(ray_address=cluster).train(job)
    assert (model / "config.json").is_file()
    assert [row["step"] for row in rows(job.folder / "metrics.jsonl")] == [1, 2]
    said = subprocess.run(
        [Path(sys.executable).with_name("ray"), "status", f"--address={cluster}"],
        env=os.environ | cluster_words(), capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    # and nothing of the run holds its GPU any more
    assert "0.0/1.0 GPU" in said
