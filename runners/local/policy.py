"""The networks of the local trainer: the policy, its frozen reference, and PPO's critic.

What completions share is run once (`packing.py`), and the vocabulary's logits are computed only
where a response token follows. On few-shot prompts that is most of the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch

from difficulty.engines.transformers import Device, Rollout, load_model
from runners.local.packing import WIDEST, Group, Packed, lay_out, pack, parts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_MOST_TOKENS = 1 << 14
"""Tokens in one training forward pass; a larger batch adds up its gradients."""
_MOST_LOGITS = 1 << 28
"""Logits in one training forward pass: a gibibyte in float32."""
_WIDEST_TREE = 2048
_packable: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


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
        filled = [[*rollout.tokens, *[0] * (longest - len(rollout.tokens))] for rollout in flat]
        lengths = torch.tensor([len(rollout.tokens) for rollout in flat], device=device)
        mask = (torch.arange(longest, device=device) < lengths[:, None]).float()
        prompts = [group[0].prompt_tokens for group in groups]
        return cls(prompts, len(groups[0]), torch.tensor(filled, device=device), mask)

    def parts(
        self, groups: Sequence[int], vocabulary: int = 1
    ) -> Iterator[tuple[Rows, torch.Tensor]]:
        """The chosen groups in parts that one forward pass can hold, one group at least.

        Each part comes with the indices of its rows in this batch.
        """
        lengths = self.mask.view(len(self.prompts), -1).sum(1).tolist()
        weights = [
            max(
                (len(self.prompts[g]) + lengths[g]) / _MOST_TOKENS,
                lengths[g] * vocabulary / _MOST_LOGITS,
            )
            for g in groups
        ]
        for part in parts(weights, 1.0):
            chosen = [groups[i] for i in part]
            index = torch.tensor(
                [g * self.samples + i for g in chosen for i in range(self.samples)],
                device=self.mask.device,
            )
            prompts = [self.prompts[g] for g in chosen]
            yield Rows(prompts, self.samples, self.responses[index], self.mask[index]), index

    def groups(self) -> list[Group]:
        """The same without padding."""
        lengths = self.mask.sum(1).long().tolist()
        flat = [row[:n] for row, n in zip(self.responses.tolist(), lengths, strict=True)]
        return [
            Group(prompt, flat[g * self.samples : (g + 1) * self.samples])
            for g, prompt in enumerate(self.prompts)
        ]


def log_probabilities(model: Any, rows: Rows, temperature: float) -> torch.Tensor:
    """Log-probability of every response token under the sampling temperature: (rows, tokens)."""
    return _spread(_token_log_probabilities(model, _laid_out(model, rows), temperature), rows)


def state_values(model: Any, rows: Rows) -> torch.Tensor:
    """The critic's value of the state before every response token: (rows, tokens)."""
    packed = _laid_out(model, rows)
    values = _forward(model, packed).flatten(0, 1)[packed.states, 0].float()
    return _spread(values[packed.before], rows)


def _spread(values: torch.Tensor, rows: Rows) -> torch.Tensor:
    """(response tokens,) as (rows, tokens), zeros behind the ends."""
    return torch.zeros_like(rows.mask, dtype=values.dtype).masked_scatter(rows.mask > 0, values)


def _token_log_probabilities(model: Any, packed: Packed, temperature: float) -> torch.Tensor:
    """(response tokens,): the head sees the states before them alone."""
    narrowed = False

    def narrow(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        nonlocal narrowed
        narrowed = bool(inputs)
        if not inputs:
            return None
        return (inputs[0].flatten(0, 1)[packed.states][None], *inputs[1:])

    handle = model.get_output_embeddings().register_forward_pre_hook(narrow)
    try:
        logits = _forward(model, packed)
    finally:
        handle.remove()
    logits = logits[0] if narrowed else logits.flatten(0, 1)[packed.states]
    logits = logits.float()
    if temperature != 1:
        logits = logits / temperature
    picked: torch.Tensor = logits.log_softmax(-1)[packed.before, packed.targets]
    return picked


def _forward(model: Any, packed: Packed) -> torch.Tensor:
    """The model's outputs: (rows, width, outputs)."""
    outputs: torch.Tensor = model(
        input_ids=packed.tokens,
        position_ids=packed.positions,
        attention_mask=packed.mask,
        use_cache=False,
    ).logits
    return outputs


def _laid_out(model: Any, rows: Rows) -> Packed:
    """Trees where the model can be masked so and the mask has a sensible size."""
    groups = rows.groups()
    widest = 2 * max(len(prompt) for prompt in rows.prompts) + rows.mask.shape[1]
    if widest > WIDEST or not can_pack(model):
        return lay_out(groups, rows.mask.device)
    # Up to this width attention is the smaller part of a layer's work.
    limit = min(model.get_input_embeddings().weight.shape[1], _WIDEST_TREE)
    return pack(groups, limit, rows.mask.device)


def vocabulary(model: Any) -> int:
    """How many tokens a model knows."""
    return int(model.get_input_embeddings().weight.shape[0])


def can_pack(model: Any) -> bool:
    """Whether a model gives the same for trees as for separate sequences: tried out once.

    Recurrent layers, positions that the model counts itself, and masks it does not accept do not.
    Windows would not be seen on so few tokens: they are known by their setting.
    """
    if model not in _packable:
        config = model.config.get_text_config()
        types = getattr(config, "layer_types", None)
        windows = {*types} != {"full_attention"} if types else getattr(config, "sliding_window", 0)
        _packable[model] = not windows and _agrees(model)
    return _packable[model]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _agrees(model: Any) -> bool:
    count, device = vocabulary(model), model.device
    tokens = [place % count for place in (3, 5, 7, 11, 4, 6)]
    groups = [
        Group((*tokens[:3], end), [tokens[2:], tokens[1:4], tokens[::2]]) for end in tokens[:2]
    ]
    training = model.training
    model.eval()
    wanted = _forward(model, plain := lay_out(groups, device)).flatten(0, 1)
    try:
        tree = pack(groups, 1 << 10, device)
        found = _forward(model, tree).flatten(0, 1)
    except (IndexError, RuntimeError, TypeError, ValueError):
        return False  # however a model refuses such a mask
    finally:
        model.train(training)
    wanted, found = wanted[plain.states][plain.before], found[tree.states][tree.before]
    size = float(wanted.float().abs().max())
    far = float((found.float() - wanted.float()).abs().max())
    return far <= size * (1e-3 if model.dtype == torch.float32 else 3e-2)


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
