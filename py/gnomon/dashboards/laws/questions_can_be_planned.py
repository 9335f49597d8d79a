"""The engine can answer what every tile asks, under every filter that reaches it; a stack adds up to its whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.core.yaml_lines import Place
from gnomon.dashboards.door import Door
from gnomon.dashboards.loading import Written
from gnomon.dashboards.model import Area, Dashboard, Tile
from gnomon.dashboards.periods import Days, find_last_whole_day
from gnomon.dashboards.questions import Ask, Scope, find_reach, write_asks
from gnomon.planner import Condition


def check_questions_can_be_planned(written: Written, door: Door) -> Iterator[str]:
    """Yield the reason for each tile whose question is refused.

    A metric that its definition says is not whole yet (`missing_inputs`) is no fault of the dashboard's: it is
    shown as refused, with that reason.
    """
    for tile in written.dashboard.tiles:
        if not tile.metrics or not _is_sound(tile, door):
            continue
        for ask, place in _list_asks(written.dashboard, tile, door):
            try:
                door.plan(ask.metrics, ask.group_by, ask.where, ask.order_by, start=ask.start, end=ask.end, top=ask.top)
            except (DefinitionError, QueryError) as error:
                where = written.lines.locate((*tile.place, *place))
                reason = " ".join(str(error).split())
                yield f"{where}: tile '{tile.name}' cannot be answered: {reason}"
                break


def _is_sound(tile: Tile, door: Door) -> bool:
    """Tell whether all metrics are there and whole, and reach the groups: all else is said by other laws."""
    metrics = [door.manifest.metrics.get(name) for name in tile.metrics]
    if any(metric is None or metric.documentation.missing_inputs for metric in metrics):
        return False
    times = [name for name in tile.groups if name.startswith("metric_time__")]
    named = {*tile.groups, *tile.filtered_by.values()} - set(times)
    return all(named <= set(door.dimensions_of(name)) for name in tile.metrics)


def _list_asks(dashboard: Dashboard, tile: Tile, door: Door) -> Iterator[tuple[Ask, Place]]:
    # Any year will do: what is refused is refused by names.
    as_of = door.as_of or datetime(2020, 1, 1)
    last = find_last_whole_day(as_of)
    asked = write_asks(door, dashboard, tile, Scope(Days(last.replace(year=last.year - 3, day=1), last), as_of))
    assert asked is not None
    reached = (find_reach(door, tile, each) for each in dashboard.filters)
    where = tuple(Condition(dimension, "is not null") for dimension in reached if dimension is not None)
    for ask in (asked.main, asked.course):
        if ask is not None:
            yield Ask(ask.metrics, ask.days, ask.group_by, where, ask.order_by, ask.top), (tile.kind,)
    if isinstance(tile.content, Area) and tile.content.by is not None:
        # Only what is added up has shares.
        yield Ask((f"{tile.content.metric}__share",), None, tile.groups), (tile.kind, "by")
