"""How a completion ended, told from its token ids: verl does not say."""

from collections.abc import Sequence
from typing import Any

from difficulty.engines.base import FinishReason


def end_tokens(model: str, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a completion: those of the generation config, else the tokenizer's."""
    from transformers import GenerationConfig

    try:
        ends = GenerationConfig.from_pretrained(model).eos_token_id
    except OSError:  # a model folder need not have a generation config
        ends = None
    if ends is None:
        ends = tokenizer.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends])


def finish_reason(token_ids: Sequence[int], limit: int, ends: frozenset[int]) -> FinishReason:
    """`length` when the token limit was reached without an end token."""
    return "length" if len(token_ids) >= limit and token_ids[-1] not in ends else "stop"
