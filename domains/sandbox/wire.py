"""Plain values as bytes, and messages over a socket: all that passes between judge and candidate.

The bytes a candidate sends are hostile, so this is neither pickle nor marshal: JSON, in which a
list stands for a list and every other container is an object with a tag. What can cross:

    None, bool, int (any size), float (nan and inf too), complex, str, bytes, bytearray,
    list, tuple, set, frozenset, dict, range, Decimal, Fraction, date, datetime, timedelta,
    and iterators (map, zip, generators, dict views), which arrive as an iterator over their items

Subclasses cross as their plain base (a Counter as a dict, a namedtuple as a tuple), which also
takes the sting out of a `str` whose `__eq__` always says True. Anything else is `CannotCross`.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any

ITERATOR_LIMIT = 100_000
"""Items taken from an iterator; a longer one, such as an endless generator, cannot cross."""
_JSON_INT_LIMIT = 1 << 63
_HEADER = struct.Struct("!I")


class CannotCross(Exception):
    """A value, or bytes that claim to be one, which is not plain data."""


def dumps(value: Any) -> bytes:
    """The bytes of one plain value. Raises `CannotCross`, naming the type."""
    try:
        return json.dumps(_pack(value), separators=(",", ":")).encode()
    except RecursionError:
        raise CannotCross("a value nested too deeply") from None


def loads(data: bytes) -> Any:
    """The value of bytes written by `dumps`; any other bytes raise `CannotCross`."""
    try:
        return _unpack(json.loads(data))
    except Exception as error:  # noqa: BLE001  hostile bytes may break any constructor
        raise CannotCross(f"bytes that are no plain value ({type(error).__name__})") from None


def _pack_items(value: Any) -> list[Any]:
    return [_pack(item) for item in value]


def _pack_iterator(value: Any) -> list[Any]:
    items = list(islice(value, ITERATOR_LIMIT + 1))
    if len(items) > ITERATOR_LIMIT:
        raise CannotCross(f"an iterator over more than {ITERATOR_LIMIT} items")
    return _pack_items(items)


def _pack_datetime(value: datetime) -> str:
    if value.tzinfo is not None:
        raise CannotCross("a datetime with a time zone")
    return value.isoformat()


def _integer(packed: Any) -> int:
    value = _unpack(packed)
    if type(value) is not int:  # Fraction("1e999999999") would take all memory
        raise CannotCross(f"a {type(value).__name__} where an integer must stand")
    return value


# In order of the checks: datetime is a date, and every iterator comes last. Floats go by repr,
# which Python reads back exactly.
_TAGGED: list[tuple[str, type, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("tuple", tuple, _pack_items, lambda v: tuple(map(_unpack, v))),
    ("dict", dict, lambda v: [[_pack(k), _pack(w)] for k, w in v.items()],
     lambda v: {_unpack(k): _unpack(w) for k, w in v}),
    ("set", set, _pack_items, lambda v: set(map(_unpack, v))),
    ("frozenset", frozenset, _pack_items, lambda v: frozenset(map(_unpack, v))),
    ("complex", complex, lambda v: [v.real, v.imag], lambda v: complex(float(v[0]), float(v[1]))),
    ("bytes", bytes, lambda v: bytes(v).hex(), bytes.fromhex),
    ("bytearray", bytearray, lambda v: bytes(v).hex(), bytearray.fromhex),
    ("range", range, lambda v: [_pack(v.start), _pack(v.stop), _pack(v.step)],
     lambda v: range(*map(_integer, v))),
    ("decimal", Decimal, str, lambda v: Decimal(str(v))),
    ("fraction", Fraction, lambda v: [_pack(v.numerator), _pack(v.denominator)],
     lambda v: Fraction(_integer(v[0]), _integer(v[1]))),
    ("datetime", datetime, _pack_datetime, datetime.fromisoformat),
    ("date", date, date.isoformat, date.fromisoformat),
    ("timedelta", timedelta, lambda v: [v.days, v.seconds, v.microseconds],
     lambda v: timedelta(*map(int, v))),
    ("iterator", Iterator, _pack_iterator, lambda v: iter(_unpack(v))),
    ("keys", type({}.keys()), _pack_iterator, lambda v: iter(_unpack(v))),
    ("values", type({}.values()), _pack_iterator, lambda v: iter(_unpack(v))),
    ("items", type({}.items()), _pack_iterator, lambda v: iter(_unpack(v))),
]  # fmt: skip
_UNPACKERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda v: int(v, 16), **{tag: unpack for tag, _, _, unpack in _TAGGED}
}  # fmt: skip


def _pack(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float or kind is str:
        return value
    if isinstance(value, int):
        plain = int(value)
        # Decimal text of a long integer takes quadratic time and Python refuses 4300 digits.
        return plain if abs(plain) < _JSON_INT_LIMIT else {"int": hex(plain)}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, list):
        return _pack_items(value)
    for tag, base, pack, _ in _TAGGED:
        if isinstance(value, base):
            return {tag: pack(value)}
    raise CannotCross(f"a value of type {kind.__name__}")


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(item) for item in value]
    if isinstance(value, dict):
        ((tag, content),) = value.items()
        return _UNPACKERS[tag](content)
    return value


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """Messages with a length in front, over a stream socket, with one deadline for all of them."""

    def __init__(self, stream: socket.socket, deadline: float | None = None):
        self.stream = stream
        self.deadline = deadline
        """`time.monotonic()` after which `send` and `receive` raise TimeoutError; None: never."""

    def send(self, data: bytes) -> None:
        """Send one message. Raises `Closed` or `TimeoutError`."""
        self._arm()
        try:
            self.stream.sendall(_HEADER.pack(len(data)) + data)
        except (BrokenPipeError, ConnectionError):
            raise Closed from None

    def receive(self, limit: int | None = None) -> bytes:
        """One message. Raises `Closed`, `TimeoutError`, or `CannotCross` above `limit` bytes."""
        (size,) = _HEADER.unpack(self._exactly(_HEADER.size))
        if limit is not None and size > limit:
            raise CannotCross(f"a value of {size} bytes, more than {limit}")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            self._arm()
            try:
                part = self.stream.recv(min(size, 1 << 20))
            except ConnectionError:
                raise Closed from None
            if not part:
                raise Closed
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _arm(self) -> None:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.stream.settimeout(left)
