"""What shares an axis has one unit: lines of one chart, steps of a funnel (counts) and its rates."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import join_names
from gnomon.core.yaml_lines import Place
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import list_metric_mentions
from gnomon.dashboards.loading import Written
from gnomon.dashboards.model import Funnel, Line, Tile


def check_axes_have_one_unit(written: Written, door: Door) -> Iterator[str]:
    """Yield each tile that puts metrics of several units on one axis."""
    for tile in written.dashboard.tiles:
        if not isinstance(tile.content, (Line, Funnel)):
            continue
        wanted = {"steps": "count", "rates": "rate"}
        units: dict[str, set[str]] = {}
        for name, place in list_metric_mentions(tile):
            metric = door.manifest.metrics.get(name)
            if metric is None:
                continue
            key, unit = str(place[-2]), metric.documentation.unit
            units.setdefault(key, set()).add(unit)
            if wanted.get(key, unit) != unit:
                where = written.lines.locate(place)
                yield f"{where}: '{name}' is no {wanted[key]}, its unit is '{unit}'. Name one that is."
        if len(units.get("metrics", ())) > 1:
            yield _explain(written, tile, units["metrics"])


def _explain(written: Written, tile: Tile, units: set[str]) -> str:
    place: Place = (*tile.place, tile.kind, "metrics")
    return (
        f"{written.lines.locate(place)}: tile '{tile.name}' puts metrics of units {join_names(sorted(units), 'and')} "
        "on one axis. Make a tile of each unit."
    )
