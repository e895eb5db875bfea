"""The garbage collector's long looks at what a start leaves behind."""

import gc
import os
import subprocess
import sys

import pytest

from runners.verl import collector
from runners.verl.collector import MANY, SHARE, SettingAside, set_start_aside

FULL, YOUNG = {"generation": 2}, {"generation": 1}


class Heap:
    """Stands for Python's: how many objects a collection would look at, how many it would not."""

    def __init__(self) -> None:
        self.looked_at = self.aside = 0

    def get_objects(self) -> range:
        return range(self.looked_at)

    def freeze(self) -> None:
        self.looked_at, self.aside = 0, self.aside + self.looked_at


@pytest.fixture
def heap(monkeypatch: pytest.MonkeyPatch) -> Heap:
    heap = Heap()
    monkeypatch.setattr(collector, "gc", heap)
    return heap


def collection(called: SettingAside, kind: dict[str, int]) -> None:
    called("start", kind)
    called("stop", kind)


def test_many_that_survive_a_full_collection_are_set_aside(heap: Heap) -> None:
    called = SettingAside()
    heap.looked_at = MANY
    collection(called, FULL)
    heap.looked_at = MANY + 1
    collection(called, YOUNG)
    called("start", FULL)
    assert heap.aside == 0
    called("stop", FULL)
    assert (heap.looked_at, heap.aside) == (0, MANY + 1)


def test_a_start_is_set_aside_wave_by_wave(heap: Heap) -> None:
    called = SettingAside()
    for imports in (400_000, 130_000, 110_000, 90_000):
        heap.looked_at += imports
        collection(called, FULL)
    assert (heap.looked_at, heap.aside) == (90_000, 640_000)


def test_steps_that_come_and_go_are_soon_left_to_python(heap: Heap) -> None:
    called = SettingAside()
    for _ in range(100):
        heap.looked_at = 2 * MANY
        collection(called, FULL)
    assert heap.aside == 2 * MANY / SHARE


def test_a_process_is_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "callbacks", [])
    set_start_aside()
    set_start_aside()
    assert len(gc.callbacks) == 1


def test_a_process_of_verl_sets_its_imports_aside() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import verl, gc\n"
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
    assert aside > 3 * MANY
    assert left <= 2 * MANY  # of some 700,000
