"""SFT on the model's own correct answers: rejection sampling from what scoring generated.

Known as RFT (2308.01825), RAFT (2304.06767) and as one round of STaR without its hints
(2203.14465). Nothing is generated for it, and no human data is needed: what was judged correct is
kept, each way of writing it once, at most so many of a problem, since easy problems have many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from difficulty.store.completions import ScoredCompletion
from domains.splits import place
from runners.sft.examples import Collected, Example, Material, normal
from runners.sft.settings import SFT


class RejectionSFT(SFT):
    """Correct completions of the scoring."""

    kind: Literal["rejection"] = "rejection"
    per_problem: int = Field(4, ge=1)
    """Most completions of one problem."""
    keep: Literal["random", "shortest"] = "random"
    """Which of a problem's correct completions, where there are more."""
    balance: Literal["domain", "bucket"] | None = None
    """Cut every domain or bucket down to as many examples as the one that has fewest, problems
    with few examples last; None keeps all."""

    def collect(self, material: Material) -> Collected:
        left_out: Counter[str] = Counter()
        correct, judged = self._sort(material, left_out)
        chosen: dict[str, list[ScoredCompletion]] = {}
        for uid, rows in correct.items():
            different = self._different(rows, material.seed)
            left_out["repeats"] += len(rows) - len(different)
            chosen[uid] = different[: self.per_problem]
            left_out["beyond per_problem"] += len(different) - len(chosen[uid])
        kept = self._balanced(chosen, material)
        left_out["for balance"] += sum(map(len, chosen.values())) - len(kept)
        never = sorted(judged - correct.keys())
        if not kept:
            raise ValueError(
                "sft.kind=rejection must find correct completions, but none of the "
                f"{len(material.apart)} problems for SFT was ever solved: raise the number of "
                "completions (difficulty.samples), or bring answers with sft.kind=file"
            )
        return Collected(
            [
                Example(
                    material.prompter.messages(material.apart[row.uid]),
                    row.text,
                    row.uid,
                    row.sample,
                )
                for row in kept
            ],
            {reason: count for reason, count in left_out.items() if count},
            {
                "problems for SFT": len(material.apart),
                "solved at least once": len(correct),
                "never solved": len(never),
                "never judged": len(material.apart) - len(correct) - len(never),
            },
            never,
        )

    def _sort(
        self, material: Material, left_out: Counter[str]
    ) -> tuple[dict[str, list[ScoredCompletion]], set[str]]:
        """The correct completions of each problem for SFT, and the problems with any verdict."""
        correct: dict[str, list[ScoredCompletion]] = defaultdict(list)
        judged: set[str] = set()
        seen: set[tuple[str, int]] = set()
        for row in material.completions:
            if row.uid not in material.apart or (row.uid, row.sample) in seen:
                continue  # two writers of a store may have made one completion both
            seen.add((row.uid, row.sample))
            if row.status != "verifier_error":
                judged.add(row.uid)
            if row.status == "correct":
                correct[row.uid].append(row)
            else:
                left_out[row.status] += 1
        return {uid: correct[uid] for uid in sorted(correct)}, judged

    def _different(self, rows: Sequence[ScoredCompletion], seed: int) -> list[ScoredCompletion]:
        """The first of each text, in the order of preference."""

        def preference(row: ScoredCompletion) -> tuple[float, int]:
            if self.keep == "shortest":
                return row.token_count, row.sample
            return place(f"{row.uid}:{row.sample}", f"sft:{seed}"), row.sample

        first: dict[str, ScoredCompletion] = {}
        for row in sorted(rows, key=preference):
            first.setdefault(normal(row.text), row)
        return list(first.values())

    def _balanced(
        self, chosen: dict[str, list[ScoredCompletion]], material: Material
    ) -> list[ScoredCompletion]:
        """All, or equally many of each group: every problem's first before any problem's second."""
        groups: dict[str | None, list[tuple[int, float, ScoredCompletion]]] = defaultdict(list)
        for uid, rows in chosen.items():
            group: str | None = None
            if self.balance == "domain":
                group = material.apart[uid].domain
            elif self.balance == "bucket":
                group = material.buckets.get(uid)
            shuffled = place(uid, f"sft balance:{material.seed}")
            groups[group] += [(rank, shuffled, row) for rank, row in enumerate(rows)]
        least = min(map(len, groups.values()), default=0)
        return [
            row
            for members in groups.values()
            for _, _, row in sorted(members, key=lambda m: (m[0], m[1], m[2].uid))[:least]
        ]
