"""Every dimension that a tile groups by is there, and all of its metrics reach it."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown, suggest_nearest
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws.mentions import list_group_mentions, list_metric_mentions
from gnomon.dashboards.loading import Written


def check_groups_are_reached(written: Written, door: Door) -> Iterator[str]:
    """Yield each dimension that is not there, or that a metric of its tile does not reach."""
    for tile in written.dashboard.tiles:
        for name, place in list_group_mentions(tile):
            for metric, _ in list_metric_mentions(tile):
                if metric not in door.manifest.metrics:
                    continue
                reached = door.dimensions_of(metric)
                if name not in reached:
                    yield f"{written.lines.locate(place)}: {explain_unreached(door, metric, name, reached)}"
                    break


def explain_unreached(door: Door, metric: str, name: str, reached: list[str]) -> str:
    """Return why a metric cannot be grouped or filtered by a name, and what it reaches that is near."""
    known = {each for other in door.manifest.metrics for each in door.dimensions_of(other)}
    if name not in known:
        return explain_unknown("dimension", name, reached or known)
    near = suggest_nearest(name, reached)
    says = f"Near it are {', '.join(repr(each) for each in near)}" if near else "None near it is reached"
    return f"metric '{metric}' does not reach dimension '{name}'. {says}; `gnomon metrics {metric}` lists all."
