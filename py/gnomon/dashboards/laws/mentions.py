"""Where in its file a tile names what."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.names import MetricName
from gnomon.core.yaml_lines import Place
from gnomon.dashboards.model import TIME, Area, Bar, Distribution, Funnel, HeatMap, Line, Table, Text, Tile


def list_metric_mentions(tile: Tile) -> Iterator[tuple[MetricName, Place]]:
    """Yield each metric that a tile names, and the place where it does."""
    match tile.content:
        case Line(metrics) | Table(metrics):
            yield from _list(tile, "metrics", metrics)
        case Funnel(steps, rates):
            yield from _list(tile, "steps", steps)
            yield from _list(tile, "rates", rates)
        case Text():
            return
        case content:
            yield content.metric, (*tile.place, tile.kind, "metric")


def list_group_mentions(tile: Tile) -> Iterator[tuple[str, Place]]:
    """Yield each dimension that a tile groups by, times apart, and the place where it names it."""
    place = (*tile.place, tile.kind)
    match tile.content:
        case Line(_, _, str(by)) | Area(_, _, str(by)) | Bar(_, by):
            found = [(by, (*place, "by"))]
        case Table(_, several):
            found = [(name, (*place, "by", index)) for index, name in enumerate(several)]
        case HeatMap(_, rows, columns):
            found = [(rows, (*place, "rows")), (columns, (*place, "columns"))]
        case Distribution(_, over):
            found = [(over, (*place, "over"))]
        case _:
            found = []
    yield from ((name, where) for name, where in found if not name.startswith(f"{TIME}__"))


def is_one_series(tile: Tile) -> bool:
    """Tell whether a tile shows one metric over time, whole."""
    match tile.content:
        case Line((_,), _, None) | Area(_, _, None):
            return True
        case _:
            return False


def _list(tile: Tile, key: str, names: tuple[MetricName, ...]) -> Iterator[tuple[MetricName, Place]]:
    for index, name in enumerate(names):
        yield name, (*tile.place, tile.kind, key, index)
