"""Simulated worlds opened in DuckDB, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from gnomon.core.contract import Contract, read_contract

CONTRACT: Contract = read_contract()
TRUTHS = ("accounts", "actions", "content", "interventions", "members", "scenarios")


@dataclass(frozen=True)
class Made:
    """A world on disk, open in DuckDB.

    A raw table's view has each fact once, in its newest version; raw_<name> has every row as
    delivered; truth_<name> is the truth.
    """

    folder: Path
    start: datetime
    end: datetime
    database: duckdb.DuckDBPyConnection

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self.database.execute(sql, list(values)).fetchall()

    def count(self, sql: str, *values: object) -> float:
        return float(self.ask(sql, *values)[0][0])  # type: ignore[arg-type]


def open_world(folder: Path, days: int, start: date) -> Made:
    database = duckdb.connect()
    for table in CONTRACT.tables.values():
        name, key = table.name, ", ".join(table.key)
        database.execute(f"create table \"raw_{name}\" as select * from read_parquet('{folder}/{name}/*.parquet')")
        database.execute(
            f'create view "{name}" as select * from "raw_{name}" '
            f"qualify row_number() over (partition by {key} order by ingested_at desc) = 1"
        )
    for name in TRUTHS:
        database.execute(f"create view truth_{name} as select * from read_parquet('{folder}/truth/{name}.parquet')")
    begin = datetime(start.year, start.month, start.day)
    return Made(folder, begin, begin + timedelta(days=days), database)


def read_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every raw table in the order of its files."""
    with duckdb.connect() as database:
        return {
            name: database.execute(f"select * from read_parquet('{folder}/{name}/*.parquet')").fetchall()
            for name in CONTRACT.tables
        }


def measure_auc(values: np.ndarray, is_abuser: np.ndarray) -> float:
    """Return how well the value tells abusers from the rest, in whichever direction: 0.5 is not at all."""
    known = ~np.isnan(values)
    values, is_abuser = values[known], is_abuser[known]
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ones = is_abuser.sum()
    area = (rank[is_abuser].sum() - ones * (ones + 1) / 2) / (ones * (len(values) - ones))
    return float(max(area, 1 - area))
