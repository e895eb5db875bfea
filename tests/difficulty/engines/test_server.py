"""An OpenAI-compatible server as an engine: retries, several servers, and the real vLLM one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from difficulty.engines.base import Request, Sampling
from difficulty.engines.server import Server
from difficulty.engines.vllm import Vllm
from domains.sources.tiny_families import TinyFamilies


def make_requests(count: int, samples: int) -> list[Request]:
    problems = TinyFamilies(size=4).load()[:count]
    return [
        Request(p.uid, ({"role": "user", "content": p.prompt},), tuple(range(i, i + samples)))
        for i, p in enumerate(problems)
    ]


@contextmanager
def echoing(failures: int = 0, status: int = 503) -> Iterator[tuple[str, Counter[str]]]:
    """A server that answers with the seed, after failing so often."""
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(200, {"data": [{"id": "echo"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                seen["asked"] += 1
                fails = seen["asked"] <= failures
            if fails:
                return self.reply(status, {"error": "overloaded"})
            choice = {"text": f"seed {body['seed']}", "finish_reason": "stop"}
            self.reply(200, {"choices": [choice], "usage": {"completion_tokens": 3}})

        def reply(self, code: int, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()


def test_completions_come_in_the_order_of_their_seeds_after_failures(tiny_model: Path) -> None:
    requests = make_requests(20, 4)
    with (
        echoing(failures=3) as (url, seen),
        Server(urls=(url,), concurrency=4).open(tiny_model, None) as engine,
    ):
        found = engine.generate(requests, Sampling())
    assert [[c.text for c in row] for row in found] == [
        [f"seed {seed}" for seed in request.seeds] for request in requests
    ]
    assert seen["asked"] == 20 * 4 + 3


def test_a_server_that_is_down_is_left_to_the_other(tiny_model: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with (
            echoing() as (url, seen),
            Server(urls=(url, dead), concurrency=4).open(tiny_model, None) as engine,
        ):
            assert len(engine.generate(make_requests(10, 2), Sampling())) == 10
    assert seen["asked"] == 20


def test_a_request_that_the_server_refuses_is_one_clear_error(tiny_model: Path) -> None:
    with (
        echoing(failures=10**6, status=400) as (url, _),
        Server(urls=(url,)).open(tiny_model, None) as engine,
        pytest.raises(ValueError, match="HTTP 400"),
    ):
        engine.generate(make_requests(1, 1), Sampling())


def test_addresses_and_keys_are_checked_before_anything_is_asked(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="must start with http"):
        Server(urls=("localhost:8000",))
    with pytest.raises(ValueError, match="variable that is set"):
        Server(urls=("http://localhost:1/v1",), api_key_env="NO_SUCH_KEY").open(tiny_model, None)
    with pytest.raises(ValueError, match="did not"):
        Server(urls=("http://127.0.0.1:9/v1",)).open(tiny_model, None)


@contextmanager
def vllm_server(model: Path, log: Path) -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    words = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", "tiny"]
    words += ["--dtype", "float32", "--enforce-eager", "--block-size", "32"]
    words += ["--max-model-len", "256", "--no-enable-chunked-prefill"]
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
             *words],
            env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        for _ in range(300):
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_vllms_own_server_answers_as_the_engine_in_a_child_does(
    tmp_path: Path, tiny_model: Path
) -> None:
    requests, sampling = make_requests(12, 4), Sampling(max_tokens=16, stop=(":",))
    with (
        vllm_server(tiny_model, tmp_path / "log") as url,
        Server(urls=(url,)).open(tiny_model, None) as engine,
    ):
        from_server = engine.generate(requests, sampling)
    with Vllm(max_model_len=256).open(tiny_model, None) as engine:
        assert engine.generate(requests, sampling) == from_server
