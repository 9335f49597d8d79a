"""What is new in a raw set since a moment: how many rows, and which event days they touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from gnomon.core.contract import read_contract


@dataclass(frozen=True)
class News:
    """Rows ingested after `since` (None: all rows), and the days on which they occurred, in order."""

    since: datetime | None
    row_count: int
    days: tuple[date, ...]


def read_news(folder: Path, since: datetime | None) -> News:
    """Return what is new in the raw set in `folder`, which has passed the door; plans are counted, not dated."""
    import duckdb

    row_count = 0
    days: set[date] = set()
    with duckdb.connect(":memory:") as connection:
        for table in read_contract().tables.values():
            files = [str(path) for path in sorted((folder / table.name).glob("*.parquet"))]
            connection.read_parquet(files, hive_partitioning=False).create_view("rows_read", replace=True)
            found = connection.execute(
                "select occurred_at::date as day, count(*) from rows_read "
                "where $since is null or ingested_at > $since group by all",
                {"since": since},
            ).fetchall()
            row_count += sum(count for _, count in found)
            days.update(day for day, _ in found if not table.known_ahead)
    return News(since, row_count, tuple(sorted(days)))
