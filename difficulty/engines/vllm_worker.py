"""The child process of `VllmEngine`: loads vLLM and answers until its parent hangs up.

Messages in: a list of (number, Request), taken into vLLM's running batch at once, or None, which
gives up all that is unfinished. Messages out: a list of (number, completions) as requests finish,
`AT_WORK` every few seconds while none does, or an exception. So vLLM's batch stays full while the
parent judges and writes, and a parent that hears nothing knows that vLLM hangs.

Every completion is a request of its own with its own seed, since one seed for n samples gives n
equal completions in vLLM; prefix caching makes the samples of a prompt share its prefill.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from difficulty.engines.base import Completion, FinishReason, Request

AT_WORK = "at work"
"""What the child says when it has stepped vLLM and nothing is finished."""
AT_WORK_SECONDS = 2.0
"""How often it does."""
_CPU_MAX_MODEL_LEN = 2048
"""What fits into the 1 GiB of cache that the CPU engine is given, with many sequences at once."""


def main() -> None:
    _end_with_parent()
    pipe = Connection(int(sys.argv[1]))
    settings, model, chat_template = pipe.recv()
    try:
        server = _Server(pipe, *load(settings, model), chat_template)
    except Exception as error:  # noqa: BLE001  the parent tells the user
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
        return
    pipe.send("ready")
    try:
        server.serve()
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  the parent tells the user
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def load(settings: dict[str, Any], model: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoConfig
    from vllm import LLM

    words: dict[str, Any] = {
        "dtype": settings["dtype"],
        "max_num_seqs": settings["max_num_seqs"],
        "tensor_parallel_size": settings["tensor_parallel_size"],
        "enable_prefix_caching": True,
        "max_model_len": settings["max_model_len"],
    }
    if torch.cuda.is_available():
        words["gpu_memory_utilization"] = settings["gpu_memory_utilization"]
    else:
        own_limit = int(AutoConfig.from_pretrained(model).max_position_embeddings)
        words |= {
            "dtype": "float32" if settings["dtype"] == "auto" else settings["dtype"],
            "enforce_eager": True,
            "block_size": 32,  # the CPU's default of 128 shares nothing on short prompts
            "enable_chunked_prefill": False,  # crashes with seeded requests on the CPU
            "max_model_len": settings["max_model_len"] or min(own_limit, _CPU_MAX_MODEL_LEN),
        }
    llm = LLM(model=model, seed=0, **words)
    return llm, llm.get_tokenizer()


class _Server:
    """Steps vLLM and takes in what comes meanwhile."""

    def __init__(self, pipe: Connection, llm: Any, tokenizer: Any, template: str | None) -> None:
        self.pipe = pipe
        self.engine = llm.llm_engine
        self.tokenizer = tokenizer
        self.template = {"chat_template": template} if template else {}
        self.waiting: dict[str, tuple[int, list[Completion | None]]] = {}
        """By number of the request: how many completions it lacks, and the ones it has."""

    def serve(self) -> None:
        said = time.monotonic()
        while True:
            while not self.waiting or self.pipe.poll():
                self._take_in(self.pipe.recv())
            finished = self._step()
            if finished or time.monotonic() > said + AT_WORK_SECONDS:
                self.pipe.send(finished or AT_WORK)
                said = time.monotonic()

    def _take_in(self, message: tuple[list[tuple[int, Request]], dict[str, Any]] | None) -> None:
        if message is None:
            names = [f"{n}:{i}" for n, (_, all_of) in self.waiting.items()
                     for i, completion in enumerate(all_of) if completion is None]  # fmt: skip
            self.engine.abort_request(names)
            self.waiting.clear()
            self.pipe.send([])  # the parent reads up to this before it asks again
            return
        requests, sampling = message
        for number, request in requests:
            self._ask(number, request, sampling)

    def _ask(self, number: int, request: Request, sampling: dict[str, Any]) -> None:
        from vllm import SamplingParams
        from vllm.inputs import TokensPrompt
        from vllm.sampling_params import RequestOutputKind

        text = self.tokenizer.apply_chat_template(
            list(request.messages), add_generation_prompt=True, tokenize=False, **self.template
        )
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        self.waiting[str(number)] = (len(request.seeds), [None] * len(request.seeds))
        for i, seed in enumerate(request.seeds):
            parameters = SamplingParams(
                temperature=sampling["temperature"],
                top_p=sampling["top_p"],
                top_k=sampling["top_k"],
                max_tokens=sampling["max_tokens"],
                stop=list(sampling["stop"]) or None,
                seed=seed,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            self.engine.add_request(f"{number}:{i}", TokensPrompt(prompt_token_ids=ids), parameters)

    def _step(self) -> list[tuple[int, list[Completion]]]:
        finished: list[tuple[int, list[Completion]]] = []
        for output in self.engine.step():
            if not output.finished:
                continue
            number, _, sample = output.request_id.partition(":")
            lacking, completions = self.waiting[number]
            completions[int(sample)] = _completion(output.outputs[0])
            self.waiting[number] = (lacking - 1, completions)
            if lacking == 1:
                del self.waiting[number]
                finished.append((int(number), [c for c in completions if c is not None]))
        return finished


def _completion(output: Any) -> Completion:
    reason: FinishReason = "length" if output.finish_reason == "length" else "stop"
    return Completion(output.text, len(output.token_ids), reason)


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, even by kill -9."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
