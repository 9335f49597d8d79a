"""An interval from replicates says how many groups the sample is dealt out to."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.semantic.model import Manifest


def check_replicates_are_counted(manifest: Manifest) -> Iterator[str]:
    """Yield a fault for each metric that names a replicate group without two groups and units."""
    for metric in manifest.metrics.values():
        documentation = metric.documentation
        if documentation.replicate_group is None:
            continue
        if documentation.replicates < 2:
            yield f"metric '{metric.name}': config.meta.interval: say `replicates`, the number of groups, 2 or more."
        if documentation.units is None:
            yield f"metric '{metric.name}': config.meta.interval: say `units`, the metric that counts the sample."
