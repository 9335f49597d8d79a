"""Every measure says which time it is counted at, and that time is its model's."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown
from gnomon.semantic.model import DimensionKind, Manifest


def check_measures_have_time(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each measure whose agg_time_dimension is no time dimension of its model."""
    for model in manifest.models.values():
        times = [d.name for d in model.dimensions.values() if d.kind is DimensionKind.TIME and d.grain is not None]
        for measure in model.measures.values():
            if measure.time_dimension not in times:
                unknown = explain_unknown("time dimension", measure.time_dimension, times)
                yield f"semantic model '{model.name}', measure '{measure.name}': agg_time_dimension: {unknown}"
