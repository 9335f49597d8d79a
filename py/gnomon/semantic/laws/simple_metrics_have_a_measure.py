"""A simple metric names the measure that it is."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.semantic.model import Manifest, MetricKind


def check_simple_metrics_have_a_measure(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each simple metric without a measure, as dbt's newest form writes them."""
    for metric in manifest.metrics.values():
        if metric.kind is MetricKind.SIMPLE and metric.measure is None:
            yield (
                f"metric '{metric.name}' names no measure. Write `type_params: {{measure: …}}`; "
                "metric_aggregation_params is not read yet."
            )
