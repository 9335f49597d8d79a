"""Waiting until Metabase has read the tables of a connection, which it does in its own time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gnomon.core.errors import WarehouseError
from gnomon.publish.metabase import bodies
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.survey import Survey
from gnomon.publish.metabase.transport import Transport
from gnomon.publish.metabase.wanted import (
    FieldAddress,
    MetricQuery,
    NativeQuery,
    Ratio,
    TableAddress,
    TableQuery,
    Wanted,
)

_SHOWN = 5


@dataclass(frozen=True)
class Waiting:
    """How long to wait for a sync, in seconds, and how: `clock` counts seconds, `pause` lets some go by."""

    clock: Callable[[], float]
    pause: Callable[[float], None]
    longest: float = 300.0
    between: float = 2.0


def wait_for_tables(transport: Transport, survey: Survey, wanted: Wanted, waiting: Waiting) -> None:
    """Have the connection read, and wait until every table and column that is needed is there.

    WarehouseError if some are still missing after the longest wait.
    """
    names = survey.state.names
    if not _list_missing(wanted, names):
        return
    transport.look_up(f"/api/database/{names.database_id}/sync_schema", bodies.Nothing().dump())
    end = waiting.clock() + waiting.longest
    while True:
        survey.learn_tables()
        missing = _list_missing(wanted, names)
        if not missing:
            return
        if waiting.clock() >= end:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            raise WarehouseError(
                f"Metabase has not seen {', '.join(missing[:_SHOWN])}{more} after {waiting.longest:g} s. Is the "
                "serving copy published, and may Metabase's database user read its schema?"
            )
        waiting.pause(waiting.between)


def _list_missing(wanted: Wanted, names: Names) -> list[str]:
    tables, fields = _list_needed(wanted)
    missing = [f"{each.schema}.{each.table}" for each in tables if each not in names.tables]
    named = [f"{each.schema}.{each.table}.{each.column}" for each in fields if each not in names.fields]
    return sorted(missing) + sorted(each for each in named if each.rpartition(".")[0] not in missing)


def _list_needed(wanted: Wanted) -> tuple[set[TableAddress], set[FieldAddress]]:
    """Return the tables and the columns that something wanted names."""
    fields: set[FieldAddress] = set()
    tables = {table.address for table in wanted.tables}
    for table in wanted.tables:
        for column in table.fields:
            fields.add(FieldAddress(table.address.schema, table.address.table, column.column))
            if column.leads_to:
                fields.add(column.leads_to)
    for card in wanted.cards:
        query = card.query
        if isinstance(query, NativeQuery):
            fields.update(tag.field for tag in query.tags)
            continue
        tables.add(query.table)
        if isinstance(query, TableQuery):
            continue
        assert isinstance(query, MetricQuery)
        whole = query.aggregate
        parts = (whole.numerator, whole.denominator) if isinstance(whole, Ratio) else (whole,)
        fields.update(each.field for each in parts)
        fields.update(each.field for each in query.filters)
        fields.add(query.time)
    return tables | {TableAddress(each.schema, each.table) for each in fields}, fields
