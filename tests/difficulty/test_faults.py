"""A foreseen fault is said in one message; what is not foreseen stays an exception."""

import errno

import pytest

from difficulty.faults import Fault, foreseen


def test_a_full_disk_is_named_with_the_file() -> None:
    fault = foreseen(OSError(errno.ENOSPC, "No space left on device", "runs/x/metrics.jsonl"))
    assert fault is not None
    assert fault.exit_code == 2
    assert str(fault).startswith("the disk is full (runs/x/metrics.jsonl): free some space")


# what libraries say, as they said it
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
            "the disk is full",
        ),
        (
            Exception("Error while serializing: I/O error: No space left on device (os error 28)"),
            "the disk is full",
        ),
        (OSError(errno.EFBIG, "File too large"), "a file may not grow"),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate "
                "memory)"
            ),
            "this machine's memory is full",
        ),
        (MemoryError(), "this machine's memory is full"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), "the GPU's memory is"),
    ],
)
def test_what_libraries_say_is_understood(error: Exception, says: str) -> None:
    fault = foreseen(error)
    assert fault is not None
    assert fault.exit_code == 2
    assert str(fault).startswith(says)
    assert str(fault).endswith("the same command goes on from what is finished")


def test_a_fault_stays_itself_and_a_bug_stays_a_bug() -> None:
    fault = Fault("vLLM ended")
    assert foreseen(fault) is fault
    assert fault.exit_code == 1
    assert foreseen(KeyError("uid")) is None
    assert foreseen(FileNotFoundError(errno.ENOENT, "No such file", "x")) is None
