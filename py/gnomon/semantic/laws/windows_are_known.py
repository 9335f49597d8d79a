"""A semi-additive measure's window is a time dimension and entities of its own model."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.core.errors import explain_unknown
from gnomon.semantic.model import DimensionKind, Manifest


def check_windows_are_known(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each name in non_additive_dimension that the model does not have."""
    for model in manifest.models.values():
        times = [d.name for d in model.dimensions.values() if d.kind is DimensionKind.TIME]
        for measure in model.measures.values():
            rule = measure.non_additive
            if rule is None:
                continue
            place = f"semantic model '{model.name}', measure '{measure.name}': non_additive_dimension"
            if rule.dimension not in times:
                yield f"{place}: {explain_unknown('time dimension', rule.dimension, times)}"
            for entity in rule.groupings:
                if entity not in model.entities:
                    yield f"{place}: {explain_unknown('entity', entity, model.entities)}"
