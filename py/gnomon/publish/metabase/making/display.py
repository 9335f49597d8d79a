"""How Metabase shows a card: its kind of chart, which columns stand where, how values are written, the goal line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnomon.dashboards.model import TIME, Area, Bar, Distribution, Funnel, HeatMap, Line, Number, Table, Tile
from gnomon.dashboards.words import name_group, name_metric
from gnomon.publish.metabase.making.intervals import HIGH, LOW
from gnomon.publish.metabase.making.queries import GROUPS, STEP, VALUE, TileQuery
from gnomon.publish.metabase.wanted import Json
from gnomon.semantic.model import Metric

_RATE_DECIMALS = 2
_SHADES: Sequence[str] = ("#ffffff", "#509ee3")


def choose_display(tile: Tile) -> str:
    """Return Metabase's word for a kind of tile."""
    match tile.content:
        case Number():
            return "smartscalar"
        case Line():
            return "line"
        case Area():
            return "area"
        case Bar(by=by):
            return "bar" if by.startswith(f"{TIME}__") else "row"
        case Distribution():
            return "bar"
        case Funnel():
            return "funnel"
        case _:
            return "table"


def write_settings(tile: Tile, asked: TileQuery) -> dict[str, Json]:
    """Return the settings of a card; every column that they name is one of its answer's."""
    columns: dict[str, Json] = {"column_settings": _write_columns(asked)}
    match tile.content:
        case Number(metric=name):
            metric = asked.metrics[0]
            return {
                "scalar.field": str(name),
                "scalar.comparisons": [{"id": "previous", "type": "previousPeriod"}],
                "scalar.switch_positive_negative": metric.documentation.direction == "down",
                **columns,
            }
        case Line(by=by) | Area(by=by):
            is_stacked = by is not None and isinstance(tile.content, Area)
            # Nothing is drawn where there is nothing; a piece of a stack that has no row adds nothing.
            shape: dict[str, Json] = {
                "stackable.stack_type": "stacked" if is_stacked else None,
                "line.missing": "zero" if is_stacked else "none",
            }
            axes = _write_axes(asked, [] if by is None else [by], with_ends=isinstance(tile.content, Line))
            return {**axes, **shape, **columns}
        case Bar(by=by):
            # A group beyond the eighth would be added up with the others, rates, too.
            axes = _write_axes(asked, [] if by == asked.time else [by], with_ends=False)
            return {**axes, "graph.max_categories_enabled": False, **columns}
        case Distribution(metric=name):
            return {"graph.dimensions": [str(name)], "graph.metrics": [GROUPS], **columns}
        case Funnel():
            return {"funnel.dimension": STEP, "funnel.metric": VALUE, **columns}
        case HeatMap(rows=_, columns=across, metric=name):
            shading: Json = {"columns": [str(name)], "type": "range", "colors": _SHADES}
            pivot: dict[str, Json] = {"table.pivot": True, "table.pivot_column": across, "table.cell_column": str(name)}
            return {**pivot, "table.column_formatting": [shading], **columns}
        case _:
            assert isinstance(tile.content, Table)
            return columns


def _write_axes(asked: TileQuery, more: Sequence[str], *, with_ends: bool) -> dict[str, Json]:
    shown = [name for name in asked.columns if name not in asked.ask.group_by]
    ends = [name + end for name in asked.estimates for end in (LOW, HIGH)]
    # The ends of several intervals, or of one for each group, would hide the lines.
    draws_ends = with_ends and len(asked.metrics) == 1 and not more
    drawn = [name for name in shown if name not in ends or draws_ends]
    dotted: Mapping[str, Json] = {"line.style": "dotted", "line.marker_enabled": False}
    gaps: Mapping[str, Json] = {"line.missing": "none"} if with_ends else {}
    series: Json = {name: {**(dotted if name in ends else {}), **gaps} for name in drawn}
    times = [] if asked.time is None else [asked.time]
    axes: dict[str, Json] = {"graph.dimensions": [*times, *more], "graph.metrics": drawn, "series_settings": series}
    target = asked.metrics[0].documentation.target if len(asked.metrics) == 1 else None
    if target is not None:
        axes |= {"graph.show_goal": True, "graph.goal_value": target, "graph.goal_label": "Target"}
    return axes


def _write_columns(asked: TileQuery) -> Mapping[str, Json]:
    found: dict[str, Json] = {}
    for name in asked.ask.group_by:
        if name in asked.columns:
            found[write_key(name)] = {"column_title": name_group(name).capitalize()}
    for metric in asked.metrics:
        style = _write_style(metric)
        titles = {"": name_metric(metric), LOW: "95 % interval, low", HIGH: "95 % interval, high"}
        for end, title in titles.items():
            if metric.name + end in asked.columns:
                found[write_key(metric.name + end)] = {"column_title": title, **style}
    if STEP in asked.columns:
        found |= {write_key(STEP): {"column_title": "Step"}, write_key(VALUE): {"column_title": "Count"}}
    if GROUPS in asked.columns:
        found[write_key(GROUPS)] = {"column_title": "Groups"}
    return found


def _write_style(metric: Metric) -> dict[str, Json]:
    match metric.documentation.unit:
        case "rate":
            return {"number_style": "percent", "decimals": _RATE_DECIMALS}
        case "usd":
            return {"number_style": "currency", "currency": "USD", "decimals": 0}
        case _:
            return {}


def write_key(column: str) -> str:
    """Return how settings name a column of an answer."""
    return f'["name","{column}"]'
