"""Every metric is made of measures and metrics that exist."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown
from gnomon.semantic.model import Manifest


def check_inputs_exist(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each measure or metric that a metric uses and nobody defines."""
    for metric in manifest.metrics.values():
        for measure in metric.measures:
            if measure.name not in manifest.measure_models:
                yield f"metric '{metric.name}': {explain_unknown('measure', measure.name, manifest.measure_models)}"
        for used in metric.inputs:
            if used.name not in manifest.metrics:
                yield f"metric '{metric.name}': {explain_unknown('metric', used.name, manifest.metrics)}"
        companions = (metric.documentation.units, *metric.documentation.always_with)
        for name in companions:
            if name is not None and name not in manifest.metrics:
                yield f"metric '{metric.name}': config.meta: {explain_unknown('metric', name, manifest.metrics)}"
