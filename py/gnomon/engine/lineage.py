"""What a metric is made of: metrics, measures, tables and what those are built from, down to the sources."""

from __future__ import annotations

from gnomon.engine.build_record import BuildRecord
from gnomon.semantic.model import Manifest, Metric

_MODEL = "model.gnomon."


def trace(manifest: Manifest, record: BuildRecord | None, metric: Metric) -> dict[str, list[str]]:
    """Return each name with what it is made of directly; what nothing is known of has an empty list.

    Without a build's record the way ends at the tables.
    """
    made: dict[str, list[str]] = {}
    _trace_metric(manifest, metric, made)
    behind = record.parents if record is not None else {}
    waiting = [name for parents in made.values() for name in parents if name not in made]
    while waiting:
        name = waiting.pop()
        if name not in made:
            made[name] = sorted(behind.get(name, ()))
            waiting += made[name]
    return made


def _trace_metric(manifest: Manifest, metric: Metric, made: dict[str, list[str]]) -> None:
    if f"metric.{metric.name}" in made:
        return
    measures = [used.name for used in metric.measures]
    made[f"metric.{metric.name}"] = [
        *(f"metric.{used.name}" for used in metric.inputs),
        *(f"measure.{name}" for name in measures),
    ]
    for name in measures:
        made[f"measure.{name}"] = [_MODEL + manifest.model_of(name).relation.rsplit(".", 1)[-1].strip('"')]
    for used in metric.inputs:
        _trace_metric(manifest, manifest.metrics[used.name], made)
