"""The embedded tiny model: a Llama of half a million parameters, made on the spot.

`build_tiny_model` teaches a fresh Llama the five tiny families (`domains.sources.tiny_families`)
from worked lines, in a minute or two on two CPU threads, and leaves a complete Hugging Face folder
in a cache, which transformers, vLLM and verl load like any other model.

The lines are answered directly or with a scratchpad. Early on most have a scratchpad, so the
model learns to use one; at the end few have, so it seldom does. That is the room reinforcement
learning has: it elicits a skill that was planted here, it does not create one. Long lines are rare,
so pass rates fall from level to level.

Problems whose place (`domains.splits.place`) lies below `HELD_OUT` are never shown here: evaluation
sets split off at a share up to that are unseen by the model from its first step.
"""

from __future__ import annotations

import hashlib
import math
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from domains.base import Settings, as_json
from domains.sources.tiny_families import ALPHABET, FAMILIES, LEVELS, Family, draw
from domains.splits import place
from runners.console import progress_bar

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

HELD_OUT = 0.3
SPECIAL_TOKENS = ("<eos>", "<pad>", "<bos>", "<unk>", "<system>", "<user>", "<assistant>")
CHAT_TEMPLATE = (
    "{{ '<bos>' }}{% for message in messages %}"
    "{{ '<' + message['role'] + '>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<eos>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
_PARTS = 2  # passes a batch, one for its short and one for its long lines: less padding
_IGNORED = -100  # the label that transformers' loss leaves out


class Recipe(Settings):
    """How the model is built and warm-started; a part of its cache key."""

    version: int = 3
    """Raised whenever the code below would make other weights of the same numbers."""
    hidden_size: int = 96
    layers: int = 3
    heads: int = 3
    initializer_range: float = 0.1
    """Decisive: at the usual 0.02 nothing is learnt in this many steps."""
    families: tuple[Family, ...] = FAMILIES
    steps: int = Field(600, ge=1)
    batch_size: int = 64
    learning_rate: float = 3e-3
    level_weights: tuple[float, ...] = (4, 3, 2, 1, 0.5)
    """How often each level is shown."""
    scratchpad_share: float = 0.8
    final_scratchpad_share: float = 0.35
    final_steps: int = 100
    """Steps at the end in which the final share holds."""
    threads: int = 2
    """Sums round differently on other numbers of threads, so the number is fixed."""


def build_tiny_model(folder_cache: Path, seed: int = 0, recipe: Recipe | None = None) -> Path:
    """The model's folder under `folder_cache`, made on the first call for a recipe and seed.

    Two processes that ask at once wait for one of them to make it.
    """
    from filelock import FileLock

    recipe = recipe or Recipe()
    key = hashlib.sha256(as_json(recipe.model_dump(mode="json")).encode()).hexdigest()[:8]
    folder = folder_cache / f"tiny-{key}-seed{seed}"
    if folder.is_dir():
        return folder
    folder_cache.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            beside = folder.with_name(f"{folder.name}.making")
            shutil.rmtree(beside, ignore_errors=True)
            tokenizer = make_tokenizer()
            with progress_bar("making the embedded model") as progress:
                model = warm_start(recipe, tokenizer, seed, progress)
            model.save_pretrained(beside)
            tokenizer.save_pretrained(beside)
            beside.rename(folder)
    return folder


def make_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each character, and role tokens for chats."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate((*SPECIAL_TOKENS, *ALPHABET))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<eos>",
        pad_token="<pad>",
        bos_token="<bos>",
        unk_token="<unk>",
        additional_special_tokens=["<system>", "<user>", "<assistant>"],
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped


def make_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """A fresh model with random weights of its own generator."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=4 * recipe.hidden_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        initializer_range=recipe.initializer_range,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def warm_start(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> LlamaForCausalLM:
    """A model that has been taught by `recipe`; equal seeds give equal weights on one machine.

    `progress` is told (steps done, steps in all) after every step.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        model = make_model(recipe, tokenizer, seed)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
        )
        lines = shown_lines(recipe, random.Random(f"warm start:{seed}"))
        for step in range(recipe.steps):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * _schedule(step, recipe.steps)
            optimizer.zero_grad()
            _add_gradients(model, tokenizer, sorted(islice(lines, recipe.batch_size), key=_length))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if progress:
                progress(step + 1, recipe.steps)
    finally:
        torch.set_num_threads(before)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.eval()


def _length(line: tuple[str, str]) -> int:
    return len(line[0]) + len(line[1])


def _add_gradients(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    lines: Sequence[tuple[str, str]],
) -> None:
    """Add up the gradient of the mean loss over the tokens of a batch."""
    size = -(-len(lines) // _PARTS)
    parts = [_tensors(tokenizer, lines[i : i + size]) for i in range(0, len(lines), size)]
    tokens = sum(int((part["labels"] != _IGNORED).sum()) for part in parts)
    for part in parts:
        model(**part, num_items_in_batch=tokens).loss.backward()


def shown_lines(recipe: Recipe, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless (prompt, completion) pairs; the share of scratchpads falls near the end."""
    shown = 0
    while True:
        family = generator.choice(recipe.families)
        level = generator.choices(LEVELS, recipe.level_weights)[0]
        drawn = draw(family, level, generator)
        if place(drawn.problem.uid) < HELD_OUT:
            continue
        early = shown < (recipe.steps - recipe.final_steps) * recipe.batch_size
        share = recipe.scratchpad_share if early else recipe.final_scratchpad_share
        completion = drawn.scratchpad if generator.random() < share else drawn.direct
        shown += 1
        yield drawn.problem.prompt, completion


def _schedule(step: int, steps: int) -> float:
    """Share of the peak learning rate: 40 steps up, then a cosine down to a twentieth."""
    return min(1.0, (step + 1) / 40) * (
        0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    )


def _tensors(
    tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str]]
) -> dict[str, torch.Tensor]:
    """Model inputs, padded on the right; only completions, with their end token, are labelled."""
    import torch

    rows: list[tuple[list[int], int]] = []
    for prompt, completion in pairs:
        asked: Any = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        start = tokenizer.encode(asked, add_special_tokens=False)
        rows.append((start + tokenizer.encode(f"{completion}<eos>"), len(start)))
    longest = max(len(tokens) for tokens, _ in rows)
    inputs = torch.full((len(rows), longest), int(tokenizer.pad_token_id))
    labels = torch.full_like(inputs, _IGNORED)
    mask = torch.zeros_like(inputs)
    for i, (tokens, start_length) in enumerate(rows):
        inputs[i, : len(tokens)] = torch.tensor(tokens)
        labels[i, start_length : len(tokens)] = inputs[i, start_length : len(tokens)]
        mask[i, : len(tokens)] = 1
    return {"input_ids": inputs, "labels": labels, "attention_mask": mask}
