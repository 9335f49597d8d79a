"""Columns that grow: what the world knows about its people, items and actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gnomon.simulate.world import Bools, Ints


class Ledger:
    """Rows that are only ever appended; a row's number is its index, here and in every other ledger.

    `ledger["column"]` is a view of the rows there are: writing into it changes the ledger, and
    appending may move it, so hold no view across an append. KeyError for an unknown column.
    """

    def __init__(self, **types: DTypeLike) -> None:
        """Make an empty ledger of these columns."""
        self._columns: dict[str, NDArray[Any]] = {name: np.zeros(16, dtype=kind) for name, kind in types.items()}
        self.count = 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the column's values so far, as a view."""
        return self._columns[name][: self.count]

    def __setitem__(self, name: str, values: NDArray[Any]) -> None:
        """Replace the values of a column, as many as there are rows."""
        self._columns[name][: self.count] = values

    def append(self, **values: NDArray[Any] | np.generic | float | bool) -> Ints:
        """Add rows and return their numbers; every column is given, a scalar counts for all rows."""
        if values.keys() != self._columns.keys():
            raise KeyError(f"columns differ: {sorted(values.keys() ^ self._columns.keys())}")
        added = max(np.size(value) if np.ndim(value) else 0 for value in values.values())
        self._make_room(self.count + added)
        for name, value in values.items():
            self._columns[name][self.count : self.count + added] = value
        self.count += added
        return np.arange(self.count - added, self.count, dtype=np.int64)

    def keep(self, rows: Bools) -> None:
        """Drop all rows but these; for ledgers of things that wait, which nothing numbers."""
        kept = {name: self[name][rows] for name in self._columns}
        self.count = int(rows.sum())
        for name, values in kept.items():
            self._columns[name][: self.count] = values

    def take(self, rows: Ints | Bools) -> dict[str, NDArray[Any]]:
        """Return copies of these rows by column."""
        return {name: self[name][rows] for name in self._columns}

    def copy(self) -> Self:
        """Return a ledger with the same rows, which shares nothing with this one."""
        twin = type(self)()
        twin._columns = {name: column.copy() for name, column in self._columns.items()}
        twin.count = self.count
        return twin

    def save(self, path: Path) -> None:
        """Write the rows to one .npz file."""
        columns: dict[str, Any] = {name: self[name] for name in self._columns}
        np.savez(path, **columns)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the ledger that `save` wrote."""
        ledger = cls()
        with np.load(path, allow_pickle=False) as columns:
            ledger._columns = {name: columns[name] for name in columns.files}
        ledger.count = len(next(iter(ledger._columns.values())))
        return ledger

    def _make_room(self, wanted: int) -> None:
        for name, column in self._columns.items():
            if len(column) < wanted:
                grown = np.zeros(max(wanted, 2 * len(column)), dtype=column.dtype)
                grown[: self.count] = column[: self.count]
                self._columns[name] = grown
