"""Which problem is being worked on: one locked byte for each, in a file that stays empty.

Several processes, on one machine or on several that share a file system, may score into one store.
A writer locks a problem's byte before it generates for it and lets go once the rows are written.
The kernel lets go by itself when a process dies, kill -9 included: no lease has to run out, and no
clock is compared. The locks are Linux's open file description locks, which hold on local disks and
on NFS 4; where a file system refuses locks, the claim is refused with that reason.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EAGAIN
from pathlib import Path

_ONE_BYTE = struct.Struct("hhqqi4x")
"""`struct flock`: kind, what `start` counts from, start, length, process."""
_MOST = 2**62
_WHOLE_STORE = _MOST
"""The byte that is locked while something is done to the store as a whole."""


class Claims:
    """One writer's claims. Two of them exclude each other also inside one process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "claims"
        self._file: int | None = None

    def take(self, uid: str) -> bool:
        """Claim a problem; False where another writer has it."""
        return self._lock(_place(uid), fcntl.F_OFD_SETLK)

    def release(self, uid: str) -> None:
        """Let go of a problem."""
        self._set(_place(uid), fcntl.F_OFD_SETLK, fcntl.F_UNLCK)

    @contextmanager
    def whole_store(self) -> Iterator[None]:
        """Keep others from changing the key or the verdicts meanwhile; waits for its turn."""
        self._lock(_WHOLE_STORE, fcntl.F_OFD_SETLKW)
        try:
            yield
        finally:
            self._set(_WHOLE_STORE, fcntl.F_OFD_SETLK, fcntl.F_UNLCK)

    def _lock(self, place: int, how: int) -> bool:
        try:
            self._set(place, how, fcntl.F_WRLCK)
        except OSError as error:
            if error.errno in (EACCES, EAGAIN):
                return False
            raise ValueError(
                f"a store must lie where files can be locked, but {self._path} cannot be: {error}"
            ) from error
        return True

    def _set(self, place: int, how: int, kind: int) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            weakref.finalize(self, os.close, self._file)
        fcntl.fcntl(self._file, how, _ONE_BYTE.pack(kind, os.SEEK_SET, place, 1, 0))


def _place(uid: str) -> int:
    """The problem's byte. Two problems that share one only wait for each other."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8]) % _MOST
