"""Answers as text: an aligned table for people, CSV, JSON and Arrow for programs."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gnomon.engine import BuildRecord, Provenance, Result
from gnomon.semantic.units import NO_VALUE, format_value

if TYPE_CHECKING:
    import pyarrow as pa

    from gnomon.measurement import Interval


def render_table(result: Result) -> str:
    """Return the rows aligned, each metric formatted by its unit."""
    columns = []
    metrics = {str(metric.name): metric for metric in result.metrics}
    for name in result.table.column_names:
        metric = metrics.get(name)
        values = _plain_column(result.table.column(name))
        unit = metric.documentation.unit if metric else None
        columns.append((name, [format_value(value, unit) for value in values], metric is not None))
        if name in result.intervals:
            columns.append(("95 % interval", [_format_interval(i, unit) for i in result.intervals[name]], False))
    return align(columns)


def align(columns: Sequence[tuple[str, Sequence[str], bool]]) -> str:
    """Return columns of (title, texts, right-aligned?) as lines under their titles."""
    widths = [max(len(text) for text in (title, *texts)) for title, texts, _ in columns]
    rows = [[title for title, _, _ in columns], ["-" * width for width in widths]]
    rows += [list(row) for row in zip(*(texts for _, texts, _ in columns), strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, columns, strict=True)
        lines.append("  ".join(t.rjust(w) if column[2] else t.ljust(w) for t, w, column in cells).rstrip())
    return "\n".join(lines)


def render_csv(result: Result) -> str:
    """Return the rows as CSV with raw numbers; a null is an empty field."""
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(result.table.column_names)
    writer.writerows(zip(*map(_plain_column, result.table.columns), strict=True))
    return buffer.getvalue().removesuffix("\n")


def render_json(result: Result) -> str:
    """Return rows with raw numbers, and their provenance."""
    return json.dumps(describe_answer(result), indent=2, allow_nan=False, default=write_number_or_text)


def describe_answer(result: Result) -> dict[str, Any]:
    """Return rows with raw numbers, their intervals and units, and where they come from."""
    return {
        "columns": result.table.column_names,
        "rows": [
            dict(zip(result.table.column_names, row, strict=True))
            for row in zip(*map(_plain_column, result.table.columns), strict=True)
        ],
        "intervals": {
            metric: [[each.low, each.high] if each else None for each in column]
            for metric, column in result.intervals.items()
        },
        "units": {metric: column.to_pylist() for metric, column in result.units.items()},
        "provenance": _provenance(result.provenance),
    }


def render_arrow(result: Result) -> bytes:
    """Return the rows as an Arrow IPC stream."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, result.table.schema) as writer:
        writer.write_table(result.table)
    return bytes(sink.getvalue())


def render_words(provenance: Provenance, waiting: BuildRecord | None = None) -> str:
    """Return what a reader must know beside the numbers, a line each; `waiting` is a newer build, not published yet."""
    lines = [f"no value: {metric}: {reason}" for metric, reason in provenance.nulls.items()]
    lines += [f"note: {note}" for note in provenance.notes]
    origin = f"definitions {provenance.definition_version}"
    if provenance.data_version is not None:
        kind = "build" if provenance.generation is None else "generation"
        origin += f", data {provenance.raw_set_id} as of {provenance.as_of} UTC, {kind} {provenance.data_version}"
    if waiting is not None:
        origin += f"; build {waiting.run_id} as of {waiting.as_of} UTC is newer and waits for `gnomon publish`"
    lines.append(f"answer from {origin}")
    return "\n".join(lines)


def _provenance(provenance: Provenance) -> dict[str, Any]:
    return {
        "definition_version": provenance.definition_version,
        "data_version": provenance.data_version,
        "generation": provenance.generation,
        "rollups": list(provenance.rollups),
        "raw_set_id": provenance.raw_set_id,
        "as_of": provenance.as_of.isoformat(sep=" ") if provenance.as_of else None,
        "nulls": dict(provenance.nulls),
        "notes": list(provenance.notes),
        "suppressed": asdict(provenance.suppressed) if provenance.suppressed else None,
    }


def _plain_column(column: pa.ChunkedArray) -> list[Any]:
    """Return values that are written as they are; dates alike in all of a column, no NaN."""
    values = column.to_pylist()
    moments = [value for value in values if isinstance(value, datetime)]
    are_days = all(value.time() == time.min for value in moments)
    return [_plain(value, are_days) for value in values]


def _plain(value: Any, are_days: bool) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if are_days else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_number_or_text(value: object) -> float | str:
    """JSON has no decimals and no times of day: the nearest number, else the text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _format_interval(interval: Interval | None, unit: str | None) -> str:
    if interval is None:
        return NO_VALUE
    return f"{format_value(interval.low, unit)} to {format_value(interval.high, unit)}"
