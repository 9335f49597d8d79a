"""What a tile asks of the engine. Equal questions are equal values, so that each is asked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from gnomon.dashboards.door import Door
from gnomon.dashboards.model import TIME, Area, Bar, Dashboard, Filter, Line, Number, Table, Text, Tile
from gnomon.dashboards.periods import Days, find_mature_day, keep_whole_periods
from gnomon.planner import Condition
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric

# So many series can be told apart on one chart; the others are one.
MOST_SERIES = 6
# The course of a number has so many days at least, about thirteen periods.
_COURSE = {Grain.DAY: 14, Grain.WEEK: 91, Grain.MONTH: 400, Grain.QUARTER: 1190, Grain.YEAR: 4750}


@dataclass(frozen=True)
class Ask:
    """A question in the engine's words."""

    metrics: tuple[str, ...]
    days: Days | None
    group_by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    order_by: tuple[str, ...] = ()
    top: int | None = None

    @property
    def start(self) -> date | None:
        """The first day of metric_time."""
        return self.days.first if self.days else None

    @property
    def end(self) -> date | None:
        """The last day of metric_time."""
        return self.days.last if self.days else None


@dataclass(frozen=True)
class Scope:
    """What a dashboard is asked for: its days, its build's clock, and the values chosen in its filters.

    `are_days_chosen` tells that somebody named the days, which tiles with days of their own follow, too.
    """

    days: Days
    as_of: datetime
    are_days_chosen: bool = False
    chosen: Mapping[str, tuple[str | int | float | bool, ...]] | None = None


@dataclass(frozen=True)
class Asked:
    """The questions of a tile. `days` are those that its figures are of; None with `reason` if there are none.

    `course` is a number's question over time; `mature_until` the last mature day of all of its metrics.
    """

    main: Ask | None
    days: Days | None
    mature_until: date
    course: Ask | None = None
    reason: str | None = None


def find_reach(door: Door, tile: Tile, filter_: Filter) -> str | None:
    """Return the dimension by which a filter reaches a tile: the tile's own, else the first that all metrics have."""
    if filter_.name in tile.not_filtered_by:
        return None
    if filter_.name in tile.filtered_by:
        return tile.filtered_by[filter_.name]
    reached = set.intersection(*(set(door.dimensions_of(metric)) for metric in tile.metrics))
    return next((each for each in filter_.dimensions if each in reached), None)


def compare_words(metric: Metric) -> tuple[str, ...]:
    """Return the words for a metric, the one before, and what changed: the difference, or of amounts the growth."""
    word = "growth" if metric.documentation.unit in ("count", "usd") else "change"
    return (metric.name, f"{metric.name}__previous", f"{metric.name}__{word}")


def find_time_grain(tile: Tile) -> Grain | None:
    """Return the grain of the time that a tile is grouped by; None if it is not."""
    for name in tile.groups:
        if name.startswith(f"{TIME}__"):
            return Grain(name.removeprefix(f"{TIME}__"))
    return None


def write_asks(door: Door, dashboard: Dashboard, tile: Tile, scope: Scope) -> Asked | None:
    """Return what a tile asks; None if it asks nothing.

    Over time it shows whole periods, mature or not; without a time, mature days only, so that no figure
    is of days that can still change.
    """
    if isinstance(tile.content, Text):
        return None
    metrics = [door.manifest.metrics[name] for name in tile.metrics]
    mature = find_mature_day(metrics, scope.as_of)
    where = _write_filters(door, dashboard, tile, scope)
    grain = find_time_grain(tile)
    if grain is not None:
        days = keep_whole_periods(_look_back(tile, scope), grain)
        if days is None:
            reason = f"no whole {grain.value} lies in {scope.days.first} to {scope.days.last}"
            return Asked(None, None, mature, reason=reason)
        return Asked(replace(_write_main(tile, metrics, days), where=where), days, mature)
    if isinstance(tile.content, Number):
        return _ask_number(tile, tile.content, metrics[0], where, scope, mature)
    days = Days(scope.days.first, min(scope.days.last, mature))
    if days.last < days.first:
        return Asked(None, None, mature, reason=_say_immature(scope.days, mature))
    return Asked(replace(_write_main(tile, metrics, days), where=where), days, mature)


def count_days(tile: Tile, of_all: int) -> int:
    """Return over how many days a tile looks back unless somebody names them; `of_all` is its dashboard's number.

    A number's are those of its course.
    """
    match tile.content:
        case Line(last_days=int(count)) | Area(last_days=int(count)):
            return count
        case Number(grain=grain):
            return max(of_all, _COURSE[grain])
        case _:
            return of_all


def _look_back(tile: Tile, scope: Scope) -> Days:
    if scope.are_days_chosen:
        return scope.days
    last = scope.days.last
    return Days(last - timedelta(days=count_days(tile, scope.days.count) - 1), last)


def _ask_number(
    tile: Tile, content: Number, metric: Metric, where: tuple[Condition, ...], scope: Scope, mature: date
) -> Asked:
    last = min(scope.days.last, mature)
    first = last - timedelta(days=content.last_days - 1)
    days = Days(max(first, scope.days.first) if scope.are_days_chosen else first, last)
    whole = keep_whole_periods(_look_back(tile, scope), content.grain)
    course = Ask((metric.name,), whole, (time := f"{TIME}__{content.grain.value}",), where, (time,)) if whole else None
    if days.last < days.first:
        return Asked(None, None, mature, course, _say_immature(scope.days, mature))
    return Asked(Ask(compare_words(metric), days, where=where), days, mature, course)


def _write_main(tile: Tile, metrics: list[Metric], days: Days) -> Ask:
    """Return the question, its rows in one order only, so that equal answers are equal to the last row."""
    names = tuple(metric.name for metric in metrics)
    times = tuple(name for name in tile.groups if name.startswith(f"{TIME}__"))
    order = (*times, *(name for name in tile.groups if name not in times))
    match tile.content:
        case Line(by=str()) | Area(by=str()):
            return Ask(names, days, tile.groups, order_by=order, top=MOST_SERIES)
        case Bar(top=top) | Table(top=top) if not times:
            return Ask(names, days, tile.groups, order_by=(f"-{names[0]}", *order), top=top)
        case _:
            return Ask(names, days, tile.groups, order_by=order)


def _write_filters(door: Door, dashboard: Dashboard, tile: Tile, scope: Scope) -> tuple[Condition, ...]:
    conditions = []
    for each in dashboard.filters:
        values = (scope.chosen or {}).get(each.name)
        dimension = find_reach(door, tile, each) if values else None
        if values and dimension is not None:
            conditions.append(Condition(dimension, "in", values))
    return tuple(conditions)


def _say_immature(days: Days, mature: date) -> str:
    return f"no day of {days.first} to {days.last} is mature yet: the last mature day is {mature}"
