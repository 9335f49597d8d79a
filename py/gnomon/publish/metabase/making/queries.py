"""What a tile asks of the copy, as one card's SQL: the planner's own, its days and filters in their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.dashboards.door import Door
from gnomon.dashboards.model import TIME, Dashboard, Distribution, Filter, Funnel, Tile
from gnomon.dashboards.questions import Ask, Scope, count_days, find_reach, find_time_grain, write_asks
from gnomon.dashboards.words import OTHER, UNKNOWN, name_metric
from gnomon.planner import VARIANCE_PREFIX
from gnomon.planner.algebra import IS_OTHER
from gnomon.planner.plan import Plan
from gnomon.publish.metabase.making.days import FIRST, LAST, Reach, address, fix_days, place_days
from gnomon.publish.metabase.making.intervals import HIGH, LOW, write_ends
from gnomon.publish.metabase.wanted import FieldTag, NativeQuery
from gnomon.publish.serving_copy import CopyDoor
from gnomon.publish.serving_copy.contents import DIALECT
from gnomon.publish.serving_copy.statements import Words, write
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric

DATES = "dates"
DAY = f"{TIME}__{Grain.DAY.value}"
STEP, VALUE, PLACE, GROUPS = "step", "value", "place", "groups"
_ANSWER = "answer"


@dataclass(frozen=True)
class TileQuery:
    """A card's SQL and what is known of it.

    `columns` are its answer's; `wires` the tag that each filter of the dashboard fills, DATES among them; `unreached`
    the filters that the page's tile follows and this card cannot. `ask` and `reach` say the same to the engine.
    """

    query: NativeQuery
    columns: tuple[str, ...]
    metrics: tuple[Metric, ...]
    wires: dict[str, str]
    unreached: tuple[str, ...]
    ask: Ask
    reach: Reach
    planned: Plan

    @property
    def time(self) -> str | None:
        """The column of its periods."""
        return next((name for name in self.ask.group_by if _is_time(name)), None)

    @property
    def estimates(self) -> tuple[str, ...]:
        """The metrics that have an interval."""
        return tuple(metric.name for metric in self.metrics if metric.name + LOW in self.columns)


def write_tile(copy: CopyDoor, door: Door, dashboard: Dashboard, tile: Tile, scope: Scope) -> TileQuery:
    """Return a tile's question of the copy; QueryError says why the copy cannot answer it."""
    asked = write_asks(door, dashboard, tile, scope)
    assert asked is not None, "words ask nothing"
    ask = asked.course or asked.main
    if ask is None:
        raise QueryError(f"{asked.reason}.")
    grain = next((Grain(name.removeprefix(f"{TIME}__")) for name in ask.group_by if _is_time(name)), None)
    metrics = tuple(door.manifest.metrics[name] for name in tile.metrics)
    reach = Reach.of(metrics, count_days(tile, dashboard.last_days), grain or find_time_grain(tile))
    wanted = {each.name: found for each in dashboard.filters if (found := find_reach(door, tile, each)) is not None}
    planned, sql, tags = _plan(copy, ask, reach, wanted)
    shown, columns = _show(tile, ask, planned, sql)
    return TileQuery(
        query=NativeQuery(shown, tuple(_write_tags(planned, dashboard.filters, tags))),
        columns=columns,
        metrics=planned.metrics,
        wires=tags,
        unreached=tuple(name for name in (DATES, *wanted) if name not in tags),
        ask=ask,
        reach=reach,
        planned=planned,
    )


def _plan(copy: CopyDoor, ask: Ask, reach: Reach, wanted: dict[str, str]) -> tuple[Plan, str, dict[str, str]]:
    """Return the plan with as many filters as can be put over it, its SQL, and the tag of each filter."""
    tags: dict[str, str] = {}
    planned: Plan | None = None
    for name, dimension in ((DATES, DAY), *wanted.items()):
        try:
            planned = _try(copy, ask, (*tags.values(), dimension))
        except QueryError:
            continue
        tags[name] = dimension
    if planned is not None and DATES in tags:
        return planned, place_days(planned, reach, tags[DATES]), tags
    planned = _try(copy, ask, tuple(tags.values()))
    fixed = fix_days(planned, reach)
    if fixed is None:
        raise QueryError("its days are computed from one another, and a card cannot tell them from the copy's clock.")
    return planned, fixed, tags


def _try(copy: CopyDoor, ask: Ask, filters: Sequence[str]) -> Plan:
    is_filtered = DAY in filters
    return copy.plan(
        ask.metrics,
        ask.group_by,
        order_by=ask.order_by,
        start=None if is_filtered else FIRST,
        end=None if is_filtered else LAST,
        top=ask.top,
        outer_filters=filters,
    )


def _write_tags(planned: Plan, filters: Sequence[Filter], tags: dict[str, str]) -> Iterator[FieldTag]:
    titles = {DATES: "Dates (UTC)", **{each.name: each.title for each in filters}}
    for name, tag in tags.items():
        yield FieldTag(tag, titles[name], address(planned, tag), "date/all-options" if name == DATES else "string/=")


def _show(tile: Tile, ask: Ask, planned: Plan, sql: str) -> tuple[str, tuple[str, ...]]:
    """Return the SQL of what is seen of an answer, and its columns."""
    match tile.content:
        case Funnel(steps=steps):
            titles = {metric.name: name_metric(metric) for metric in planned.metrics}
            rows = [
                exp.Tuple(expressions=[exp.Literal.number(place), exp.Literal.string(titles[name]), _column(name)])
                for place, name in enumerate(steps, start=1)
            ]
            values = ", ".join(row.sql(DIALECT) for row in rows)
            template = (
                "SELECT {step}, {value} FROM (\n{sql}\n) AS {answer}\n"
                "CROSS JOIN LATERAL (VALUES {rows}) AS steps ({place}, {step}, {value}) ORDER BY {place}"
            )
            names = {"step": STEP, "value": VALUE, "place": PLACE, "answer": _ANSWER}
            return write(template, sql=Words(sql), rows=Words(values), **names), (STEP, VALUE)
        case Distribution(metric=metric, over=over):
            template = (
                "SELECT {value}, COUNT(*) AS {groups} FROM (\n{sql}\n) AS {answer} "
                "WHERE {value} IS NOT NULL AND {over} IS NOT NULL GROUP BY {value} ORDER BY {value}"
            )
            names = {"value": metric, "over": over, "groups": GROUPS, "answer": _ANSWER}
            return write(template, sql=Words(sql), **names), (metric, GROUPS)
    shown = [*_show_groups(ask), *(_column(name) for name in ask.metrics)]
    shown += [end for metric in planned.metrics for end in _show_interval(metric, planned)]
    order = [each.sql(DIALECT) for each in _write_order(ask)]
    text = write(
        "SELECT {columns} FROM (\n{sql}\n) AS {answer}{order}",
        columns=Words(", ".join(each.sql(DIALECT) for each in shown)),
        sql=Words(sql),
        answer=_ANSWER,
        order=Words(f" ORDER BY {', '.join(order)}" if order else ""),
    )
    return text, tuple(each.alias_or_name for each in shown)


def _show_groups(ask: Ask) -> Iterator[exp.Expr]:
    """Yield the groups; where only the greatest are kept, the others and those not known have words of their own."""
    for name in ask.group_by:
        column = _column(name)
        if ask.top is None or _is_time(name):
            yield column
            continue
        known = exp.Coalesce(this=exp.cast(column, "text"), expressions=[exp.Literal.string(UNKNOWN)])
        worded = exp.Case().when(_column(IS_OTHER), exp.Literal.string(OTHER)).else_(known)
        yield worded.as_(name, quoted=True)


def _show_interval(metric: Metric, planned: Plan) -> Iterator[exp.Expr]:
    if exp.to_identifier(VARIANCE_PREFIX + metric.name, quoted=True).sql(DIALECT) in planned.sql:
        low, high = write_ends(metric, is_proportion=metric.name in planned.proportions)
        yield low.as_(metric.name + LOW, quoted=True)
        yield high.as_(metric.name + HIGH, quoted=True)


def _write_order(ask: Ask) -> Iterator[exp.Expr]:
    """Yield the order: periods, the kept groups before the others, and no value behind every value."""
    words = [*(word for word in ask.order_by if _is_time(word)), *([IS_OTHER] if ask.top is not None else [])]
    words += [word for word in ask.order_by if not _is_time(word)]
    for word in words:
        name = word.removeprefix("-")
        yield exp.Ordered(this=_column(name), desc=name != word, nulls_first=False)


def _is_time(name: str) -> bool:
    return name.startswith(f"{TIME}__")


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
