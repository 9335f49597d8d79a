"""Tabs, tiles and filters have names of their own, and nothing is shown twice on a tab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gnomon.core.yaml_lines import Place
from gnomon.dashboards.door import Door
from gnomon.dashboards.loading import Written
from gnomon.dashboards.model import Text


def check_names_are_unique(written: Written, door: Door) -> Iterator[str]:
    """Yield each name that is taken, each title that its tab has already, and each tile that shows the same again."""
    dashboard = written.dashboard
    yield from _find_twice(written, "filter", ((each.name, each.place) for each in dashboard.filters))
    yield from _find_twice(written, "tab", ((each.name, each.place) for each in dashboard.tabs))
    yield from _find_twice(written, "tile", ((each.name, each.place) for each in dashboard.tiles))
    for tab in dashboard.tabs:
        titles = ((tile.title, tile.place) for tile in tab.tiles)
        yield from _find_twice(written, "title", titles, "title")
        seen: dict[object, str] = {}
        for tile in tab.tiles:
            if isinstance(tile.content, Text):
                continue
            first = seen.setdefault(tile.content, tile.name)
            if first != tile.name:
                where = written.lines.locate((*tile.place, tile.kind))
                yield f"{where}: tile '{tile.name}' shows what tile '{first}' shows. Keep one."


def _find_twice(written: Written, kind: str, named: Iterable[tuple[str, Place]], key: str = "name") -> Iterator[str]:
    first: dict[str, Place] = {}
    for name, place in named:
        if first.setdefault(name, place) != place:
            line = written.lines.locate((*first[name], key)).rpartition(":")[2]
            where = written.lines.locate((*place, key))
            yield f"{where}: the {kind} '{name}' is taken, in line {line}. Use another one."
