"""Rows that could not be used, kept with the reason beside the raw set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER_NAME = "quarantine"
REASON_COLUMN = "reason"


def write_quarantine(folder: Path, table: str, rows: pa.Table, reason_column: str = REASON_COLUMN) -> dict[str, int]:
    """Write `rows` to FOLDER/quarantine/TABLE and return how many there are by reason.

    `rows` has the source's columns as text, identifiers hashed, and a column that says why. No rows, no file.
    """
    import pyarrow.parquet as pq

    if rows.num_rows:
        place = folder / FOLDER_NAME / table
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, place / "part-0.parquet", compression="zstd")
    return dict(sorted(Counter(rows.column(reason_column).to_pylist()).items()))
