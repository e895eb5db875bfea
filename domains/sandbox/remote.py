"""The judge's end of one candidate: handles on things that never leave the jail.

Tests use a `Remote` as they would use the function, class or object that it stands for; each use
is a question to the candidate. It equals nothing but itself, so no `__eq__` of a program is asked.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection
from typing import Any

from domains.sandbox import candidate, wire
from domains.sandbox.channel import Channel, Closed


class CandidateGone(BaseException):
    """The candidate ended, ran out of time or broke the protocol."""


class TestsAtFault(BaseException):
    """The tests themselves cannot be run: a mistake in the data, not in the program."""


class NotStarted(Exception):
    """The sandbox failed before any word of the program ran."""


class CandidateError(Exception):
    """An exception in the candidate whose type is not one of Python's own."""


class Candidate:
    """Asks a candidate, and knows when and why it cannot answer any more."""

    def __init__(
        self, channel: Channel, value_limit: int, records: Collection[str] = (), ahead: int = 0
    ) -> None:
        self.channel = channel
        self.ahead = ahead
        """How many requests the candidate has already, in the order in which they will be made."""
        self.value_limit = value_limit
        self.records = records
        self.classes: Callable[[str], type | None] = lambda _: None
        """The trusted class of a name among `records`."""
        self.calls = 0
        self.gone = ""
        """Why it is gone; a test that swallows `CandidateGone` still fails by this."""

    def load(self) -> None:
        """Wait until the program itself has run.

        Raises what it raised, `CandidateGone`, or `NotStarted`.
        """
        try:
            first = self.channel.receive(self.value_limit)
        except (Closed, TimeoutError) as error:
            raise NotStarted(f"a candidate did not start: {type(error).__name__}") from None
        if first != candidate.LOCKED_IN:
            raise NotStarted(f"a candidate could not be locked in: {first.decode()}")
        self._value()

    def ask(self, verb: str, handle: Remote, *details: Any) -> Any:
        """Have the program `call`, `get` or `set` something; its plain value, or a `Remote`."""
        if self.gone:
            raise CandidateGone(self.gone)
        if self.ahead:
            self.ahead -= 1
            return self._value()
        try:
            request = wire.dumps_trusted([verb, handle.key, *details], self.records)
        except wire.CannotCross as error:
            raise TestsAtFault(f"the tests pass {error} to {handle}, not plain data") from None
        try:
            self.channel.send(request)
        except (Closed, TimeoutError) as error:
            self._lose(error)
        return self._value()

    def _value(self) -> Any:
        reader = _Reader(self)
        try:
            reply = wire.loads(self.channel.receive(self.value_limit), reader)
        except (Closed, wire.CannotCross, TimeoutError) as error:
            self._lose(error)
        match reply:
            case ["value", value]:
                return value
            case ["error", str(kind), str(message)]:
                raise _exception(kind, message)
            case ["object", int(number), str()]:
                return Remote(self, number)
        self._lose(wire.CannotCross("bytes that are no reply"))

    def _lose(self, error: Exception) -> Any:
        if isinstance(error, TimeoutError):
            self.gone = "out of time"
        elif isinstance(error, wire.CannotCross):
            self.gone = f"sent {error}"
        else:
            self.gone = "ended early"
        raise CandidateGone(self.gone) from None


class Remote(wire.Reference):
    """Something of the program's; attributes, calls and assignments are the program's business."""

    __slots__ = ("_candidate",)

    def __init__(self, candidate: Candidate, key: str | int) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_candidate", candidate)

    def __repr__(self) -> str:
        key = self.key
        return key if isinstance(key, str) else f"<object {key} of the program>"

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self._candidate.calls += 1
        return self._candidate.ask("call", self, arguments, keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._candidate.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._candidate.ask("set", self, name, value)


class _Reader(wire.Reader):
    """Makes records of the tests' own classes only: no method of theirs is the program's."""

    def __init__(self, candidate: Candidate) -> None:
        super().__init__()
        self.candidate = candidate

    def record(self, name: str) -> Any:
        kind = self.candidate.classes(name) if name in self.candidate.records else None
        if kind is None:
            return super().record(name)
        return object.__new__(kind)


def _exception(kind: str, message: str) -> Exception:
    """The candidate's exception, so that tests can expect one of Python's own."""
    known = getattr(builtins, kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            error = known(message)
        except TypeError:  # UnicodeDecodeError and its like want more than a message
            pass
        else:
            error.add_note(FROM_CANDIDATE)
            return error
    return CandidateError(f"{kind}: {message}")


FROM_CANDIDATE = "raised by the program"
