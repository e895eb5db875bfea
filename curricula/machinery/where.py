"""Which problems of the pool a stage or a mix is about."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from curricula.base import Item
from curricula.machinery.names import UnknownName
from curricula.machinery.pool import FIXED_COLUMNS, Pool, Rows
from domains.base import Settings
from domains.problem import Label


def _as_list(value: object) -> object:
    """`domain: math` is `domain: [math]`."""
    return (value,) if isinstance(value, str | int | float) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Values = Annotated[tuple[Label, ...], BeforeValidator(_as_list)]


class Where(Settings):
    """A filter on the pool; a problem must match every part that is given."""

    domain: Names | None = None
    source: Names | None = None
    bucket: Names | None = None
    pass_rate: tuple[float, float] | None = None
    """[lowest, highest] posterior mean; a problem without a pass rate never matches."""
    labels: dict[str, Values] = Field(default_factory=dict)
    """Any other column: allowed values, such as `level: [4, 5]`."""
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Any column of numbers: [lowest, highest], such as `prompt_length: [0, 500]`."""

    @model_validator(mode="after")
    def _ranges_rise(self) -> Self:
        for name, (low, high) in self.ranges.items():
            if low > high:
                raise ValueError(
                    f"ranges.{name} must be [lowest, highest], but got [{low:g}, {high:g}]"
                )
        low, high = self.pass_rate or (0, 1)
        if not 0 <= low <= high <= 1:
            raise ValueError(
                f"pass_rate must be [lowest, highest] in [0, 1], but got [{low:g}, {high:g}]"
            )
        return self

    def matches(self, item: Item) -> bool:
        if self.pass_rate is not None:
            low, high = self.pass_rate
            if item.pass_rate is None or not low <= item.pass_rate <= high:
                return False
        return (
            (self.domain is None or item.domain in self.domain)
            and (self.source is None or item.source in self.source)
            and (self.bucket is None or item.bucket in self.bucket)
            and all(item.labels.get(name) in allowed for name, allowed in self.labels.items())
            and all(_within(item.labels.get(n), *ends) for n, ends in self.ranges.items())
        )

    def rows(self, pool: Pool, place: str) -> Rows:
        """The matching rows; raises `ValueError` for a name that the pool does not have."""
        self._names_exist(pool, place)
        kept = np.ones(len(pool), bool)
        for part in FIXED_COLUMNS:
            if (asked := getattr(self, part)) is not None:
                kept &= pool.columns[part].matching(asked.__contains__)
        if self.pass_rate is not None:
            low, high = self.pass_rate
            kept &= (pool.pass_rates >= low) & (pool.pass_rates <= high)
        for name, allowed in self.labels.items():
            column = pool.column(name, f"{place}.labels")
            if allowed and not set(allowed) & set(column.values):
                raise UnknownName(f"{place}.labels.{name}", str(allowed[0]), column.names)
            kept &= column.matching(allowed.__contains__)
        for name, (low, high) in self.ranges.items():
            column = pool.column(name, f"{place}.ranges")
            kept &= column.matching(partial(_within, low=low, high=high))
        return np.flatnonzero(kept).astype(np.int32)

    def _names_exist(self, pool: Pool, place: str) -> None:
        for part in FIXED_COLUMNS:
            for asked in getattr(self, part) or ():
                if asked not in pool.columns[part].values:
                    raise UnknownName(f"{place}.{part}", asked, pool.columns[part].names)


def _within(value: Label | None, low: float, high: float) -> bool:
    return isinstance(value, int | float) and low <= value <= high
