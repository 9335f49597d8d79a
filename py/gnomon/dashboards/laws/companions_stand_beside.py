"""A metric that misleads alone stands on one tab with those that it is read beside."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import join_names
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import list_metric_mentions
from gnomon.dashboards.loading import Written


def check_companions_stand_beside(written: Written, door: Door) -> Iterator[str]:
    """Yield each metric whose companions (`always_with`) are not all on its tab, once a tab."""
    for tab in written.dashboard.tabs:
        shown = {metric for tile in tab.tiles for metric in tile.metrics}
        told = set()
        for tile in tab.tiles:
            for name, place in list_metric_mentions(tile):
                metric = door.manifest.metrics.get(name)
                missing = [each for each in metric.documentation.always_with if each not in shown] if metric else []
                if missing and name not in told:
                    told.add(name)
                    yield (
                        f"{written.lines.locate(place)}: metric '{name}' is read beside {join_names(missing, 'and')}, "
                        f"never alone. Show {'it' if len(missing) == 1 else 'them'} on tab '{tab.name}', too."
                    )
