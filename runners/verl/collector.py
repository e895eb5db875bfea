"""Python's garbage collector, kept from stopping every other step for half a second.

A process of verl holds some 700,000 objects once Ray, torch and transformers are imported. A full
collection looks at each of them, for .4 s, now in one process and then in another while all the
rest wait. So what survives a long one is set aside (`gc.freeze`), as vLLM does when its engine
stands (`vllm.utils.gc_utils.freeze_gc_heap`), and later ones look at what came since.

Objects set aside are still freed once nothing refers to them; only a cycle that was alive then and
dies later is not found. That is why it happens a few times at most: a start comes in waves (the
imports, the model, the first step), and what grows after it is left to Python.
"""

from __future__ import annotations

import gc
import time

LONG_SECONDS = 0.1
WAVES = 3


class SettingAside:
    """Called by Python before and after every collection of this process."""

    def __init__(self) -> None:
        self.waves = 0
        self._started = 0.0

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        if about["generation"] < 2 or self.waves == WAVES:
            return
        if phase == "start":
            self._started = time.perf_counter()
        elif time.perf_counter() - self._started > LONG_SECONDS:
            gc.freeze()
            self.waves += 1


def set_start_aside() -> None:
    """From now on, once a process."""
    if not any(isinstance(called, SettingAside) for called in gc.callbacks):
        gc.callbacks.append(SettingAside())
