"""A metric over rows names the measure that it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.semantic.model import Manifest, MetricKind


def check_simple_metrics_have_a_measure(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each metric over rows that does not say which measure it is made of."""
    for metric in manifest.metrics.values():
        if metric.kind not in (MetricKind.RATIO, MetricKind.DERIVED) and metric.measure is None:
            yield f"metric '{metric.name}' names no measure. Write `type_params: {{measure: …}}`."
