"""One policy update: rollouts and rewards in, changed weights and figures out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from difficulty.engines.transformers import Rollout
from runners.local.alignment import Sketches, by_domain
from runners.local.checkpoint import restore_trainable, trainable
from runners.local.losses import (
    actor_config,
    divergence,
    estimate_advantages,
    policy_loss,
    value_loss,
)
from runners.local.policy import Rows, load_critic, log_probabilities, state_values, vocabulary

if TYPE_CHECKING:
    from runners.local.trainer import LocalTrainer


@dataclass(frozen=True)
class Update:
    """What one update did."""

    loss: float
    """The policy's loss over the whole batch, a mean over response tokens."""
    value_loss: float | None
    grad_norm: float
    """Before clipping; 0 where no group had a signal."""
    advantages: torch.Tensor
    """(rows,) of every completion: the mean over its tokens."""
    kl: float | None = None
    """From the starting policy, by the estimator of the settings; None without a reference."""
    sketches: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Of each domain's part of the policy's gradient, where they were asked for."""


class Learner:
    """Policy, optional reference and critic, and their optimisers."""

    def __init__(self, settings: LocalTrainer, model: Any, start: Path, seed: int) -> None:
        self.settings = settings
        self.model = model
        self.optimizer = self._adam(model, settings.learning_rate)
        self.config = actor_config(settings)
        self.critic = load_critic(start, model, seed) if settings.algorithm == "ppo" else None
        self.critic_optimizer = (
            self._adam(self.critic, settings.critic_learning_rate) if self.critic else None
        )
        self.reference = self._frozen_copy(start) if settings.kl_coefficient > 0 else None

    def update(
        self,
        groups: Sequence[Sequence[Rollout]],
        rewards: torch.Tensor,
        temperature: float,
        domains: Sequence[str] = (),
    ) -> Update:
        """Learn from one batch; `rewards` is (rows,), group after group.

        With `domains`, one for each group, the gradients of the domains are sketched apart.

        Groups without any advantage give no gradient (unless there is a KL loss) and are not run;
        the loss is still a mean over all tokens of the batch.
        """
        settings = self.settings
        rows = Rows.of(groups, self.model.device)
        everything = list(range(len(groups)))
        values = self._values(rows, everything) if self.critic is not None else None
        index = [g for g in everything for _ in range(rows.samples)]
        estimate = estimate_advantages(
            settings.algorithm,
            rewards.to(rows.mask.device), rows.mask, index, values, settings.gamma, settings.lam,
        )  # fmt: skip
        critic_loss = None
        if self.critic is not None and values is not None:
            critic_loss = self._update_critic(rows, everything, values, estimate.returns)
        alive = [g for g in everything if self._has_signal(estimate.advantages, g, rows.samples)]
        sketches = Sketches(self.model)
        loss, kl, norm = self._update_policy(
            rows, by_domain(alive, domains) if domains else {"": alive},
            estimate.advantages, temperature, sketches if domains else None,
        )  # fmt: skip
        lengths = rows.mask.sum(1)
        means = (estimate.advantages * rows.mask).sum(1) / lengths
        known = kl if self.reference is not None else None
        return Update(loss, critic_loss, norm, means, known, sketches.found)

    def state(self) -> dict[str, Any]:
        """All that changes, for a checkpoint."""
        state = {"policy": trainable(self.model), "optimizer": self.optimizer.state_dict()}
        if self.critic is not None and self.critic_optimizer is not None:
            state["critic"] = trainable(self.critic)
            state["critic_optimizer"] = self.critic_optimizer.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        restore_trainable(self.model, state["policy"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.critic is not None and self.critic_optimizer is not None:
            restore_trainable(self.critic, state["critic"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])

    def _update_policy(
        self,
        rows: Rows,
        alive: Mapping[str, list[int]],
        advantages: torch.Tensor,
        temperature: float,
        sketches: Sketches | None,
    ) -> tuple[float, float, float]:
        """(loss, KL, norm of the gradient)."""
        if not any(alive.values()):
            return 0.0, 0.0, 0.0
        self.model.train()
        self.optimizer.zero_grad()
        tokens, total, kl = float(rows.mask.sum()), 0.0, 0.0
        for domain, groups in alive.items():
            for part, index in rows.parts(groups, vocabulary(self.model)):
                loss, apart = self._part_loss(part, advantages[index], temperature, tokens)
                loss.backward()
                total, kl = total + float(loss.detach()), kl + apart
            if sketches is not None:
                sketches.close(domain)
        return total, kl, self._step(self.model, self.optimizer, total)

    def _part_loss(
        self, part: Rows, advantages: torch.Tensor, temperature: float, tokens: float
    ) -> tuple[torch.Tensor, float]:
        """The shares of some rows in the loss and the KL of a batch of `tokens` response tokens."""
        log_probs = log_probabilities(self.model, part, temperature)
        reference, kl = None, 0.0
        if self.reference is not None:
            with torch.no_grad():
                reference = log_probabilities(self.reference, part, temperature)
        # One update a rollout: the policy that rolled out is the policy now.
        loss = policy_loss(
            self.config, self.settings.kl_coefficient,
            log_probs, log_probs.detach(), reference, advantages, part.mask, tokens,
        )  # fmt: skip
        if reference is not None:
            kl = float(divergence(self.config, log_probs.detach(), reference, part.mask))
        return loss, kl

    def _update_critic(
        self, rows: Rows, groups: list[int], old_values: torch.Tensor, returns: torch.Tensor
    ) -> float:
        assert self.critic is not None
        assert self.critic_optimizer is not None
        self.critic_optimizer.zero_grad()
        tokens, total = float(rows.mask.sum()), 0.0
        for part, index in rows.parts(groups):
            values = state_values(self.critic, part)
            loss = value_loss(values, old_values[index], returns[index], part.mask, tokens)
            loss.backward()
            total += float(loss.detach())
        self._step(self.critic, self.critic_optimizer, total)
        return total

    def _values(self, rows: Rows, groups: list[int]) -> torch.Tensor:
        assert self.critic is not None
        values = torch.zeros_like(rows.mask)
        with torch.no_grad():
            for part, index in rows.parts(groups):
                values[index] = state_values(self.critic, part)
        return values * rows.mask

    def _has_signal(self, advantages: torch.Tensor, group: int, samples: int) -> bool:
        own = advantages[group * samples : (group + 1) * samples]
        return self.reference is not None or bool((own != 0).any())

    def _step(self, model: Any, optimizer: torch.optim.Optimizer, loss: float) -> float:
        norm = float(
            torch.nn.utils.clip_grad_norm_(model.parameters(), self.settings.max_grad_norm)
        )
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise ValueError(
                f"training must stay finite, but got {loss=} and grad_norm={norm} with "
                f"trainer.learning_rate={self.settings.learning_rate}: try a smaller one; the last "
                "checkpoint stands"
            )
        optimizer.step()
        return norm

    def _adam(self, model: Any, learning_rate: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            [parameter for parameter in model.parameters() if parameter.requires_grad],
            lr=learning_rate,
            betas=self.settings.betas,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def _frozen_copy(self, start: Path) -> Any:
        from difficulty.engines.transformers import load_model

        reference, _ = load_model(start, self.settings.dtype, self.settings.device, None)
        return reference.requires_grad_(False)
