"""Rows on their way: what happened is delivered late, twice and out of order, as logs are."""

from __future__ import annotations

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.contract import read_contract
from gnomon.core.names import TableName
from gnomon.core.raw_set import arrow_schema
from gnomon.simulate.rows import Rows
from gnomon.simulate.world import DAY, HOUR, Ints

# Event logs are delivered again now and then: the same rows with a later ingested_at.
_REDELIVERED = {"engagement": 0.002, "product_events": 0.002, "account_events": 0.001, "comments": 0.001}


class Outbox:
    """Rows that happened and are not known yet, by raw table."""

    def __init__(self) -> None:
        """Make an empty outbox."""
        self.waiting: dict[str, list[pa.Table]] = {}

    def post(self, rng: np.random.Generator, table: str, rows: Rows) -> None:
        """Post rows of a raw table; `ingested_at` says when they become known.

        A column that `rows` lacks becomes null. A row whose key was posted before is its new
        version, known from its own ingested_at on.
        """
        schema = arrow_schema(read_contract().tables[TableName(table)])
        count = len(rows["ingested_at"])
        if count == 0:
            return
        columns = [
            _cast(rows[field.name], field.type) if field.name in rows else pa.nulls(count, field.type)
            for field in schema
        ]
        posted = pa.table(columns, schema=schema)
        self.waiting.setdefault(table, []).append(posted)
        again = np.flatnonzero(rng.random(count) < _REDELIVERED.get(table, 0.0))
        if len(again):
            self.waiting[table].append(_deliver_again(rng, posted.take(pa.array(again))))

    def collect(self, until: int) -> dict[str, pa.Table]:
        """Take out what is known by the moment `until`, per table in the order of ingested_at."""
        limit = pa.scalar(np.datetime64(until, "s").astype("datetime64[us]"))
        known: dict[str, pa.Table] = {}
        for table, parts in self.waiting.items():
            rows = pa.concat_tables(parts)
            has_come = pc.less_equal(rows["ingested_at"], limit)
            self.waiting[table] = [rows.filter(pc.invert(has_come))]
            arrived = rows.filter(has_come)
            if arrived.num_rows:
                moments = arrived["ingested_at"].to_numpy().astype(np.int64)
                known[table] = arrived.take(pa.array(np.argsort(moments, kind="stable")))
        return known

    def copy(self) -> Self:
        """Return an outbox with the same rows; Arrow tables never change, so they may be shared."""
        twin = type(self)()
        twin.waiting = {table: list(parts) for table, parts in self.waiting.items()}
        return twin


def _cast(values: object, kind: pa.DataType) -> pa.Array:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    return array if array.type == kind else array.cast(kind)


def _deliver_again(rng: np.random.Generator, rows: pa.Table) -> pa.Table:
    place = rows.schema.get_field_index("ingested_at")
    first = rows["ingested_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    later: Ints = first + rng.integers(HOUR, 3 * DAY, len(first)) // 600 * 600
    moments = pa.array(later.astype("datetime64[s]")).cast(rows.schema.field(place).type)
    return rows.set_column(place, rows.schema.field(place), moments)
