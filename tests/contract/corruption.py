"""What a corrupted batch is: a class, a name, the change to a raw set's folder, and the rules that must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PART = "part-0.parquet"
Change = Callable[[Path], object]


@dataclass(frozen=True)
class Corruption:
    """One way to corrupt a raw set. One of `rules` must be in the findings; `table` is empty for the record."""

    kind: str
    name: str
    change: Change
    rules: tuple[str, ...]
    table: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind}: {self.name}"


def rewrite(table: str, change: Callable[[pa.Table], pa.Table]) -> Change:
    """Return the change that writes the only file of `table` again."""

    def corrupt(folder: Path) -> None:
        path = folder / table / PART
        pq.write_table(change(pq.read_table(path)), path)

    return corrupt


def put_values(table: str, column: str, values: dict[int, Any]) -> Change:
    """Return the change of single values of a column, by row number; counted from the end if negative."""

    def put(rows: pa.Table) -> pa.Table:
        place = rows.column_names.index(column)
        found = rows.column(column).to_pylist()
        for row, value in values.items():
            found[row] = value
        kind = rows.schema.field(place).type
        return rows.set_column(place, column, pa.array(found, kind))

    return rewrite(table, put)


def put_bytes(table: str, column: str, row: int, value: bytes) -> Change:
    """Return the change of one text to bytes that need not be UTF-8."""

    def put(rows: pa.Table) -> pa.Table:
        place = rows.column_names.index(column)
        found = [None if text is None else text.encode() for text in rows.column(column).to_pylist()]
        found[row] = value
        raw = pa.array(found, pa.binary())
        text = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers(), raw.null_count)
        return rows.set_column(place, column, text)

    return rewrite(table, put)
