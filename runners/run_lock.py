"""One training at a time in a folder: two would write over each other's checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system drops when this process ends, however it does.

    Raises `ValueError` when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "training.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"one process at a time may train in a folder, but another one is training in {folder}"
        ) from None
    except NotImplementedError:  # a network file system without locks: nobody can be kept out
        yield
        return
    try:
        yield
    finally:
        lock.release()
