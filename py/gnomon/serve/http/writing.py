"""Answers as bytes: JSON, CSV, or an Arrow stream that carries its provenance in the schema."""

from __future__ import annotations

import json
from typing import Any

from gnomon.engine import Result
from gnomon.serve.rendering import describe_answer, render_csv, write_number_or_text

MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream"}
# The key of the Arrow schema's metadata under which stands what JSON has beside the rows.
METADATA_KEY = b"gnomon"


def write_answer(result: Result, form: str, first: int, count: int | None, next_cursor: str | None) -> bytes:
    """Return `count` rows from the row `first` on, all of them without a count."""
    page = slice_answer(result, first, count)
    if form == "csv":
        return (render_csv(page) + "\n").encode()
    told = describe_answer(page) | {"next_cursor": next_cursor}
    told["provenance"] |= {"is_exact": True}
    if form == "json":
        return _dump(told)
    del told["rows"]
    return _write_arrow(page, told)


def slice_answer(result: Result, first: int, count: int | None) -> Result:
    """Return the same answer with these rows only."""
    if first == 0 and count is None:
        return result
    last = result.table.num_rows if count is None else first + count
    return Result(
        table=result.table.slice(first, last - first),
        sql=result.sql,
        provenance=result.provenance,
        units={name: column.slice(first, last - first) for name, column in result.units.items()},
        intervals={name: column[first:last] for name, column in result.intervals.items()},
        metrics=result.metrics,
    )


def _dump(told: dict[str, Any]) -> bytes:
    return json.dumps(told, allow_nan=False, default=write_number_or_text, ensure_ascii=False).encode()


def _write_arrow(page: Result, told: dict[str, Any]) -> bytes:
    import pyarrow as pa

    table = page.table.replace_schema_metadata({METADATA_KEY: _dump(told)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
