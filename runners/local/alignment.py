"""How far the gradients of different domains point the same way: what `transfer_aware` asks for.

The gradients of a step are accumulated domain by domain, and each domain's part is kept as a
sketch: a random projection to a few thousand numbers, which keeps cosines to within about
1/sqrt(size). A sketch is linear in the gradient, so a domain's own is the difference of two, and no
second copy of the gradient is made; the update itself is the same sum in another order. Directions
fade over the steps, since those of one batch are mostly noise (Yang et al. 2026, arXiv:2606.25178,
as curricula/transfer_aware.py has it).

A sketch of p parameters costs about two passes over p numbers, once a domain in the steps that
compare; the others cost nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from curricula.base import Outcome
from curricula.transfer_aware import ALIGNMENT

SIZE = 4096
"""Numbers in a sketch."""
_RATE = 0.2
"""Weight of a step's direction in what is kept of a domain."""


def sketch(model: Any) -> torch.Tensor:
    """The gradients that a model holds now, projected: shape (SIZE,), on the CPU.

    A count sketch (Charikar et al. 2002): every parameter's numbers get random signs, which belong
    to its name, and are added up in columns. Parameters without a gradient count as 0.
    """
    total = torch.zeros(SIZE)
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        flat = parameter.grad.detach().flatten().float()
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
        lots = torch.Generator(flat.device).manual_seed(key)
        coins = torch.randint(
            0, 2, flat.shape, generator=lots, device=flat.device, dtype=torch.int8
        )
        signs = 2 * coins - 1
        padded = torch.nn.functional.pad(flat * signs, (0, -len(flat) % SIZE))
        total += padded.view(-1, SIZE).sum(0).cpu()
    return total


class Sketches:
    """The sketches of one step, taken while its gradients add up."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.before = torch.zeros(SIZE)
        self.found: dict[str, torch.Tensor] = {}

    def close(self, domain: str) -> None:
        """All gradient that came since the last call is this domain's."""
        now = sketch(self.model)
        self.found[domain] = now - self.before
        self.before = now


def by_domain(groups: Sequence[int], domains: Sequence[str]) -> dict[str, list[int]]:
    """Places of groups by their domain; `domains` has one for every group of the batch."""
    found: dict[str, list[int]] = {}
    for group in groups:
        found.setdefault(domains[group], []).append(group)
    return found


class Alignment:
    """The directions in which each domain has pulled lately."""

    def __init__(self) -> None:
        self.directions: dict[str, torch.Tensor] = {}
        """By domain: a faded mean of unit vectors, (SIZE,)."""

    def add(self, sketches: Mapping[str, torch.Tensor]) -> None:
        """Take a step's sketches into account; a domain without gradient keeps its direction."""
        for domain, found in sketches.items():
            if (size := float(found.norm())) > 0:
                old = self.directions.get(domain, found / size)
                self.directions[domain] = torch.lerp(old, found / size, _RATE)

    def cosines(self) -> dict[str, float]:
        """By domain: the mean cosine with every other one; empty where there are not two."""
        names = sorted(self.directions)
        if len(names) < 2:
            return {}
        rows = torch.nn.functional.normalize(torch.stack([self.directions[n] for n in names]))
        others = ((rows @ rows.T).sum(1) - 1) / (len(names) - 1)
        return dict(zip(names, others.tolist(), strict=True))

    def told(self, outcomes: Sequence[Outcome], domains: Sequence[str]) -> list[Outcome]:
        """The outcomes with the alignment of their domain, where it is known."""
        known = self.cosines()
        return [
            replace(outcome, extras={**outcome.extras, ALIGNMENT: known[domain]})
            if domain in known
            else outcome
            for outcome, domain in zip(outcomes, domains, strict=True)
        ]
