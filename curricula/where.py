"""Which problems of the pool a stage or a mix is about."""

from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import Field

from curricula.base import Item
from domains.base import Settings
from domains.problem import Label


class Where(Settings):
    """A filter on the pool; a problem must match every part that is given."""

    domain: tuple[str, ...] | None = None
    source: tuple[str, ...] | None = None
    bucket: tuple[str, ...] | None = None
    pass_rate: tuple[float, float] | None = None
    """[lowest, highest] posterior mean; a problem without a pass rate never matches."""
    labels: dict[str, tuple[Label, ...]] = Field(default_factory=dict)
    """Label: allowed values, such as `level: [4, 5]`."""

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
        )

    def select(self, pool: Sequence[Item], place: str) -> list[Item]:
        """The matching items; raises `ValueError` for a name that the pool does not have."""
        self._names_exist(pool, place)
        return [item for item in pool if self.matches(item)]

    def _names_exist(self, pool: Sequence[Item], place: str) -> None:
        known = {
            "domain": {item.domain for item in pool},
            "source": {item.source for item in pool},
            "bucket": {item.bucket for item in pool if item.bucket is not None},
        }
        for part, names in known.items():
            for asked in getattr(self, part) or ():
                if asked not in names:
                    raise ValueError(unknown_name(f"{place}.{part}", asked, names))


def unknown_name(place: str, asked: str, known: set[str]) -> str:
    """The message for a name that is not there, with the nearest that is."""
    near = get_close_matches(asked, known, n=1, cutoff=0.4)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{place} must be one of {sorted(known)}, but got {asked!r}{hint}"
