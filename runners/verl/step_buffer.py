"""The rollouts of one training step, as many as the curriculum wants, kept as far as it chooses.

verl's replay buffer hands a step the first prompts that are finished. This one waits for all that
were sent, tells the curriculum how they went, sends what it refills, and hands on what it chooses:
the same three calls as in the local trainer (`curricula/base.py`). Nothing is carried over to
another step: every rollout comes from the weights that it trains.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, get_args

import transfer_queue
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from curricula.base import Choice, Curriculum, Outcome
from domains.problem import Status

STATUSES: frozenset[str] = frozenset(get_args(Status))
READS = 4
"""Most readings of a step's outcomes while others are still running: each costs several calls."""


@dataclass(slots=True)
class Group:
    """The rollouts of one prompt of the step."""

    keys: tuple[str, ...]
    """verl's names of the rollouts, `<prompt>_<sample>_<part>`, by sample."""
    outcome: Outcome
    texts: tuple[str, ...] = ()
    """What they say, where the reward was asked to tell."""
    choice: Choice = ()
    """Which of them are trained on."""

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(self.keys[i] for i in self.choice)


class StepBuffer(ReplayBuffer):  # type: ignore[misc]
    """verl's buffer, filled and emptied by a curriculum; validation is verl's own."""

    def __init__(
        self,
        curriculum: Callable[[], Curriculum],
        roll_out: Callable[[Sequence[str]], None],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.curriculum = curriculum
        self.roll_out = roll_out
        """Sends problems to the rollouts within the step; `expect` hears of them."""
        self.sent: dict[str, str] = {}
        """verl's name of each prompt of the step to the problem's uid, in the order sent."""
        self.groups: list[Group] = []
        """The last step that was handed out."""

    def expect(self, names: Sequence[str], uids: Sequence[str]) -> None:
        """These prompts have been sent to the rollouts."""
        self.sent.update(zip(names, uids, strict=True))

    def sample(
        self, global_steps: int, partition_id: str, batch_size: int
    ) -> tuple[KVBatchMeta, dict[str, float]]:
        """verl's protocol: wait, and hand out the keys of the rollouts to train on."""
        if partition_id != "train":
            handed: tuple[KVBatchMeta, dict[str, float]] = super().sample(
                global_steps, partition_id, batch_size
            )
            return handed
        groups: dict[str, Group] = {}
        while True:
            self._wait_for_all(partition_id, groups)
            outcomes = [groups[name].outcome for name in self.sent if name in groups]
            further = self.curriculum().refill(outcomes)
            if not further:
                break
            self.roll_out(further)
        self.groups = [groups[name] for name in self.sent if name in groups]
        self.sent = {}
        return self._chosen(partition_id, outcomes), {}

    def outcomes(self, batch: KVBatchMeta) -> list[Outcome]:
        """How the step went, once it is trained: advantages stand with groups used whole."""
        data = transfer_queue.kv_batch_get(
            keys=batch.keys,
            partition_id=batch.partition_id,
            select_fields=["advantages", "response_mask"],
        )
        columns = zip(
            batch.keys, list(data["advantages"]), list(data["response_mask"]), strict=True
        )
        means = {key: float((a * m).sum()) / max(int(m.sum()), 1) for key, a, m in columns}
        return [
            replace(group.outcome, advantages=tuple(means[key] for key in group.keys))
            if all(key in means for key in group.keys)
            else group.outcome
            for group in self.groups
        ]

    @property
    def rollouts(self) -> int:
        """Rollouts that the last step trains on."""
        return sum(len(group.choice) for group in self.groups)

    def _wait_for_all(self, partition: str, groups: dict[str, Group]) -> None:
        """Until all that were sent have ended; meanwhile they are read and added to `groups`."""
        last = time.time()
        while True:
            self._sync_metadata_from_transfer_queue()
            ended = self.sent.keys() & (
                self.finished_keys[partition] | self.failure_keys[partition]
            )
            unread = ended - groups.keys()
            if len(ended) == len(self.sent):
                groups |= self._read(partition, unread)
                return
            if len(unread) * READS >= len(self.sent):
                groups |= self._read(partition, unread)
            last = self._wait_for_next_poll(partition, last)

    def _read(self, partition: str, names: Set[str]) -> dict[str, Group]:
        """The groups of prompts that have ended, by verl's names; failed ones may be missing."""
        keys: dict[str, list[str]] = defaultdict(list)
        for key in self.partitions[partition]:
            if (name := key.split("_")[0]) in names:
                keys[name].append(key)
        ordered = {name: sorted(found, key=_sample) for name, found in keys.items()}
        rows = _rows([key for found in ordered.values() for key in found], partition)
        return {
            name: _group(self.sent[name], found, [rows[key] for key in found])
            for name, found in ordered.items()
        }

    def _chosen(self, partition: str, outcomes: Sequence[Outcome]) -> KVBatchMeta:
        for group, choice in zip(self.groups, self.curriculum().choose(outcomes), strict=True):
            group.choice = choice
        tags: Mapping[str, dict[str, Any]] = dict(self.partitions[partition])
        keys = [key for group in self.groups for key in group.chosen]
        if not keys:
            raise RuntimeError(
                f"a step must have rollouts to train on, but {len(self.groups)} prompts came back "
                "and the curriculum chose none of them; verl.log says why rollouts failed"
            )
        left_out = tags.keys() - set(keys)
        everything = {*self.finished_keys[partition], *self.failure_keys[partition], *left_out}
        transfer_queue.kv_clear(partition_id=partition, keys=sorted(everything))
        return KVBatchMeta(partition_id=partition, keys=keys, tags=[tags[key] for key in keys])


def _sample(key: str) -> tuple[int, ...]:
    """Sample and part of a key, as numbers."""
    return tuple(int(part) for part in key.split("_")[1:])


@dataclass(frozen=True, slots=True)
class _Row:
    """What the reward and the rollout said of one completion."""

    reward: float
    tokens: int
    told: Mapping[str, Any]
    """What the reward said besides, by name."""

    @property
    def components(self) -> dict[str, float]:
        """The numbers among what the reward said."""
        return {k: float(v) for k, v in self.told.items() if isinstance(v, Real)}


def _rows(keys: list[str], partition: str) -> dict[str, _Row]:
    if not keys:
        return {}
    fields = ["rm_scores", "response_mask", "extra_fields"]
    data = transfer_queue.kv_batch_get(keys=keys, partition_id=partition, select_fields=fields)
    columns = zip(keys, *(list(data[name]) for name in fields), strict=True)
    return {
        key: _Row(float(scores.sum()), int(mask.sum()), extra.get("reward_extra_info") or {})
        for key, scores, mask, extra in columns
    }


def _group(uid: str, keys: Sequence[str], rows: Sequence[_Row]) -> Group:
    """What not every completion has is left out: a reward that is not ours may tell no status."""
    statuses: tuple[Any, ...] = tuple(row.told.get("status") for row in rows)
    texts = tuple(row.told["text"] for row in rows if "text" in row.told)
    names = set.intersection(*({*row.components} for row in rows)) if rows else set()
    outcome = Outcome(
        uid,
        tuple(row.reward for row in rows),
        statuses if STATUSES.issuperset(statuses) else (),
        token_counts=tuple(row.tokens for row in rows),
        components={n: tuple(row.components[n] for row in rows) for n in sorted(names)},
    )
    return Group(tuple(keys), outcome, texts if len(texts) == len(rows) else ())
