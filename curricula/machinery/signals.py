"""What one outcome says: how right, how spread, how large its advantages.

Rollouts whose verifier failed say nothing of the problem and are left out everywhere here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev

from curricula.base import Outcome

_STD_FLOOR = 1e-6


def graded_rewards(outcome: Outcome) -> list[float]:
    """The rewards of rollouts that were judged; may be empty."""
    if len(outcome.statuses) != len(outcome.rewards):
        return list(outcome.rewards)
    pairs = zip(outcome.rewards, outcome.statuses, strict=True)
    return [reward for reward, status in pairs if status != "verifier_error"]


def successes(rewards: Iterable[float]) -> float:
    """How many of these rollouts were right; partial credit counts in part."""
    return sum(min(1.0, max(0.0, reward)) for reward in rewards)


def is_informative(outcome: Outcome) -> bool:
    """Whether the group has any variance: without it, no group-relative method learns from it."""
    return len(set(graded_rewards(outcome))) > 1


def mean_reward(outcomes: Sequence[Outcome]) -> float | None:
    """Mean over prompts of their mean reward; None where nothing was judged."""
    means = [fmean(rewards) for rewards in map(graded_rewards, outcomes) if rewards]
    return fmean(means) if means else None


def absolute_advantage(outcome: Outcome) -> float | None:
    """Mean |advantage| of a group; None where nothing was judged.

    The trainer's own advantages where it tells them; else the rewards' deviations in units of
    their standard deviation, as GRPO has them. A group without variance is 0, and counts.
    """
    if outcome.advantages:
        return fmean(map(abs, outcome.advantages))
    rewards = graded_rewards(outcome)
    if not rewards:
        return None
    mean, spread = fmean(rewards), pstdev(rewards)
    if spread < _STD_FLOOR:
        return 0.0
    return fmean(abs(reward - mean) for reward in rewards) / spread
