"""What the end of verl's log says: known causes in one sentence, with the setting to change.

Causes stand in the order in which they are looked for: what went wrong first is told before what
followed from it (a worker that ran out of memory also died).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from difficulty.faults import FILE_LIMIT, FULL_DISK, GO_ON, GPU_MEMORY, HOST_MEMORY, Fault

LINES, WIDTH = 40, 500
"""Of the log, shown with every failure."""
LOOKED_AT = 1 << 20
"""Bytes at the end of a log that are searched."""
FULL = 1 << 20
"""A disk with fewer bytes free has no room for the lines that would say so."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A known way for a run to fail."""

    pattern: re.Pattern[str]
    says: str
    """What happened, and what to change."""
    exit_code: int = 2
    """2 where the user can mend it, 1 where the next attempt may simply go well."""


DISK = Cause(FULL_DISK, "the disk is full: free some space")
CAUSES = (
    DISK,
    Cause(FILE_LIMIT, "a file may not grow as large as a checkpoint is: see `ulimit -f`"),
    Cause(
        re.compile(r"No available memory for the cache blocks|stored in KV cache|No KV cache"),
        "vLLM has no memory left for its KV cache: raise trainer.gpu_memory, or lower "
        "decoding.max_tokens",
    ),
    Cause(
        re.compile(r"Free memory on device .{0,200}less than desired GPU memory utilization"),
        "another process holds the GPU's memory: end it, or lower trainer.gpu_memory",
    ),
    Cause(
        GPU_MEMORY,
        "a GPU's memory is full: lower trainer.tokens_per_gpu or trainer.gpu_memory, or set "
        "trainer.offload: true (`curricle plan` prints the estimate)",
    ),
    Cause(
        HOST_MEMORY,
        "this machine's memory is full: a smaller model, fewer trainer.gpus_per_node on a CPU, or "
        "trainer.offload: false need less",
    ),
    Cause(
        re.compile(r"node running low on memory|killed due to memory pressure"),
        "Ray killed a worker because this machine's memory ran low: end other processes, or use "
        "fewer trainer.gpus_per_node on a CPU or a smaller model",
    ),
    Cause(
        re.compile(r"chat_template is not set|does not have a chat template"),
        "the model's tokenizer has no chat template: set prompt.style: plain",
    ),
    Cause(
        re.compile(r"Total available GPUs .{0,80} is less than total desired GPUs"),
        "the Ray cluster has fewer GPUs than trainer.gpus_per_node x trainer.nodes",
    ),
    Cause(
        re.compile(r"Version mismatch: The cluster was started with"),
        "the Ray cluster at trainer.ray_address runs another version of Ray or Python",
    ),
    Cause(
        re.compile(
            r"Could not find any running Ray instance|Failed to (?:connect to|get) .{0,20}GCS"
        ),
        "no Ray cluster answers at trainer.ray_address",
    ),
    Cause(
        re.compile(r"Address already in use|EADDRINUSE"),
        "a port was taken by another process in the same moment: start again",
        exit_code=1,
    ),
    Cause(
        re.compile(
            r"Watchdog caught collective operation timeout|NCCL error|ncclSystemError"
            r"|ncclRemoteError|Timed out waiting \d+ms for (?:recv|send) operation"
            r"|Connection closed by peer"
        ),
        "the workers lost each other: start again, and if it happens again look at the network "
        "between the machines (NCCL_SOCKET_IFNAME)",
        exit_code=1,
    ),
    Cause(
        re.compile(r"EngineDeadError|EngineCore.{0,40}(?:died|fatal error)"),
        "vLLM died while it rolled out",
        exit_code=1,
    ),
    Cause(
        re.compile(
            r"curricle: ActorDiedError: (\w+)"  # safe_trainer.py
            r"|ActorDiedError: The actor died[^\n]*\n[^\n]{0,80}class_name: (?:[\w<>]+\.)*(\w+)"
            r"|ActorUnavailableError|WorkerCrashedError|LocalRayletDiedError"
        ),
        "a process of the run died or was killed (by the system where memory ran out: see `dmesg`)",
        exit_code=1,
    ),
)


def failure(what: str, log: Path, start: int = 0) -> Fault:
    """What happened, the cause where it is known, where the log is and how to go on.

    `start` is where the log of this attempt begins, in bytes.
    """
    text = _end_of(log, start)
    found = ((cause, match) for cause in CAUSES if (match := cause.pattern.search(text)))
    cause, match = next(found, (None, None))
    if shutil.disk_usage(log.parent).free < FULL:
        cause = DISK
    known = f": {cause.says}" if cause else ""
    if match and (who := next(filter(None, match.groups()), None)):
        known += f", {who} at first"
    last = "\n".join(line[:WIDTH] for line in text.splitlines()[-LINES:])
    message = f"{what}{known}; {GO_ON}. {log} ends with:\n{last}"
    return Fault(message, cause.exit_code if cause else 1)


def size_of(log: Path) -> int:
    """Where a log goes on."""
    return log.stat().st_size if log.is_file() else 0


def _end_of(log: Path, start: int) -> str:
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(start, size_of(log) - LOOKED_AT))
        return file.read().decode(errors="replace")
