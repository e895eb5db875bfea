"""Arrays inside a checkpoint's JSON: compressed bytes as text, a few bytes for what never
changed.
"""

import base64
import zlib
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def packed(array: NDArray[np.generic]) -> str:
    """The bytes of an array; its shape and type are the reader's to know."""
    return base64.b64encode(zlib.compress(array.tobytes(), level=1)).decode()


def unpacked(text: str, dtype: type[T]) -> NDArray[T]:
    """A writable one-dimensional array out of `packed` text."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).copy()


def packed_flags(flags: NDArray[np.bool_]) -> str:
    """A bit for each flag."""
    return packed(np.packbits(flags))


def unpacked_flags(text: str, count: int) -> NDArray[np.bool_]:
    bits = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.unpackbits(bits, count=count).astype(bool)
