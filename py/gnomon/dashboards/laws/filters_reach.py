"""A filter reaches each tile, or the tile says that it does not; nothing is left unfiltered in silence."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown, join_names
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.groups_are_reached import explain_unreached
from gnomon.dashboards.loading import Written
from gnomon.dashboards.model import Filter, Tile
from gnomon.dashboards.questions import find_reach


def check_filters_reach(written: Written, door: Door) -> Iterator[str]:
    """Yield tiles that a filter does not reach unsaid, filters that reach nothing, and names that are not there."""
    known = {each for metric in door.manifest.metrics for each in door.dimensions_of(metric)}
    # What a filter with a wrong name would reach is not known.
    filters = [each for each in written.dashboard.filters if known.issuperset(each.dimensions)]
    yield from _check_names(written, door, known)
    tiles = [
        tile
        for tile in written.dashboard.tiles
        if tile.metrics and all(name in door.manifest.metrics for name in tile.metrics)
    ]
    for each in filters:
        if all(find_reach(door, tile, each) is None for tile in tiles):
            yield f"{written.lines.locate(each.place)}: filter '{each.name}' reaches no tile. Take it out."
            continue
        for tile in tiles:
            if each.name not in tile.not_filtered_by and find_reach(door, tile, each) is None:
                yield (
                    f"{written.lines.locate(tile.place)}: filter '{each.name}' does not reach tile '{tile.name}': "
                    f"{_explain(door, tile, each)}. Write not_filtered_by: [{each.name}], or give the filter a "
                    "dimension that reaches it."
                )


def _check_names(written: Written, door: Door, known: set[str]) -> Iterator[str]:
    """Yield the filters and dimensions that are not there, or not for the tile that names them."""
    dashboard, locate = written.dashboard, written.lines.locate
    names = [each.name for each in dashboard.filters]
    for each in dashboard.filters:
        for index, dimension in enumerate(each.dimensions):
            if dimension not in known:
                yield f"{locate((*each.place, 'dimensions', index))}: {explain_unknown('dimension', dimension, known)}"
    for tile in dashboard.tiles:
        for index, name in enumerate(tile.not_filtered_by):
            if name not in names:
                yield f"{locate((*tile.place, 'not_filtered_by', index))}: {explain_unknown('filter', name, names)}"
        for name, dimension in tile.filtered_by.items():
            where = locate((*tile.place, "filtered_by", name))
            if name not in names:
                yield f"{where}: {explain_unknown('filter', name, names)}"
            elif name in tile.not_filtered_by:
                yield f"{where}: tile '{tile.name}' is filtered by '{name}' here and not there. Keep one."
            for metric in tile.metrics:
                if metric in door.manifest.metrics and dimension not in (reached := door.dimensions_of(metric)):
                    yield f"{where}: {explain_unreached(door, metric, dimension, reached)}"
                    break


def _explain(door: Door, tile: Tile, each: Filter) -> str:
    lacking = next((name for name in tile.metrics if not set(each.dimensions) & set(door.dimensions_of(name))), None)
    if lacking:
        return f"its metric '{lacking}' has no dimension {join_names(each.dimensions, 'or')}"
    return f"its metrics have no dimension in common of {join_names(each.dimensions, 'and')}"
