"""Columns of raw tables, made from the world's arrays: ids, hashes, moments, nulls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.world import NEVER, Bools, Ints, Texts

# A table by column; a column with nulls is a masked array.
Rows = dict[str, NDArray[Any]]


def order_by_time(rng: np.random.Generator, moments: Ints) -> Ints:
    """Return the order by time with ties shuffled, so that neither order nor id tells more than time."""
    return np.lexsort((rng.random(len(moments)), moments)).astype(np.int64)


def number_ids(prefix: str, count: int) -> Texts:
    """Return `count` ids: the prefix and a counter of seven digits."""
    return np.char.mod(f"{prefix}%07d", np.arange(1, count + 1)).astype(np.str_)


def pick(names: NDArray[Any], index: Ints) -> NDArray[Any]:
    """Return names[index], null where the index is negative."""
    if len(names) == 0:
        return np.ma.MaskedArray(np.full(len(index), "", dtype="U1"), mask=np.ones(len(index), dtype=bool))
    return np.ma.MaskedArray(names[np.maximum(index, 0)], mask=index < 0)


def show_moments(seconds: Ints) -> NDArray[Any]:
    """Return seconds since 1970 as timestamps, null where the moment never comes."""
    never = seconds >= NEVER
    return np.ma.MaskedArray(np.where(never, 0, seconds).astype("datetime64[s]"), mask=never)


def show_hashes(codes: Ints) -> NDArray[Any]:
    """Return 48-bit codes as 12 hexadecimal digits, null where the code is negative."""
    digits = np.frombuffer(np.maximum(codes, 0).astype(">u8").tobytes().hex().encode(), dtype="S1")
    return np.ma.MaskedArray(
        digits.reshape(-1, 16)[:, 4:].copy().view("S12").reshape(-1).astype(np.str_), mask=codes < 0
    )


def hide(values: NDArray[Any], hidden: Bools) -> NDArray[Any]:
    """Return the values with nulls where `hidden` is true."""
    return np.ma.MaskedArray(values, mask=hidden)


def stack_rows(parts: list[Rows]) -> Rows:
    """Return the rows of all parts, one after the other; all parts have the same columns."""
    stacked = {}
    for name in parts[0]:
        data = np.concatenate([np.ma.getdata(part[name]) for part in parts])
        stacked[name] = hide(data, np.concatenate([np.ma.getmaskarray(part[name]) for part in parts]))
    return stacked
