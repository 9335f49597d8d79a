"""A small raw set cut from data/sample: the last nine days of each table, and all that its rows point at."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gnomon.core.contract import Table, read_contract
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, write_table
from gnomon.ingest.sifting import order_by_reference

LAST_DAYS_START = datetime(2026, 6, 21)
MONTH_BEFORE_THE_LOG = datetime(2026, 2, 1)
MOST_ROWS = 250
# Tables of which nine days have next to nothing, taken whole from the start.
FROM_THE_START = (
    "sellers",
    "products",
    "policy_versions",
    "creator_status",
    "sampling_designs",
)


def write_tiny_set(sample: Path, folder: Path) -> Path:
    """Write the set to `folder` and return it; tables are cut children first, so that references stay whole."""
    contract = read_contract()
    needed: dict[tuple[str, str], set[str]] = {}
    newest = datetime.min
    for table in reversed(order_by_reference(contract)):
        rows = pq.read_table(sample / table.name)
        chosen = rows.filter(pc.or_(_choose_last_days(table, rows), _choose_needed(table, rows, needed)))
        for column in table.columns:
            if column.reference:
                values = pc.unique(chosen[column.name].drop_null()).to_pylist()
                needed.setdefault((column.reference.table, column.reference.column), set()).update(values)
        newest = max(newest, pc.max(chosen["ingested_at"]).as_py())
        write_table(folder, contract.tables[TableName(table.name)], chosen)
    RawSet("tiny-1", "nine days of the sample", newest).write(folder)
    return folder


def _choose_last_days(table: Table, rows: pa.Table) -> pa.Array:
    start = datetime.min if table.name in FROM_THE_START else LAST_DAYS_START
    if table.name == "daily_totals":
        start = MONTH_BEFORE_THE_LOG
    # Counters bear the moment of their item's upload, weeks before they are told.
    moment = "ingested_at" if table.name == "content_counters" else "occurred_at"
    is_late = pc.greater_equal(rows[moment], pa.scalar(start, pa.timestamp("us")))
    counted = pc.cumulative_sum(pc.cast(is_late, pa.int64()))
    return pc.and_(is_late, pc.less_equal(counted, MOST_ROWS))


def _choose_needed(table: Table, rows: pa.Table, needed: dict[tuple[str, str], set[str]]) -> pa.Array:
    (key, *_) = table.key
    values = sorted(needed.get((table.name, key), ()))
    return pc.is_in(rows[key], value_set=pa.array(values, pa.string()))
