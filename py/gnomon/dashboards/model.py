"""Dashboards as immutable values: what is shown of which metrics, nothing of how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gnomon.core.names import MetricName
from gnomon.core.yaml_lines import Place
from gnomon.semantic.grain import Grain

# A tile stands on so many columns; rows are as many as it takes.
COLUMNS = 12
TIME = "metric_time"


@dataclass(frozen=True)
class Grid:
    """Where a tile stands: its first column and row, counted from 1, and how many it covers."""

    column: int
    row: int
    width: int
    height: int


@dataclass(frozen=True)
class Number:
    """A metric over the last `last_days` mature days, its change, its target, and its course by `grain`."""

    metric: MetricName
    last_days: int
    grain: Grain


@dataclass(frozen=True)
class Line:
    """Metrics of one unit over time, or one metric by the groups of `by`; estimates with their intervals."""

    metrics: tuple[MetricName, ...]
    grain: Grain
    by: str | None
    last_days: int | None


@dataclass(frozen=True)
class Area:
    """A metric over time, filled down to zero; by groups, stacked pieces that add up to the whole."""

    metric: MetricName
    grain: Grain
    by: str | None
    last_days: int | None


@dataclass(frozen=True)
class Bar:
    """A metric by groups, or by periods where `by` is a time; with `top`, all but so many groups are one."""

    metric: MetricName
    by: str
    top: int | None


@dataclass(frozen=True)
class Table:
    """Metrics by groups, a row each."""

    metrics: tuple[MetricName, ...]
    by: tuple[str, ...]
    top: int | None


@dataclass(frozen=True)
class Funnel:
    """Counts of steps, each reached from the one before at the rate that stands at the same place of `rates`."""

    steps: tuple[MetricName, ...]
    rates: tuple[MetricName, ...]


@dataclass(frozen=True)
class HeatMap:
    """A metric by two groups, one of which may be a time."""

    metric: MetricName
    rows: str
    columns: str


@dataclass(frozen=True)
class Distribution:
    """How many groups of `over` (creators, say) have which value of a metric. No group is named."""

    metric: MetricName
    over: str


@dataclass(frozen=True)
class Text:
    """Words; paragraphs are apart by an empty line."""

    text: str


Content = Number | Line | Area | Bar | Table | Funnel | HeatMap | Distribution | Text

# The word of each kind in a file.
KINDS: Mapping[type[Content], str] = {
    Number: "number",
    Line: "line",
    Area: "area",
    Bar: "bar",
    Table: "table",
    Funnel: "funnel",
    HeatMap: "heat_map",
    Distribution: "distribution",
    Text: "text",
}


@dataclass(frozen=True)
class Mail:
    """Mail at an hour of the day, on a `weekday` such as mon or on each, `to` the owner and these addresses."""

    hour: int
    weekday: str | None
    to: tuple[str, ...]


@dataclass(frozen=True)
class Tile:
    """One thing to see.

    `not_filtered_by` names the filters of its dashboard that do not reach it, `filtered_by` the dimension by
    which one does, where it is not the filter's own first choice. With an `alert` there is mail once its last period
    is on the wrong side of its metric's target.
    """

    name: str
    title: str
    grid: Grid
    content: Content
    not_filtered_by: tuple[str, ...]
    filtered_by: Mapping[str, str]
    place: Place
    alert: Mail | None = None

    @property
    def kind(self) -> str:
        """The word of its kind."""
        return KINDS[type(self.content)]

    @property
    def metrics(self) -> tuple[MetricName, ...]:
        """The metrics that it shows."""
        match self.content:
            case Line(metrics) | Table(metrics):
                return metrics
            case Funnel(steps, rates):
                return (*steps, *rates)
            case Text():
                return ()
            case content:
                return (content.metric,)

    @property
    def groups(self) -> tuple[str, ...]:
        """What it groups by, in the engine's names."""
        match self.content:
            case Line(_, grain, by) | Area(_, grain, by):
                return (f"{TIME}__{grain.value}", *(() if by is None else (by,)))
            case Bar(_, by):
                return (by,)
            case Table(_, by):
                return by
            case HeatMap(_, rows, columns):
                return (rows, columns)
            case Distribution(_, over):
                return (over,)
            case _:
                return ()


@dataclass(frozen=True)
class Tab:
    """Tiles that are seen together."""

    name: str
    title: str
    tiles: tuple[Tile, ...]
    place: Place


@dataclass(frozen=True)
class Filter:
    """A choice of values. A tile is filtered by the first of `dimensions` that all of its metrics reach.

    Or by the one that it names itself.
    """

    name: str
    title: str
    dimensions: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Owner:
    """Who answers for a dashboard."""

    name: str
    email: str


@dataclass(frozen=True)
class Dashboard:
    """A page of tabs. It shows the last `last_days` days unless others are asked for.

    One that is official shows certified metrics only. With a `subscription` it is sent by mail each week.
    """

    name: str
    title: str
    why: str
    owner: Owner
    is_official: bool
    last_days: int
    filters: tuple[Filter, ...]
    tabs: tuple[Tab, ...]
    subscription: Mail | None = None

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles of all tabs."""
        return tuple(tile for tab in self.tabs for tile in tab.tiles)

    @property
    def metrics(self) -> tuple[MetricName, ...]:
        """The metrics that it shows, each once, by name."""
        return tuple(sorted({metric for tile in self.tiles for metric in tile.metrics}))
