"""Words of `gnomon sql`: what a query costs, and its rows for people."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from gnomon.serve.rendering import align

if TYPE_CHECKING:
    import pyarrow as pa

    from gnomon.warehouse import Estimate


def render_cost(estimate: Estimate) -> str:
    """Return what a query is estimated to cost, a line."""
    reads = ", ".join(f"{table} {rows:,}" for table, rows in estimate.scans) or "no table"
    return (
        f"cost: reads at most {estimate.scan_rows:,} rows ({reads}); "
        f"widest step about {estimate.widest_step_rows:,} rows"
    )


def render_rows(table: pa.Table) -> str:
    """Return rows aligned, numbers to the right; no unit is known of a column of hand-written SQL."""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.to_pylist()
        columns.append((name, [_format(value) for value in values], any(map(_is_number, values))))
    return align(columns)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _format(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float) and math.isfinite(value):
        # Four places, or four digits where places would show nothing but noughts.
        return f"{value:.4f}" if abs(value) >= 1 or value == 0 else f"{value:.4g}"
    return str(value)
