"""What is official shows certified metrics only."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import list_metric_mentions
from gnomon.dashboards.loading import Written


def check_official_metrics_are_certified(written: Written, door: Door) -> Iterator[str]:
    """Yield each metric of an official dashboard that is not certified."""
    if not written.dashboard.is_official:
        return
    for tile in written.dashboard.tiles:
        for name, place in list_metric_mentions(tile):
            metric = door.manifest.metrics.get(name)
            if metric is not None and metric.documentation.certification != "certified":
                is_ = metric.documentation.certification or "not certified"
                yield (
                    f"{written.lines.locate(place)}: '{written.dashboard.name}' is official, and metric '{name}' is "
                    f"{is_}. Certify it (config.meta.certification), leave it out, or write official: false."
                )
