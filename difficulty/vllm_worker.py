"""The child process of `VllmEngine`: loads vLLM and answers until its parent hangs up.

Every completion is a request of its own with its own seed, since one seed for n samples gives n
equal completions in vLLM; prefix caching makes the samples of a prompt share its prefill.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from difficulty.engine import Completion, FinishReason, Request

_CPU_MAX_MODEL_LEN = 2048
"""What fits into the 1 GiB of cache that the CPU engine is given, with many sequences at once."""


def main() -> None:
    _end_with_parent()
    pipe = Connection(int(sys.argv[1]))
    settings, model, chat_template = pipe.recv()
    try:
        llm, tokenizer = _load(settings, model)
    except Exception as error:  # noqa: BLE001  the parent tells the user
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
        return
    pipe.send("ready")
    while True:
        try:
            requests, sampling = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(_generate(llm, tokenizer, chat_template, requests, sampling))
        except Exception as error:  # noqa: BLE001  the parent tells the user
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _load(settings: dict[str, Any], model: str) -> tuple[Any, Any]:
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


def _generate(
    llm: Any,
    tokenizer: Any,
    chat_template: str | None,
    requests: Sequence[Request],
    sampling: dict[str, Any],
) -> list[list[Completion]]:
    from vllm import SamplingParams
    from vllm.inputs import TokensPrompt

    prompts: list[Any] = []
    parameters: list[Any] = []
    for request in requests:
        text = tokenizer.apply_chat_template(
            list(request.messages),
            add_generation_prompt=True,
            tokenize=False,
            **({"chat_template": chat_template} if chat_template else {}),
        )
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        for seed in request.seeds:
            prompts.append(TokensPrompt(prompt_token_ids=ids))
            parameters.append(
                SamplingParams(
                    temperature=sampling["temperature"],
                    top_p=sampling["top_p"],
                    top_k=sampling["top_k"],
                    max_tokens=sampling["max_tokens"],
                    stop=list(sampling["stop"]) or None,
                    seed=seed,
                )
            )
    outputs = llm.generate(prompts, parameters, use_tqdm=False)
    flat = iter(_completion(output.outputs[0]) for output in outputs)
    return [[next(flat) for _ in request.seeds] for request in requests]


def _completion(output: Any) -> Completion:
    reason: FinishReason = "length" if output.finish_reason == "length" else "stop"
    return Completion(output.text, len(output.token_ids), reason)


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, even by kill -9."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
