"""Columns of raw tables, made from the world's numbers as Arrow arrays: ids, words, hashes, moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gnomon.simulate.world import NEVER, Bools, Ints

# A table by column: Arrow arrays, or numpy arrays without nulls.
Rows = dict[str, Any]

ID_DIGITS = 9


def order_by_time(rng: np.random.Generator, moments: Ints) -> Ints:
    """Return the order by time with ties shuffled, so that neither order nor id tells more than time."""
    return np.lexsort((rng.random(len(moments)), moments)).astype(np.int64)


def write_ids(prefix: str, numbers: Ints) -> pa.StringArray:
    """Return ids: a letter and the number of the row plus one in nine digits; null where it is negative."""
    count = len(numbers)
    width = len(prefix) + ID_DIGITS
    text = np.empty((count, width), dtype=np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    left = np.maximum(numbers, 0) + 1
    for place in range(width - 1, len(prefix) - 1, -1):
        left, digit = np.divmod(left, 10)
        text[:, place] = digit + ord("0")
    return _null(_make_texts(text, width), numbers < 0)


def write_hashes(codes: Ints) -> pa.StringArray:
    """Return 48-bit codes as 12 hexadecimal digits, null where the code is negative."""
    digits = np.frombuffer(np.maximum(codes, 0).astype(">u8").tobytes().hex().encode(), dtype=np.uint8)
    return _null(_make_texts(np.ascontiguousarray(digits.reshape(-1, 16)[:, 4:]), 12), codes < 0)


def write_words(words: NDArray[np.str_], index: NDArray[Any]) -> pa.StringArray:
    """Return words[index], null where the index is negative."""
    names = pa.array(words.tolist(), type=pa.string())
    return names.take(pa.array(np.asarray(index, dtype=np.int64), mask=np.asarray(index) < 0))


def write_moments(seconds: Ints) -> pa.TimestampArray:
    """Return seconds since 1970 as timestamps, null where the moment never comes."""
    never = seconds >= NEVER
    return pa.array(np.where(never, 0, seconds).astype("datetime64[s]"), mask=never)


def hide(values: NDArray[Any] | pa.Array, hidden: Bools) -> pa.Array:
    """Return the values with nulls where `hidden` is true."""
    return _null(values if isinstance(values, pa.Array) else pa.array(values), hidden)


def _make_texts(text: NDArray[np.uint8], width: int) -> pa.StringArray:
    offsets = np.arange(0, (len(text) + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(offsets), pa.py_buffer(text.reshape(-1)))


def _null(values: pa.Array, hidden: Bools) -> pa.Array:
    if not hidden.any():
        return values
    return pc.if_else(pa.array(hidden), pa.scalar(None, type=values.type), values)
