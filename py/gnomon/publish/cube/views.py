"""Views: what may be asked together. Each has metrics of one domain and table, by one time, and what its rows reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gnomon.core.names import MetricName
from gnomon.publish.cube.model import View
from gnomon.publish.cube.root import Root
from gnomon.publish.cube.sql import escape
from gnomon.publish.planned import Planned

METRIC_TIME = "metric_time"


@dataclass(frozen=True)
class Shown:
    """A view with the table that it is of, and its metrics."""

    view: View
    root: Root
    metrics: tuple[Planned, ...]


def build_views(
    root: Root, metrics: Sequence[Planned], domains: Mapping[MetricName, str], rows: str
) -> Iterator[Shown]:
    """Yield the views of a table's metrics, by name; `rows` is what its rows are called."""
    found: dict[tuple[str, str], list[Planned]] = {}
    for planned in metrics:
        found.setdefault((domains[planned.metric.name], planned.time), []).append(planned)
    for (domain, _), shown in sorted(found.items()):
        yield Shown(_build_view(root, domain, shown, rows), root, tuple(shown))


def _build_view(root: Root, domain: str, metrics: Sequence[Planned], rows: str) -> View:
    model, time = root.model, metrics[0].time
    called = f"{domain}__{rows}"
    if len({measure.time_dimension for measure in model.measures.values()}) > 1:
        called += f"__by_{time}"
    members: dict[str, tuple[tuple[str, str], ...]] = {}
    for alias, cube in root.cubes.items():
        names = [(name, name) for name in root.attributes(alias)]
        if cube is root.own:
            asked = [(str(each.metric.name), str(each.metric.name)) for each in metrics]
            names = [*asked, (root.add_time(time), METRIC_TIME), *names, *((name, name) for name in cube.segments)]
        if names:
            members[root.paths[alias]] = tuple(names)
    return View(
        name=called,
        title=called.replace("__", " ").replace("_", " ").capitalize(),
        description=escape(f"{model.description.strip()} {METRIC_TIME} is {time}.".strip()),
        domain=domain,
        members=members,
    )
