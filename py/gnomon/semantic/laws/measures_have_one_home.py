"""A measure's name belongs to one semantic model only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gnomon.core.errors import join_names
from gnomon.core.names import MeasureName, ModelName
from gnomon.semantic.model import Manifest


def check_measures_have_one_home(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each measure that two semantic models define."""
    homes: defaultdict[MeasureName, list[ModelName]] = defaultdict(list)
    for model in manifest.models.values():
        for measure in model.measures:
            homes[measure].append(model.name)
    for measure, models in homes.items():
        if len(models) > 1:
            yield f"measure '{measure}' is defined by {join_names(models, 'and')}; rename all but one."
