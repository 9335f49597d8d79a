"""Rows that an adapter could not use, kept with the reason beside the raw set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER_NAME = "quarantine"
REASON_COLUMN = "reason"


def write_quarantine(folder: Path, table: str, rows: pa.Table) -> dict[str, int]:
    """Write `rows` to FOLDER/quarantine/TABLE and return how many there are by reason.

    `rows` has the source's columns as text, identifiers hashed, and `reason`. No rows, no file.
    """
    import pyarrow.parquet as pq

    if rows.num_rows:
        place = folder / FOLDER_NAME / table
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, place / "part-0.parquet", compression="zstd")
    return dict(sorted(Counter(rows.column(REASON_COLUMN).to_pylist()).items()))
