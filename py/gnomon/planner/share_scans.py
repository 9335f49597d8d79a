"""Pass 5: values from the same rows are taken in one scan."""

from __future__ import annotations

from gnomon.planner.draft import Replicated, Shared, Source, Value


def share_scans(replicated: Replicated) -> Shared:
    """Return each source once with all its values, in the order of first use."""
    joined = replicated.joined
    scans: dict[Source, list[Value]] = {}
    for source, value in joined.values:
        scans.setdefault(source, []).append(value)
    return Shared(
        expanded=joined.expanded,
        scans=tuple((source, tuple(values)) for source, values in scans.items()),
        variances=replicated.variances,
    )
