"""Python's garbage collector, kept from stopping every other step for half a second.

A process of verl holds some 700,000 objects once Ray, torch and transformers are imported. A full
collection looks at each of them, for .4 s, now in one process and then in another while all the
rest wait. So what survives one is set aside once it is many (`gc.freeze`), as vLLM does when its
engine stands (`vllm.utils.gc_utils.freeze_gc_heap`), and later ones look at what came since.

Objects set aside are still freed once nothing refers to them; only a cycle that was alive then and
dies later is not found. That is why it takes an eighth more each time: a start comes in waves (the
imports, the model, the first step) and is set aside whole, while a process whose steps come and go
soon stops setting anything aside. Objects are counted rather than seconds, so that a slow machine
sets the same ones aside as a fast one.
"""

from __future__ import annotations

import gc

MANY = 100_000
"""Fewest objects worth setting aside: a collection looks at so many in some .07 s."""
SHARE = 1 / 8
"""Fewest, too, as a share of those set aside before."""


class SettingAside:
    """Called by Python before and after every collection of this process."""

    def __init__(self) -> None:
        self.aside = 0

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start" or about["generation"] < 2:
            return
        survivors = len(gc.get_objects())  # those set aside are not among them
        if survivors > max(MANY, SHARE * self.aside):
            gc.freeze()
            self.aside += survivors


def set_start_aside() -> None:
    """From now on, once a process."""
    if not any(isinstance(called, SettingAside) for called in gc.callbacks):
        gc.callbacks.append(SettingAside())
