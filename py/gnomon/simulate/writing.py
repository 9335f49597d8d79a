"""A world on disk: raw tables in parts by the time they became known, and the truth apart."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gnomon.core.contract import read_contract
from gnomon.core.raw_set import arrow_schema
from gnomon.simulate.rows import Rows

TRUTH_FOLDER = "truth"
_ROWS_PER_PART = 1_000_000
# Small row groups: a reader of one day's rows skips the others by their least and greatest ingested_at.
_ROWS_PER_GROUP = 122_880


class PartWriter:
    """Writes the raw tables of a folder as they become known; every table gets at least one file.

    A part holds what became known between its neighbours, in that order. While it is being written its
    name begins with a dot, and nobody reads it.
    """

    def __init__(self, folder: Path, stem: str = "part") -> None:
        """Write into `folder`, files named <table>/<stem>-0.parquet and so on."""
        self._folder = folder
        self._stem = stem
        self._held: dict[str, list[pa.Table]] = {}
        self._parts: dict[str, int] = {}

    def add(self, known: dict[str, pa.Table]) -> None:
        """Add a day's rows by table."""
        for name, rows in known.items():
            held = self._held.setdefault(name, [])
            held.append(rows)
            if sum(part.num_rows for part in held) >= _ROWS_PER_PART:
                self._write(name)

    def close(self, with_empty: bool = True) -> list[Path]:
        """Write what is held, and an empty typed file for each table without rows; return all files."""
        for table in read_contract().tables.values():
            if self._held.get(table.name):
                self._write(table.name)
            elif with_empty and table.name not in self._parts:
                self._held[table.name] = [arrow_schema(table).empty_table()]
                self._write(table.name)
        return [self._name(name, part) for name, parts in self._parts.items() for part in range(parts)]

    def _write(self, name: str) -> None:
        path = self._name(name, self._parts.get(name, 0))
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = pa.concat_tables(self._held.pop(name))
        # Small sets are kept in version control; large ones are written to be read soon.
        level = 9 if rows.num_rows < _ROWS_PER_PART // 2 else 1
        partial = path.with_name(f".{path.name}.partial")
        pq.write_table(rows, partial, compression="zstd", compression_level=level, row_group_size=_ROWS_PER_GROUP)
        partial.replace(path)
        self._parts[name] = self._parts.get(name, 0) + 1

    def _name(self, name: str, part: int) -> Path:
        return self._folder / name / f"{self._stem}-{part}.parquet"


def write_truth(folder: Path, tables: dict[str, Rows]) -> None:
    """Write the tables of the truth into `folder`/truth, in place of earlier ones."""
    place = folder / TRUTH_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        partial = place / f"{name}.parquet.partial"
        pq.write_table(pa.table(rows), partial, compression="zstd")
        partial.replace(place / f"{name}.parquet")
