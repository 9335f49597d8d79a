"""Running a judged selection: explained first, then read within a number of rows and seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.warehouse.guard import DATABASE, SCHEMA, Selection
from gnomon.warehouse.warehouse import Warehouse, narrow_whole_numbers

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 2048
_INTERRUPT_AGAIN_SECONDS = 0.05
_USE = exp.Use(this=exp.table_(SCHEMA, db=DATABASE, quoted=True)).sql(dialect="duckdb")
_COUNTS = "select table_name, estimated_size from duckdb_tables() where database_name = ? and schema_name = ?"


def count_rows(warehouse: Warehouse) -> dict[str, int]:
    """Return how many rows each table of the schema has; views are not among them."""
    cursor = warehouse.open_cursor()
    try:
        return dict(cursor.execute(_COUNTS, [DATABASE, SCHEMA]).fetchall())
    finally:
        cursor.close()


def explain(warehouse: Warehouse, selection: Selection) -> str:
    """Return DuckDB's plan of a selection as JSON, without running it; QueryError if it does not bind."""
    with _open(warehouse) as cursor:
        # A constant before a text that was judged to be one SELECT; there is no other way to ask.
        row = cursor.execute(f"explain (format json) {selection.sql}").fetchone()
    assert row is not None
    return str(row[1])


def select(warehouse: Warehouse, selection: Selection, max_rows: int, seconds: float) -> pa.Table:
    """Return the rows of a selection, all of them; QueryError past `max_rows` or `seconds`."""
    import pyarrow as pa

    with _open(warehouse) as cursor, _interrupt_after(cursor, seconds):
        reader = cursor.execute(selection.sql).to_arrow_reader(_BATCH_ROWS)
        batches, count = [], 0
        for batch in reader:
            batches.append(batch)
            count += batch.num_rows
            if count > max_rows:
                raise QueryError(
                    f"the answer has at least {count:,} rows and --max-rows allows {max_rows:,}. Nothing was "
                    "written, since a part would pass for the whole. Aggregate, write a LIMIT, or raise --max-rows."
                )
        return narrow_whole_numbers(pa.Table.from_batches(batches, schema=reader.schema))


@contextmanager
def _open(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a cursor on which plain names are the file's tables; errors become the caller's."""
    cursor = warehouse.open_cursor()
    try:
        cursor.execute(_USE)
        yield cursor
    except duckdb.InterruptException:
        raise QueryError(
            "the query ran longer than --timeout allows and was interrupted. Read fewer days or tables, or raise it."
        ) from None
    except duckdb.OutOfMemoryException as error:
        raise QueryError(f"the query needs more memory than there is: {_until_excerpt(error)}") from None
    except duckdb.Error as error:
        raise QueryError(f"DuckDB refuses the query: {_until_excerpt(error)}") from None
    finally:
        cursor.close()


@contextmanager
def _interrupt_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what runs on `cursor` within this block once `seconds` have passed."""
    has_ended = threading.Event()

    def watch() -> None:
        wait = seconds
        # Again and again, since an interruption between two steps of a query is forgotten.
        while not has_ended.wait(wait):
            cursor.interrupt()
            wait = _INTERRUPT_AGAIN_SECONDS

    watcher = threading.Thread(target=watch, name="gnomon-timeout", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        has_ended.set()
        # Joined before the cursor closes: a closed one cannot be interrupted.
        watcher.join()


def _until_excerpt(error: Exception) -> str:
    """Return DuckDB's words up to its excerpt of the SQL; the names that it suggests stand before that."""
    return " ".join(str(error).split("\n\nLINE ", 1)[0].split())
