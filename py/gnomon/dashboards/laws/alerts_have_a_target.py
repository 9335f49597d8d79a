"""An alert is of one metric over time that has a target, and a side of it that is worse."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import is_one_series
from gnomon.dashboards.loading import Written


def check_alerts_have_a_target(written: Written, door: Door) -> Iterator[str]:
    """Yield each alert that nothing could set off."""
    for tile in written.dashboard.tiles:
        if tile.alert is None:
            continue
        where = written.lines.locate((*tile.place, "alert"))
        if not is_one_series(tile):
            yield f"{where}: an alert is of a line or an area of one metric without 'by'; '{tile.name}' is none."
            continue
        metric = door.manifest.metrics.get(tile.metrics[0])
        if metric is not None and (metric.documentation.target is None or metric.documentation.direction is None):
            yield (
                f"{where}: metric '{metric.name}' has no target, or no direction that is better, so nothing sets the "
                "alert off. Write config.meta.target and direction with the metric, or take the alert out."
            )
