"""The networks of the local trainer: the policy, its frozen reference, and PPO's critic.

The samples of a prompt share its tokens, so the prompt is run once for its group, in training as in
generation, and its cache repeated: the gradient flows back through the repetition. On few-shot
prompts that is most of the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from difficulty.decoding import pad_left
from difficulty.transformers_engine import Device, Rollout, load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Rows:
    """Completions of some prompts as tensors; every prompt has the same number of samples."""

    prompts: list[tuple[int, ...]]
    samples: int
    responses: torch.Tensor
    """(rows, tokens), zeros behind the end."""
    mask: torch.Tensor
    """(rows, tokens), 1.0 on generated tokens, the end token included."""

    @classmethod
    def of(cls, groups: Sequence[Sequence[Rollout]], device: torch.device) -> Rows:
        flat = [rollout for group in groups for rollout in group]
        longest = max(len(rollout.tokens) for rollout in flat)
        responses = torch.zeros(len(flat), longest, dtype=torch.long)
        mask = torch.zeros(len(flat), longest)
        for row, rollout in enumerate(flat):
            responses[row, : len(rollout.tokens)] = torch.tensor(rollout.tokens)
            mask[row, : len(rollout.tokens)] = 1
        prompts = [group[0].prompt_tokens for group in groups]
        return cls(prompts, len(groups[0]), responses.to(device), mask.to(device))

    def parts(self, groups: Sequence[int], most_rows: int) -> Iterator[tuple[Rows, torch.Tensor]]:
        """The chosen groups in parts of at most `most_rows` rows (one group at least).

        Each part comes with the indices of its rows in this batch.
        """
        step = max(1, most_rows // self.samples)
        for start in range(0, len(groups), step):
            chosen = groups[start : start + step]
            index = torch.tensor(
                [g * self.samples + i for g in chosen for i in range(self.samples)],
                device=self.mask.device,
            )
            prompts = [self.prompts[g] for g in chosen]
            yield Rows(prompts, self.samples, self.responses[index], self.mask[index]), index


def log_probabilities(model: Any, rows: Rows, temperature: float) -> torch.Tensor:
    """Log-probability of every response token under the sampling temperature: (rows, tokens)."""
    logits = _over_responses(model, rows, logits_to_keep=1).float()
    every = torch.log_softmax(logits / temperature, -1)
    picked: torch.Tensor = every.gather(2, rows.responses[..., None])[..., 0]
    return picked


def state_values(model: Any, rows: Rows) -> torch.Tensor:
    """The critic's value of the state before every response token: (rows, tokens)."""
    values: torch.Tensor = _over_responses(model, rows)[..., 0].float()
    return values


def _over_responses(model: Any, rows: Rows, **for_prompts: int) -> torch.Tensor:
    """The model's outputs at the position before every response token: (rows, tokens, outputs)."""
    from transformers import DynamicCache

    tokens, mask = pad_left(rows.prompts, rows.mask.device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    first = model(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        **for_prompts,
    ).logits[:, -1:]
    first = first.repeat_interleave(rows.samples, 0)
    width = rows.responses.shape[1]
    if width == 1:
        return first
    cache.batch_repeat_interleave(rows.samples)
    later = model(
        input_ids=rows.responses[:, :-1],
        attention_mask=torch.cat(
            [mask.repeat_interleave(rows.samples, 0), rows.mask[:, :-1].to(mask.dtype)], 1
        ),
        position_ids=positions[:, -1:].repeat_interleave(rows.samples, 0)
        + torch.arange(1, width, device=mask.device),
        past_key_values=cache,
        use_cache=True,
    ).logits
    return torch.cat([first, later], 1)


def load_policy(
    folder: Path, device: Device, dtype: str, threads: int | None, lora_rank: int, seed: int
) -> tuple[Any, PreTrainedTokenizerBase]:
    """The policy, all weights trainable or LoRA adapters of a rank on every linear layer."""
    model, tokenizer = load_model(folder, dtype, device, threads)
    if lora_rank:
        from peft import LoraConfig, get_peft_model

        adapters = LoraConfig(r=lora_rank, lora_alpha=2 * lora_rank, target_modules="all-linear")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # the adapters' own first weights
            model = get_peft_model(model, adapters)
    return model, tokenizer


def load_critic(folder: Path, like: PreTrainedModel, seed: int) -> Any:
    """The policy's backbone with one number out of every position, as verl builds its critic."""
    from transformers import AutoModelForTokenClassification

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the value head's first weights
        critic = AutoModelForTokenClassification.from_pretrained(
            folder, num_labels=1, dtype=torch.float32, attn_implementation="sdpa"
        )
    for module in critic.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return critic.to(like.device)


def save_policy(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a whole Hugging Face folder beside and rename; LoRA adapters are merged in."""
    import shutil

    beside = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    whole = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    whole.save_pretrained(beside)
    tokenizer.save_pretrained(beside)
    beside.rename(folder)
