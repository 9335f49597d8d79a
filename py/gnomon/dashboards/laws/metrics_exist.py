"""Every metric that a dashboard names is one."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import list_metric_mentions
from gnomon.dashboards.loading import Written


def check_metrics_exist(written: Written, door: Door) -> Iterator[str]:
    """Yield each name that no metric has."""
    for tile in written.dashboard.tiles:
        for name, place in list_metric_mentions(tile):
            if name not in door.manifest.metrics:
                yield f"{written.lines.locate(place)}: {explain_unknown('metric', name, door.manifest.metrics)}"
