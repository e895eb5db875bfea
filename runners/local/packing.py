"""Completions laid out for a training forward pass, what they share only once.

The samples of a prompt share its tokens, and prompts share an instruction or worked examples. So a
row holds several completions as a tree: what all its prompts begin with, then each prompt's own
rest, then its completions; a mask lets a token see its own branch alone, and positions count along
the branch. Every token is run once, there is next to no padding, and the result is that of separate
sequences up to rounding. (The idea is that of SGLang's RadixAttention, 2312.07104, for training.)

A model that cannot be masked so gets one completion a row, as it would anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from difficulty.engines.decoding import common_prefix

WIDEST = 8192
"""Tokens in a row with a mask, whose size is the square; wider completions go into plain rows."""


@dataclass(frozen=True)
class Group:
    """A prompt and its completions, the end token included."""

    prompt: tuple[int, ...]
    responses: list[list[int]]


@dataclass(frozen=True)
class Packed:
    """Token rows for a forward pass, and where in its outputs the response tokens stand."""

    tokens: torch.Tensor
    """(rows, width), filled up on the right."""
    positions: torch.Tensor
    """(rows, width)."""
    mask: torch.Tensor | None
    """(rows, 1, width, width), True where a query (third) may see a key (fourth); None: causal."""
    states: torch.Tensor
    """(states,) places in the flattened rows before some response token, each once."""
    before: torch.Tensor
    """(response tokens,) the place in `states` before every response token, completion after
    completion in the order of the groups."""
    targets: torch.Tensor
    """(response tokens,) the response tokens themselves."""


def pack(groups: Sequence[Group], limit: int, device: torch.device) -> Packed:
    """Lay groups out in rows of about `limit` tokens."""
    shared = common_prefix([group.prompt for group in groups])
    rows = _trees(groups, shared, limit)
    width = max(len(row.tokens) for row in rows)
    branch = torch.tensor([_filled(row.prompts, width) for row in rows], device=device)
    leaf = torch.tensor([_filled(row.leaves, width) for row in rows], device=device)
    mask = torch.ones(width, width, dtype=torch.bool, device=device).tril()
    for labels in (branch, leaf):
        # Label 0 is what everyone in the row shares.
        mask = mask & ((labels[:, None, :] == 0) | (labels[:, None, :] == labels[:, :, None]))
    return _packed(rows, width, mask[:, None], device)


def lay_out(groups: Sequence[Group], device: torch.device) -> Packed:
    """One completion a row, for any causal model."""
    rows = []
    for group in groups:
        for response in group.responses:
            row = _Row()
            row.grow(group.prompt, 0, 0, 0)
            row.add(response, len(group.prompt) - 1, len(group.prompt), 0, 0)
            rows.append(row)
    return _packed(rows, max(len(row.tokens) for row in rows), None, device)


@dataclass
class _Row:
    """A row as it grows: tokens, positions, and of each token its prompt and completion, or 0."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Of each response token the place in this row before it."""
    targets: list[int] = field(default_factory=list)

    def grow(self, tokens: Sequence[int], position: int, prompt: int, leaf: int) -> None:
        self.tokens += tokens
        self.positions += range(position, position + len(tokens))
        self.prompts += [prompt] * len(tokens)
        self.leaves += [leaf] * len(tokens)

    def add(self, response: list[int], end: int, position: int, prompt: int, leaf: int) -> None:
        """A completion of the prompt whose last token stands at `end`."""
        start = len(self.tokens)
        self.grow(response[:-1], position, prompt, leaf)
        self.places += [end, *range(start, start + len(response) - 1)]
        self.targets += response


def _trees(groups: Sequence[Group], shared: int, limit: int) -> list[_Row]:
    """Completions one after another into the last row; a full one is followed by a new one.

    A row over the limit still grows while what a new one would have to run again, the prompt or
    the beginning of all, outweighs what else the row holds.
    """
    rows: list[_Row] = []
    for number, group in enumerate(groups, start=1):
        end = -1
        for leaf, response in enumerate(group.responses, start=1):
            row = rows[-1] if rows else None
            rest, again = len(group.prompt) - shared, shared
            if end >= 0:
                rest, again = 0, len(group.prompt)
            if row is None or (
                len(row.tokens) + rest + len(response) > limit and len(row.tokens) >= 2 * again
            ):
                row = _Row()
                rows.append(row)
                row.grow(group.prompt[:shared], 0, 0, 0)
                end = -1
            if end < 0:
                row.grow(group.prompt[shared:], shared, number, 0)
                end = len(row.tokens) - 1 if len(group.prompt) > shared else shared - 1
            label = number * (len(group.responses) + 1) + leaf
            row.add(response, end, len(group.prompt), number, label)
    return rows


def _packed(
    rows: Sequence[_Row], width: int, mask: torch.Tensor | None, device: torch.device
) -> Packed:
    places = [r * width + place for r, row in enumerate(rows) for place in row.places]
    states, before = torch.tensor(places, device=device).unique(return_inverse=True)
    return Packed(
        torch.tensor([_filled(row.tokens, width) for row in rows], device=device),
        torch.tensor([_filled(row.positions, width) for row in rows], device=device),
        mask,
        states,
        before,
        torch.tensor([token for row in rows for token in row.targets], device=device),
    )


def _filled(values: list[int], width: int) -> list[int]:
    return values + [0] * (width - len(values))


def parts(weights: Sequence[float], most: float) -> Iterator[list[int]]:
    """Indices of neighbours that weigh at most `most` together, or one that weighs more alone."""
    part: list[int] = []
    weight = 0.0
    for index, own in enumerate(weights):
        if part and weight + own > most:
            yield part
            part, weight = [], 0.0
        part.append(index)
        weight += own
    if part:
        yield part
