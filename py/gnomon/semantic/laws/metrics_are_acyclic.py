"""No metric is made of itself, however far down."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.names import MetricName
from gnomon.semantic.model import Manifest


def check_metrics_are_acyclic(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each metric that can be reached from itself."""
    for name in manifest.metrics:
        if name in _reach(manifest, name):
            yield f"metric '{name}' is made of itself; one of its inputs leads back to it."


def _reach(manifest: Manifest, start: MetricName) -> set[MetricName]:
    reached: set[MetricName] = set()
    open_names = [used.name for used in manifest.metrics[start].inputs]
    while open_names:
        name = open_names.pop()
        if name in reached or name not in manifest.metrics:
            continue
        reached.add(name)
        open_names.extend(used.name for used in manifest.metrics[name].inputs)
    return reached
