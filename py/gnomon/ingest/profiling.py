"""Measure what history keeps of a batch that was sifted: only rows that pass are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from gnomon.core.contract import Table
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet
from gnomon.ingest.history import BatchProfile, TableProfile
from gnomon.ingest.sifting import Sifted, select_passed

if TYPE_CHECKING:
    import duckdb


def profile_batch(
    connection: duckdb.DuckDBPyConnection,
    record: RawSet,
    sifted: Mapping[TableName, Sifted],
    settled_after_days: int,
) -> BatchProfile:
    """Return the profile of a sifted batch; tables that the source does not have are left out."""
    tables = {
        str(name): _profile_table(connection, part.table, settled_after_days)
        for name, part in sifted.items()
        if name not in record.absent
    }
    return BatchProfile(record.raw_set_id, record.source, record.newest_ingested_at, settled_after_days, tables)


def _profile_table(connection: duckdb.DuckDBPyConnection, table: Table, settled_after_days: int) -> TableProfile:
    rows = select_passed(connection, table)
    row_count = _fetch(rows.aggregate("count(*)"))[0]
    nullable = [column.name for column in table.columns if column.is_nullable]
    shares = {}
    if row_count and nullable:
        # Names of the contract: plain words, quoted.
        filled = _fetch(rows.aggregate(", ".join(f'count("{name}")' for name in nullable)))
        shares = {name: 1 - count / row_count for name, count in zip(nullable, filled, strict=True)}
    (newest,) = rows.aggregate("max(ingested_at)").fetchone() or (None,)
    # Plans are known ahead; their days say nothing of a feed.
    days = {} if table.known_ahead else _count_days(rows, settled_after_days)
    return TableProfile(row_count, newest if isinstance(newest, datetime) else None, days, shares)


def _count_days(rows: duckdb.DuckDBPyRelation, settled_after_days: int) -> dict[date, int]:
    counts: Counter[date] = Counter()
    grouped = rows.aggregate(
        "cast(occurred_at as date) as day, date_diff('day', occurred_at, ingested_at) as age, count(*) as row_count"
    )
    for day, age, count in grouped.fetchall():
        # Also a day of which nothing was in on time is a day: it counts 0.
        counts[day] += count if age <= settled_after_days else 0
    return dict(sorted(counts.items()))


def _fetch(relation: duckdb.DuckDBPyRelation) -> tuple[int, ...]:
    return tuple(int(value) for value in relation.fetchone() or ())
