"""Advantages and losses of the local trainer: calls into verl's own `core_algos`, nothing else.

So a local run and a verl run optimise the same thing: token-mean aggregation, one epoch, the whole
batch as one mini-batch, the old policy being the one that rolled out.

Shapes: (rows, tokens) with rows = prompts x samples, the samples of a prompt side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from runners.trainer import Algorithm, Trainer

VALUE_CLIP = 0.5
"""Range of the clipped value loss: verl's default."""


@dataclass(frozen=True)
class Estimate:
    """What the advantage estimator gives, both (rows, tokens)."""

    advantages: torch.Tensor
    returns: torch.Tensor


def estimate_advantages(
    algorithm: Algorithm,
    rewards: torch.Tensor,
    mask: torch.Tensor,
    groups: Sequence[int],
    values: torch.Tensor | None,
    gamma: float,
    lam: float,
) -> Estimate:
    """Advantages of one batch.

    `rewards` (rows,) is each completion's; it is put on the last token. `groups` says which prompt
    a row belongs to; `values` (rows, tokens) are the critic's, for PPO.
    """
    from verl.trainer.config import AlgoConfig
    from verl.trainer.ppo import core_algos

    token_rewards = torch.zeros_like(mask)
    last = mask.sum(1).long() - 1
    token_rewards[torch.arange(len(mask)), last] = rewards.to(mask.dtype)
    if algorithm == "ppo":
        assert values is not None
        found = core_algos.compute_gae_advantage_return(token_rewards, values, mask, gamma, lam)
    elif algorithm == "reinforce_plus_plus":
        found = core_algos.compute_reinforce_plus_plus_outcome_advantage(
            token_rewards, mask, config=AlgoConfig(gamma=gamma)
        )
    else:
        found = core_algos.compute_grpo_outcome_advantage(
            token_rewards, mask, index=np.asarray(groups)
        )
    return Estimate(*found)


def actor_config(trainer: Trainer) -> Any:
    """verl's own actor settings, as its policy loss wants them."""
    from verl.workers.config import FSDPActorConfig

    return FSDPActorConfig(
        strategy="fsdp2",
        rollout_n=trainer.samples_per_prompt,
        ppo_mini_batch_size=trainer.prompts_per_step,
        ppo_micro_batch_size_per_gpu=trainer.rollouts_per_step,
        clip_ratio=trainer.clip_low,
        clip_ratio_low=trainer.clip_low,
        clip_ratio_high=trainer.clip_high,
    )


def policy_loss(
    config: Any,
    kl_coefficient: float,
    log_probs: torch.Tensor,
    old_log_probs: torch.Tensor,
    reference_log_probs: torch.Tensor | None,
    advantages: torch.Tensor,
    mask: torch.Tensor,
    batch_tokens: float,
) -> torch.Tensor:
    """Clipped policy loss plus KL loss of some rows, as a share of the whole batch's token mean.

    `batch_tokens` counts the response tokens of the whole batch, so losses of parts add up, and
    rows whose advantage is zero may be left out without changing the sum.
    """
    from verl.trainer.ppo import core_algos

    whole = {"dp_size": 1, "batch_num_tokens": batch_tokens, "global_batch_size": None}
    config.global_batch_info.update(whole)
    loss, _ = core_algos.compute_policy_loss_vanilla(
        old_log_probs, log_probs, advantages, mask, loss_agg_mode="token-mean", config=config
    )
    if reference_log_probs is not None:
        divergence = core_algos.kl_penalty(log_probs, reference_log_probs, "low_var_kl")
        loss = loss + kl_coefficient * core_algos.agg_loss(divergence, mask, "token-mean", **whole)
    total: torch.Tensor = loss
    return total


def value_loss(
    values: torch.Tensor,
    old_values: torch.Tensor,
    returns: torch.Tensor,
    mask: torch.Tensor,
    batch_tokens: float,
) -> torch.Tensor:
    """Clipped squared error of the critic on some rows, as a share of the batch's token mean."""
    from verl.trainer.ppo import core_algos

    loss, _ = core_algos.compute_value_loss(
        values, returns, old_values, mask, VALUE_CLIP, batch_num_tokens=batch_tokens
    )
    total: torch.Tensor = loss
    return total
