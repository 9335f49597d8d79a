"""What stands behind the values of an answer: units, and intervals of estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gnomon.measurement import Interval, bound_difference, bound_proportion
from gnomon.planner import REPLICATES_PREFIX, UNITS_PREFIX, VARIANCE_PREFIX, Plan

if TYPE_CHECKING:
    import pyarrow as pa


def take_units(rows: pa.Table) -> Mapping[str, pa.ChunkedArray]:
    """Return the unit counts that follow the asked columns, by the counting metric's name."""
    return {
        name.removeprefix(UNITS_PREFIX): rows.column(name)
        for name in rows.column_names
        if name.startswith(UNITS_PREFIX)
    }


def bound_estimates(rows: pa.Table, chosen: Plan) -> dict[str, tuple[Interval | None, ...]]:
    """Return the interval of each value that is an estimate, row by row; None where there is none."""
    intervals: dict[str, tuple[Interval | None, ...]] = {}
    for metric in chosen.metrics:
        if VARIANCE_PREFIX + metric.name not in rows.column_names:
            continue
        bound = bound_proportion if metric.name in chosen.proportions else bound_difference
        behind = zip(
            rows.column(metric.name).to_pylist(),
            rows.column(VARIANCE_PREFIX + metric.name).to_pylist(),
            rows.column(REPLICATES_PREFIX + metric.name).to_pylist(),
            strict=True,
        )
        intervals[metric.name] = tuple(
            None if value is None else bound(value, variance, int(present or 0)) for value, variance, present in behind
        )
    return intervals
