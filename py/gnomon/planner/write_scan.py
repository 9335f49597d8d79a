"""One scan: the values that are aggregated from one source's rows."""

from __future__ import annotations

from sqlglot import exp

from gnomon.planner.draft import Source, Value, Window
from gnomon.planner.sql_parts import aggregate, alias, name, positions, read_rows


def write_scan(source: Source, values: tuple[Value, ...], groups: list[str]) -> exp.Select:
    """Return a SELECT of the groups and values, one row per group."""
    keys = [alias(group.copy(), each) for group, each in zip(source.groups, groups, strict=True)]
    rows = read_rows(source)
    if source.window is None:
        totals = [alias(aggregate(value.aggregation, value.rows.copy()), value.column) for value in values]
        query = rows.select(*keys, *totals, copy=False)
    else:
        kept = _keep_window(rows, source.window)
        kept = kept.select(*keys, *(alias(value.rows.copy(), value.column) for value in values), copy=False)
        totals = [alias(aggregate(value.aggregation, name(value.column)), value.column) for value in values]
        query = exp.Select().select(*(name(each) for each in groups), *totals, copy=False)
        query = query.from_(kept.subquery("rows_kept"), copy=False)
    return query.group_by(*positions(len(groups)), copy=False) if groups else query


def _keep_window(rows: exp.Select, window: Window) -> exp.Select:
    """Keep only the rows at the first or last moment of each partition."""
    extreme = exp.Max if window.takes_last else exp.Min
    partition = [part.copy() for part in (*window.partitions, *window.groupings)]
    is_at_moment = exp.EQ(
        this=window.moment.copy(),
        expression=exp.Window(this=extreme(this=window.moment.copy()), partition_by=partition),
    )
    present = [exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null())) for key in window.groupings]
    rows.set("qualify", exp.Qualify(this=exp.and_(is_at_moment, *present)))
    return rows
