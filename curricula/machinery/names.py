"""Messages about names that are not there."""

from collections.abc import Iterable
from difflib import get_close_matches


class UnknownName(ValueError):
    """A config names what the problems do not have: known before any of them is scored."""

    def __init__(self, place: str, asked: str, known: Iterable[str]) -> None:
        """`place` opens the message, which names the nearest of the `known`."""
        names = sorted(known)
        near = get_close_matches(asked, names, n=1, cutoff=0.4)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        super().__init__(f"{place} must be one of {names}, but got {asked!r}{hint}")
