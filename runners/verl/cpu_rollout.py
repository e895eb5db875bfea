"""verl's rollout on a CPU without vLLM: our own decoding (rollout name `transformers`).

verl sends every sample as a request of its own, all at once; the server gathers what arrives
within a moment and answers it as one batch. Each completion's seed comes from its prompt, the
step and its arrival in the group, so a batch's make-up changes no completion.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from difficulty.engines.base import Sampling
from difficulty.engines.decoding import Decoded, Decoder
from difficulty.engines.transformers import load_model
from runners.verl.endings import end_tokens
from runners.verl.weights import load_exactly

GATHER_SECONDS = 0.05
"""How long a request waits for others before a batch starts."""
MAX_ROWS = 256
"""Most completions decoded at once."""
ARRIVALS = 2**20
"""More than any server sees of one prompt in a step."""

Prompt = tuple[int, ...]


def actor_name(replica_rank: int) -> str:
    """The server's name among Ray's actors."""
    return f"transformers_server_{replica_rank}"


def row_seed(run_seed: int, prompt: Prompt, step: int, arrival: int) -> int:
    """31 bits of SHA-256: verl hands no uid to a rollout, so the prompt stands for the problem."""
    text = f"{run_seed}:{','.join(map(str, prompt))}:{step}:{arrival}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1


@dataclass(eq=False, slots=True)
class Waiting:
    """A request that is not answered yet."""

    prompt: Prompt
    seed: int
    sampling: Sampling
    answer: asyncio.Future[TokenOutput]


class TransformersServer:
    """The Ray actor that holds the rollout's copy of the model."""

    def __init__(
        self, model_path: str, run_seed: int, response_length: int, replica_rank: int
    ) -> None:
        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        model, tokenizer = load_model(Path(model_path), "float32", "cpu", threads)
        self.decoder = Decoder(model, tokenizer, end_tokens(model_path, tokenizer))
        self.run_seed = run_seed
        # the samples of a prompt are spread over all servers, each of which counts from its own
        # beginning: the same number twice would be the same completion twice
        self.first_arrival = replica_rank * ARRIVALS
        self.response_length = response_length
        self.step = 0
        self.arrivals: Counter[Prompt] = Counter()
        self.waiting: list[Waiting] = []
        self.model_free = asyncio.Lock()

    async def generate(
        self, request_id: str, prompt_ids: Sequence[int], sampling_params: dict[str, Any], **_: Any
    ) -> TokenOutput:
        """verl's protocol: one prompt in, the token ids of one completion out."""
        prompt = tuple(prompt_ids)
        arrival = self.first_arrival + self.arrivals[prompt]
        seed = row_seed(self.run_seed, prompt, self.step, arrival)
        self.arrivals[prompt] += 1
        sampling = Sampling(
            temperature=sampling_params["temperature"],
            top_p=sampling_params["top_p"],
            top_k=sampling_params["top_k"],
            max_tokens=self.response_length,
        )
        request = Waiting(prompt, seed, sampling, asyncio.get_running_loop().create_future())
        self.waiting.append(request)
        await asyncio.sleep(GATHER_SECONDS)
        async with self.model_free:
            if not request.answer.done():
                await self._answer_batch(request)
        return await request.answer

    async def _answer_batch(self, first: Waiting) -> None:
        """Answer `first` and as many others with the same sampling as fit into one batch."""
        alike = [r for r in self.waiting if r is not first and r.sampling == first.sampling]
        batch = [first, *alike[: MAX_ROWS - 1]]
        chosen = set(batch)
        self.waiting = [request for request in self.waiting if request not in chosen]
        groups: dict[Prompt, list[Waiting]] = defaultdict(list)
        for request in batch:
            groups[request.prompt].append(request)
        seeds = [[request.seed for request in group] for group in groups.values()]
        try:
            decoded = await asyncio.to_thread(
                self.decoder.decode, list(groups), seeds, first.sampling
            )
        except Exception as error:  # noqa: BLE001  every waiting request has to hear of it
            for request in batch:
                request.answer.set_exception(error)
            return
        for group, completions in zip(groups.values(), decoded, strict=True):
            for request, completion in zip(group, completions, strict=True):
                request.answer.set_result(self._output(completion))

    def _output(self, completion: Decoded) -> TokenOutput:
        return TokenOutput(
            token_ids=completion.tokens,
            stop_reason="completed",
            extra_fields={"global_steps": self.step},
        )

    async def load_weights(self, weights: dict[str, torch.Tensor], step: int | None) -> None:
        """Take the trained weights over, before the rollouts of the next step."""
        async with self.model_free:
            load_exactly(self.decoder.model, weights)
        self.arrivals.clear()
        if step is not None:
            self.step = step

    async def wake_up(self, *_: Any, **__: Any) -> None:
        """verl's protocol; nothing sleeps on a CPU."""

    sleep = abort_all_requests = resume_generation = wake_up
    clear_kv_cache = release_kv_cache = resume_kv_cache = wake_up
    start_profile = stop_profile = wake_up


class TransformersReplica(RolloutReplica):  # type: ignore[misc]
    """Starts one server for each worker of the trainer."""

    async def launch_servers(self) -> None:
        server = (
            ray.remote(TransformersServer)
            .options(name=actor_name(self.replica_rank), num_cpus=0, max_concurrency=4096)
            .remote(
                self.model_config.path,
                self.config.seed,
                self.config.response_length,
                self.replica_rank,
            )
        )
        self.servers = [server]
        self._server_handle = server
        self._server_address = actor_name(self.replica_rank)


class TransformersAdapter(BaseRollout):  # type: ignore[misc]
    """The trainer worker's side: hands new weights to its own server."""

    def __init__(
        self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1, **_: Any
    ) -> None:
        super().__init__(config, model_config, device_mesh)
        self.replica_rank = int(os.environ["RANK"]) if replica_rank == -1 else replica_rank

    async def resume(self, tags: list[str]) -> None:
        """Nothing to resume: the weights never leave memory."""

    async def release(self) -> None:
        """Nothing to release."""

    async def update_weights(
        self,
        weights: Iterator[tuple[str, torch.Tensor]],
        wire_format: str = "named_tensors",
        global_steps: int | None = None,
        **_: Any,
    ) -> None:
        copied = {name: tensor.detach().to("cpu", torch.float32) for name, tensor in weights}
        server = ray.get_actor(actor_name(self.replica_rank))
        await server.load_weights.remote(copied, global_steps)
