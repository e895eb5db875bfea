"""Files that are there whole or not at all, also after a power cut: beside, synced, renamed."""

from __future__ import annotations

import os
import time
from pathlib import Path

_ABANDONED = 3600.0
"""Seconds after which a file that was never renamed belongs to a writer that was killed."""


def write_durably(path: Path, content: bytes) -> None:
    """Write bytes beside, sync, rename."""
    beside = path_beside(path)
    beside.write_bytes(content)
    put_in_place(beside, path)


def path_beside(path: Path) -> Path:
    """Where a file is written before it is `put_in_place`: this process has the name to itself."""
    return path.with_name(f"{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")


def put_in_place(beside: Path, path: Path) -> None:
    """Sync a finished file, rename it, and sync the folder that now names it."""
    sync(beside)
    beside.replace(path)
    sync(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed writers left unfinished."""
    for beside in folder.glob("*.tmp"):
        try:
            if time.time() - beside.stat().st_mtime > _ABANDONED:
                beside.unlink()
        except FileNotFoundError:
            continue  # another sweep was faster, or its writer finished it


def sync(path: Path) -> None:
    """Have the disk keep a file or a folder before what follows."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
