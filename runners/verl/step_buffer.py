"""The rollouts of one training step, as many as the curriculum wants, kept as far as it chooses.

verl's replay buffer hands a step the first prompts that are finished. This one waits for all that
were sent, tells the curriculum how they went, sends what it refills, and hands on what it chooses:
the same three calls as in the local trainer (`curricula/base.py`). A curriculum that trains on
whatever comes is told afterwards: its outcomes are read while the step goes on. Nothing is carried
over to another step: every rollout comes from the weights that it trains.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
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
TOLD = ["rm_scores", "extra_fields"]
"""verl's names of what the reward says."""
TRAINED = ["advantages", "response_mask"]
"""verl's names of what the update is made of."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the reward said of one completion."""

    reward: float
    besides: Mapping[str, Any]

    @property
    def components(self) -> dict[str, float]:
        """The numbers among what it said."""
        return {k: float(v) for k, v in self.besides.items() if isinstance(v, Real)}


@dataclass(slots=True)
class Group:
    """The rollouts of one prompt of the step."""

    uid: str
    keys: tuple[str, ...]
    """verl's names of the rollouts, `<prompt>_<sample>_<part>`, by sample."""
    tokens: tuple[int, ...]
    outcome: Outcome | None = None
    """How they went, once it has been read."""
    texts: tuple[str, ...] = ()
    """What they say, where the reward was asked to tell."""
    choice: Choice = ()
    """Which of them are trained on."""

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(self.keys[i] for i in self.choice)

    def hear(self, told: Mapping[str, Told]) -> None:
        """Note the outcome, given what was said of each rollout by its key.

        What not every completion has is left out: a reward that is not ours may tell no status.
        """
        rows = [told[key] for key in self.keys]
        statuses: tuple[Any, ...] = tuple(row.besides.get("status") for row in rows)
        names = set.intersection(*({*row.components} for row in rows))
        self.outcome = Outcome(
            self.uid,
            tuple(row.reward for row in rows),
            statuses if STATUSES.issuperset(statuses) else (),
            token_counts=self.tokens,
            components={n: tuple(row.components[n] for row in rows) for n in sorted(names)},
        )
        if all("text" in row.besides for row in rows):
            self.texts = tuple(row.besides["text"] for row in rows)


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
        """The last step that was handed out, in the order sent."""

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
        if self.curriculum().selects():
            self.groups = self._selected(partition_id)
        else:
            for _ in self._looks(partition_id):
                pass
            self.groups = list(self._ended(partition_id, self.sent).values())
            for group in self.groups:
                group.choice = tuple(range(len(group.keys)))
        self.sent = {}
        return self._handed(partition_id), {}

    def outcomes(self, partition: str) -> list[Outcome]:
        """How the step went, once its advantages stand; they are told of groups used whole."""
        unread = [group for group in self.groups if group.outcome is None]
        keys = [key for group in self.groups for key in group.chosen]
        data = transfer_queue.kv_batch_get(
            keys=keys, partition_id=partition, select_fields=TRAINED + (TOLD if unread else [])
        )
        if unread:
            told = _told(keys, data)
            for group in unread:
                group.hear(told)
        columns = zip(keys, list(data["advantages"]), list(data["response_mask"]), strict=True)
        means = {key: float((a * m).sum()) / max(int(m.sum()), 1) for key, a, m in columns}
        return [
            replace(group.outcome, advantages=tuple(means[key] for key in group.keys))
            if len(group.choice) == len(group.keys)
            else group.outcome
            for group in self.groups
            if group.outcome is not None
        ]

    @property
    def rollouts(self) -> int:
        """Rollouts that the last step trains on."""
        return sum(len(group.choice) for group in self.groups)

    def _selected(self, partition: str) -> list[Group]:
        """The step's groups, refills among them, with what the curriculum chooses of each."""
        groups: dict[str, Group] = {}
        while True:
            for ended in self._looks(partition):
                unread = ended - groups.keys()
                if len(unread) * READS >= len(self.sent) or len(ended) == len(self.sent):
                    groups |= self._read(partition, unread)
            ordered = [groups[name] for name in self.sent if name in groups]
            outcomes = [group.outcome for group in ordered if group.outcome is not None]
            further = self.curriculum().refill(outcomes)
            if not further:
                break
            self.roll_out(further)
        for group, choice in zip(ordered, self.curriculum().choose(outcomes), strict=True):
            group.choice = choice
        return ordered

    def _looks(self, partition: str) -> Iterator[Set[str]]:
        """verl's names of the prompts that have ended, again and again until all have."""
        last = time.time()
        while True:
            self._sync_metadata_from_transfer_queue()
            finished, failed = self.finished_keys[partition], self.failure_keys[partition]
            ended = self.sent.keys() & (finished | failed)
            yield ended
            if len(ended) == len(self.sent):
                return
            last = self._wait_for_next_poll(partition, last)

    def _ended(self, partition: str, names: Iterable[str]) -> dict[str, Group]:
        """The groups of prompts that have ended, unread, by name; failed ones may be missing."""
        found: dict[str, list[str]] = {name: [] for name in names}
        tags = self.partitions[partition]
        for key in tags:
            if (name := key.split("_")[0]) in found:
                found[name].append(key)
        for keys in found.values():
            keys.sort(key=_sample)
        return {
            name: Group(self.sent[name], tuple(keys), tuple(tags[k]["response_len"] for k in keys))
            for name, keys in found.items()
            if keys
        }

    def _read(self, partition: str, names: Iterable[str]) -> dict[str, Group]:
        """The same with their outcomes."""
        groups = self._ended(partition, names)
        keys = [key for group in groups.values() for key in group.keys]
        if keys:
            told = _told(
                keys,
                transfer_queue.kv_batch_get(keys=keys, partition_id=partition, select_fields=TOLD),
            )
            for group in groups.values():
                group.hear(told)
        return groups

    def _handed(self, partition: str) -> KVBatchMeta:
        """What is chosen of the groups as verl's batch; all else of the step is forgotten."""
        keys = [key for group in self.groups for key in group.chosen]
        if not keys:
            raise RuntimeError(
                f"a step must have rollouts to train on, but {len(self.groups)} prompts came back "
                "and the curriculum chose none of them; verl.log says why rollouts failed"
            )
        tags: Mapping[str, dict[str, Any]] = dict(self.partitions[partition])
        left_out = tags.keys() - set(keys)
        everything = {*self.finished_keys[partition], *self.failure_keys[partition], *left_out}
        transfer_queue.kv_clear(partition_id=partition, keys=sorted(everything))
        return KVBatchMeta(partition_id=partition, keys=keys, tags=[tags[key] for key in keys])


def _sample(key: str) -> tuple[int, ...]:
    """Sample and part of a key, as numbers."""
    return tuple(int(part) for part in key.split("_")[1:])


def _told(keys: Sequence[str], data: Any) -> dict[str, Told]:
    """What the reward said, by the rollout's key, from verl's columns."""
    columns = zip(keys, list(data["rm_scores"]), list(data["extra_fields"]), strict=True)
    return {
        key: Told(float(scores.sum()), extra.get("reward_extra_info") or {})
        for key, scores, extra in columns
    }
