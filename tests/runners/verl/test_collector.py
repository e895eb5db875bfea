"""The garbage collector's long looks at what a start leaves behind."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runners.verl import collector
from runners.verl.collector import LONG_SECONDS, WAVES, SettingAside, set_start_aside

FULL, YOUNG = {"generation": 2}, {"generation": 1}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What the clock says, in seconds; nothing stays set aside after the test."""
    now = [0.0]
    monkeypatch.setattr(collector.time, "perf_counter", lambda: now[0])
    yield now
    gc.unfreeze()


def collection(
    called: SettingAside, clock: list[float], seconds: float, kind: dict[str, int]
) -> int:
    """How many objects were set aside by a collection that took so long."""
    gc.unfreeze()
    called("start", kind)
    clock[0] += seconds
    called("stop", kind)
    return gc.get_freeze_count()


def test_what_survives_a_long_full_collection_is_set_aside(clock: list[float]) -> None:
    called = SettingAside()
    assert collection(called, clock, 2 * LONG_SECONDS, YOUNG) == 0
    assert collection(called, clock, LONG_SECONDS / 2, FULL) == 0
    assert collection(called, clock, 2 * LONG_SECONDS, FULL) > 1000


def test_what_grows_after_the_start_is_left_to_python(clock: list[float]) -> None:
    called = SettingAside()
    counts = [collection(called, clock, 2 * LONG_SECONDS, FULL) for _ in range(WAVES + 2)]
    assert [count > 0 for count in counts] == [True] * WAVES + [False] * 2


def test_a_process_is_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "callbacks", [])
    set_start_aside()
    set_start_aside()
    assert len(gc.callbacks) == 1


def test_a_process_of_verl_looks_at_its_imports_once() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import verl, gc, time\n"
            "from verl.trainer.ppo.v1 import trainer_sync\n"
            "gc.collect(); print(gc.get_freeze_count(), len(gc.get_objects()))",
        ],
        env=os.environ
        | {"VERL_PLATFORM": "cpu", "VERL_USE_EXTERNAL_MODULES": "runners.verl.plugin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    aside, left = map(int, said.stdout.split()[-2:])
    assert aside > 100_000 > left
