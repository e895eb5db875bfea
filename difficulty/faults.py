"""Faults that are foreseen: a full disk, no memory, a process that died or fell silent.

Each is said in one message, without a traceback, and ends the command with exit code 2 where the
user can mend the cause and 1 where the next attempt may simply go well.
"""

from __future__ import annotations

import errno
import re

GO_ON = "the same command goes on from what is finished"
"""How every message about an interrupted command ends."""

FULL_DISK = re.compile(
    r"No space left on device|Disk quota exceeded|os error (?:28|122)\b"
    # torch does not hand on why its zip file could not be written
    r"|PytorchStreamWriter failed writing|inline_container\.cc:\d+\] \. unexpected pos"
)
FILE_LIMIT = re.compile(r"File too large|os error 27\b")
GPU_MEMORY = re.compile(r"CUDA out of memory|CUDA error: out of memory|torch\.OutOfMemoryError")
HOST_MEMORY = re.compile(
    r"DefaultCPUAllocator: can't allocate memory|Cannot allocate memory|std::bad_alloc"
    r"|\bMemoryError\b"
)


class Fault(RuntimeError):
    """A fault that was foreseen; its text is for the user, whole."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def foreseen(error: BaseException) -> Fault | None:
    """The fault that an exception of this process comes from; None for what is a bug of ours."""
    if isinstance(error, Fault):
        return error
    place = getattr(error, "filename", None)
    where = f" ({place})" if place else ""
    if _is_full_disk(error):
        return Fault(f"the disk is full{where}: free some space; {GO_ON}", exit_code=2)
    text = f"{type(error).__name__}: {error}"
    if FILE_LIMIT.search(text):
        return Fault(f"a file may not grow as large as it must{where}, see `ulimit -f`; {GO_ON}", 2)
    if GPU_MEMORY.search(text) or type(error).__name__ == "OutOfMemoryError":
        return Fault(f"the GPU's memory is full: {_FEWER} ({_first_line(error)}); {GO_ON}", 2)
    if isinstance(error, MemoryError) or HOST_MEMORY.search(text):
        return Fault(f"this machine's memory is full: {_FEWER} ({_first_line(error)}); {GO_ON}", 2)
    return None


_FEWER = (
    "a smaller model, a shorter decoding.max_tokens, or fewer trainer.prompts_per_step or "
    "trainer.samples_per_prompt need less"
)


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return FULL_DISK.search(str(error)) is not None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
