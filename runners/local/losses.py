"""Advantages and losses of the local trainer: calls into verl's own `core_algos`, nothing else.

So a local run and a verl run optimise the same thing, by the same table of algorithms: one epoch,
the whole batch as one mini-batch, the old policy being the one that rolled out.

Shapes: (rows, tokens) with rows = prompts x samples, the samples of a prompt side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from runners.algorithms import KL_TYPES, RULES

if TYPE_CHECKING:
    from runners.algorithms import Algorithm
    from runners.trainer import Trainer

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

    rule = RULES[algorithm]
    token_rewards = torch.zeros_like(mask)
    last = mask.sum(1).long() - 1
    token_rewards[torch.arange(len(mask)), last] = rewards.to(mask.dtype)
    index = np.asarray(groups)
    if rule.estimator == "gae":
        assert values is not None
        found = core_algos.compute_gae_advantage_return(token_rewards, values, mask, gamma, lam)
    elif rule.estimator == "grpo":
        found = core_algos.compute_grpo_outcome_advantage(
            token_rewards, mask, index=index, norm_adv_by_std_in_grpo=rule.by_std
        )
    else:
        estimator = core_algos.get_adv_estimator_fn(rule.estimator)
        found = estimator(
            token_level_rewards=token_rewards,
            response_mask=mask,
            index=index,
            config=AlgoConfig(gamma=gamma),
        )
    return Estimate(*found)


def actor_config(trainer: Trainer) -> Any:
    """verl's own actor settings, as its policy loss wants them."""
    from verl.workers.config import FSDPActorConfig, PolicyLossConfig

    return FSDPActorConfig(
        strategy="fsdp2",
        rollout_n=trainer.samples_per_prompt,
        ppo_mini_batch_size=trainer.prompts_per_step,
        ppo_micro_batch_size_per_gpu=trainer.rollouts_per_step,
        clip_ratio=trainer.clip_low,
        clip_ratio_low=trainer.clip_low,
        clip_ratio_high=trainer.clip_high,
        policy_loss=PolicyLossConfig(loss_mode=trainer.rule.loss),
        loss_agg_mode=trainer.rule.aggregation,
        kl_loss_type=KL_TYPES[trainer.kl_estimator],
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
    """Clipped policy loss plus KL loss of some rows, as a share of the whole batch's mean.

    `batch_tokens` counts the response tokens of the whole batch, so losses of parts add up, and
    rows whose advantage is zero may be left out without changing the sum. Means over sequences
    need the batch's rows too, which the trainer writes into `config.global_batch_info`.
    """
    from verl.trainer.ppo import core_algos

    config.global_batch_info.update(dp_size=1, batch_num_tokens=batch_tokens)
    loss_of, mean = (
        core_algos.get_policy_loss_fn(config.policy_loss.loss_mode),
        config.loss_agg_mode,
    )
    loss, _ = loss_of(old_log_probs, log_probs, advantages, mask, loss_agg_mode=mean, config=config)
    if reference_log_probs is not None:
        loss = loss + kl_coefficient * divergence(config, log_probs, reference_log_probs, mask)
    total: torch.Tensor = loss
    return total


def divergence(
    config: Any, log_probs: torch.Tensor, reference_log_probs: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """KL from the reference of some rows, as a share of the mean that `policy_loss` prepared."""
    from verl.trainer.ppo import core_algos

    by_token = core_algos.kl_penalty(log_probs, reference_log_probs, config.kl_loss_type)
    total: torch.Tensor = core_algos.agg_loss(
        by_token, mask, config.loss_agg_mode, **config.global_batch_info
    )
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
