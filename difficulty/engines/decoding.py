"""Batched sampling from any causal language model of transformers.

What is unusual: every completion has a seed of its own and draws its uniform numbers from it, one
for each token, by inverse transform. So in float32 a completion depends on its prompt and its seed
alone (up to rounding), never on what else was in the batch. Each prompt is run once and its cache
repeated for its completions; finished rows are dropped from the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from difficulty.engines.base import FinishReason, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# A batch is compacted once this share of its rows has finished: copying the cache costs too.
_DROP_SHARE = 0.25

# Tokens that running a common beginning once must save: it is a forward pass of its own.
_WORTH_SHARING = 64


@dataclass(frozen=True, slots=True)
class Decoded:
    """One completion."""

    tokens: list[int]
    """The end token included."""
    log_probability: float
    """Sum over tokens under the distribution they were sampled from."""
    finish_reason: FinishReason


@dataclass(frozen=True)
class Decoder:
    """A model with what is needed to end its completions."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    ends: frozenset[int]
    """Tokens that end a completion."""

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def decode(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[Sequence[int]], sampling: Sampling
    ) -> list[list[Decoded]]:
        """Completions of every prompt, one for each of its seeds: (prompts, seeds)."""
        which = [prompt for prompt, group in enumerate(seeds) for _ in group]
        device = self.model.device
        pick = _Picker(sampling, [seed for group in seeds for seed in group], device)
        logits, cache, mask = self._prefill(prompts)
        rows = torch.tensor(which, device=device)
        cache.batch_select_indices(rows)
        logits, mask = logits[rows], mask[rows]
        positions = mask.sum(1)
        written = _Written(len(which), sampling.max_tokens, device)
        alive = torch.arange(len(which), device=device)
        ends = torch.tensor(sorted(self.ends), dtype=torch.long, device=device)
        for step in range(sampling.max_tokens):
            tokens, log_probabilities = pick(logits, alive, step)
            written.add(alive, tokens, log_probabilities, step)
            going = torch.isin(tokens, ends, invert=True) & (written.lengths[alive] == 0)
            if sampling.stop:
                going &= ~self._stopped(written.tokens[alive, : step + 1], sampling.stop)
            written.end(alive[~going], step + 1)
            left = int(going.sum())
            if left == 0 or step == sampling.max_tokens - 1:
                break
            if left <= (1 - _DROP_SHARE) * len(alive):
                kept = going.nonzero()[:, 0]
                alive, tokens, mask, positions = (x[kept] for x in (alive, tokens, mask, positions))
                cache.batch_select_indices(kept)
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            logits = self._forward(tokens[:, None], mask, positions[:, None], cache)
            positions = positions + 1
        done = iter(written.completions())
        return [[next(done) for _ in group] for group in seeds]

    def _prefill(self, prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, Any, torch.Tensor]:
        """Run the prompts, padded on the left: (next-token logits, cache, attention mask).

        What all of them begin with, an instruction or worked examples, is run once.
        """
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        shared = _shared(prompts) if _only_attention(cache) else 0
        tokens, mask = pad_left([prompt[shared:] for prompt in prompts], self.model.device)
        positions = shared + (mask.cumsum(1) - 1).clamp(min=0)
        if shared:
            first, seen = pad_left([prompts[0][:shared]], self.model.device)
            self._forward(first, seen, seen.cumsum(1) - 1, cache)
            cache.batch_repeat_interleave(len(prompts))
            mask = torch.cat([seen.expand(len(prompts), -1), mask], dim=1)
        return self._forward(tokens, mask, positions, cache), cache, mask

    def _forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        """Logits of the token after the last, in float32: (rows, vocabulary)."""
        output = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()

    def _stopped(self, tokens: torch.Tensor, stop: tuple[str, ...]) -> torch.Tensor:
        """Which of the rows hold a stop string in their last tokens: (rows,)."""
        # Each token but a special one holds a byte or more, so this tail holds any stop string.
        tail = max(len(text.encode()) for text in stop) + 8
        texts = (
            self.tokenizer.decode(row, skip_special_tokens=True)
            for row in tokens[:, -tail:].tolist()
        )
        found = [any(end in text for end in stop) for text in texts]
        return torch.tensor(found, device=tokens.device)


class _Written:
    """What has been sampled so far, row by row."""

    def __init__(self, rows: int, most: int, device: torch.device) -> None:
        self.tokens = torch.zeros(rows, most, dtype=torch.long, device=device)
        self.log_probabilities = torch.zeros(rows, most, dtype=torch.float64, device=device)
        self.lengths = torch.zeros(rows, dtype=torch.long, device=device)
        """Of the rows that have ended; 0 for the others."""

    def add(
        self, rows: torch.Tensor, tokens: torch.Tensor, log_probabilities: torch.Tensor, step: int
    ) -> None:
        """What rows that ended before get here lies behind their ends."""
        self.tokens[rows, step] = tokens
        self.log_probabilities[rows, step] = log_probabilities.double()

    def end(self, rows: torch.Tensor, length: int) -> None:
        """The rows end here, those excepted that have ended before."""
        self.lengths[rows] = torch.where(self.lengths[rows] == 0, length, self.lengths[rows])

    def completions(self) -> Iterator[Decoded]:
        most = self.tokens.shape[1]
        lengths = torch.where(self.lengths == 0, most, self.lengths)
        places = torch.arange(most, device=lengths.device)
        sums = self.log_probabilities.masked_fill(places >= lengths[:, None], 0).sum(1)
        ended = (self.lengths > 0).tolist()
        for row, length, total, stopped in zip(
            self.tokens.tolist(), lengths.tolist(), sums.tolist(), ended, strict=True
        ):
            yield Decoded(row[:length], total, "stop" if stopped else "length")


class _Picker:
    """Draws tokens: row i uses the uniform number i of its own seed at every step."""

    def __init__(self, sampling: Sampling, seeds: Sequence[int], device: torch.device) -> None:
        from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

        self.greedy = sampling.temperature == 0
        self.warpers: list[Any] = []
        if not self.greedy and sampling.temperature != 1:
            self.warpers.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k > 0:
            self.warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            self.warpers.append(TopPLogitsWarper(sampling.top_p))
        draws = np.empty((len(seeds), 0 if self.greedy else sampling.max_tokens), np.float32)
        for row, seed in zip(draws, seeds, strict=True):
            np.random.default_rng(seed).random(out=row, dtype=np.float32)
        self.uniform = torch.from_numpy(draws).to(device)

    def __call__(
        self, logits: torch.Tensor, rows: torch.Tensor, step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(tokens, their log-probabilities), each (rows,)."""
        if self.greedy:
            tokens = logits.argmax(-1)
            return tokens, logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]
        for warp in self.warpers:
            logits = warp(None, logits)
        probabilities = logits.softmax(-1)
        cumulated = probabilities.cumsum(-1)
        total = cumulated[:, -1]
        # Rounding must not carry the draw to the total itself, beyond every token.
        drawn = torch.minimum(
            self.uniform[rows, step] * total, torch.nextafter(total, torch.zeros_like(total))
        )
        tokens = torch.searchsorted(cumulated, drawn[:, None], right=True)[:, 0]
        return tokens, probabilities.gather(1, tokens[:, None])[:, 0].log()


def _shared(prompts: Sequence[Sequence[int]]) -> int:
    """How much of the prompts to run once; each keeps a token of its own."""
    shared = min(common_prefix(prompts), min(map(len, prompts)) - 1)
    return shared if (len(prompts) - 1) * shared >= _WORTH_SHARING else 0


def _only_attention(cache: Any) -> bool:
    """Whether padding amid a prompt is harmless: windows it fills, recurrent layers read it."""
    from transformers.cache_utils import DynamicLayer

    return bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all the sequences begin with."""
    # All others lie between these two.
    first, last = min(map(tuple, sequences)), max(map(tuple, sequences))
    for place, (a, b) in enumerate(zip(first, last, strict=False)):
        if a != b:
            return place
    return len(first)


def pad_left(
    sequences: Sequence[Sequence[int]], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """(tokens, mask), each (sequences, longest), filled up with masked zeros on the left."""
    longest = max(len(sequence) for sequence in sequences)
    tokens = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, sequence in enumerate(sequences):
        tokens[row, longest - len(sequence) :] = torch.tensor(sequence)
        mask[row, longest - len(sequence) :] = 1
    return tokens.to(device), mask.to(device)
