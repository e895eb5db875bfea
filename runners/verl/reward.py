"""The reward inside verl: our verdict on each completion.

A reward manager rather than a bare `compute_score` function, because only the manager sees the
token ids: a completion that fills the token limit without an end token was cut off, and that is a
status of its own (`truncated`), never a plain `wrong`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from omegaconf import OmegaConf
from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from domains.judge import judge
from domains.problem import Problem
from domains.verl.own_rows import restore
from runners.verl.endings import end_tokens, finish_reason


class VerdictRewardManager(RewardManagerBase):  # type: ignore[misc]
    """Judges completions with the checker that each row of the data carries."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any, **_: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        self.limit = int(config.data.max_response_length)
        self.ends = end_tokens(config.actor_rollout_ref.model.path, tokenizer)
        self.text_characters = int(OmegaConf.select(config, "curricle.text_characters") or 0)
        self.problems: dict[str, Problem] = {}

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """verl's protocol: one completion in, `reward_score` and `reward_extra_info` out."""
        item = data[-1]
        prompt_length = item.batch["prompts"].shape[-1]
        length = int(item.batch["attention_mask"][prompt_length:].sum())
        token_ids = item.batch["responses"][:length].tolist()
        problem = self._problem(item.non_tensor_batch)
        return await asyncio.to_thread(self._judge, problem, token_ids)

    def _judge(self, problem: Problem, token_ids: list[int]) -> dict[str, Any]:
        text = self.tokenizer.decode(token_ids, skip_special_tokens=True)
        reason = finish_reason(token_ids, self.limit, self.ends)
        verdict = judge(problem, text, reason)
        told = {"uid": problem.uid, "status": verdict.status, "credit": verdict.score}
        if self.text_characters:
            told["text"] = text[: self.text_characters]
        return {"reward_score": float(verdict.status == "correct"), "reward_extra_info": told}

    def _problem(self, row: dict[str, Any]) -> Problem:
        uid = row["extra_info"]["uid"]
        if uid not in self.problems:
            self.problems[uid] = restore(row)
        return self.problems[uid]
