"""A DuckDB file, attached read-only under the name that a manifest gives its database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gnomon.core.errors import DefinitionError, GnomonError, QueryError, WarehouseError
from gnomon.warehouse.interruption import Interruption

if TYPE_CHECKING:
    import pyarrow as pa

_STREAMED_ROWS = 16_384


class Warehouse:
    """One in-memory DuckDB with one file attached read-only; a cursor per query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def attach(cls, path: Path, database: str, memory_limit: str | None = None) -> Warehouse:
        """Attach the file at `path` as `database`; WarehouseError says why it cannot be read.

        `memory_limit` is DuckDB's, such as 8GB; without one it takes most of the machine's.
        """
        if not path.is_file():
            raise WarehouseError(f"{path}: no such DuckDB file. `dbt build` makes it; GNOMON_DATABASE names it.")
        limits = {} if memory_limit is None else {"memory_limit": memory_limit}
        connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, **limits})
        try:
            connection.execute(_attach_statement(path, database))
            # After this nothing but the attached file can be read, whatever the SQL says.
            connection.execute("SET enable_external_access = false")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            connection.close()
            raise WarehouseError(explain_attach(path, error)) from None
        return cls(connection, path)

    def query(self, sql: str, interruption: Interruption | None = None, given: Mapping[str, pa.Table] = {}) -> pa.Table:
        """Return the rows of one SELECT as an Arrow table; sums of whole numbers as int64 where they fit.

        `given` are tables from elsewhere that it may read by these names. StoppedError if the interruption stops it.
        """
        try:
            cursor = self._connection.cursor()
            try:
                _check_statement(cursor, sql)
                for name, table in given.items():
                    cursor.register(name, table)
                with (interruption or Interruption()).covers(cursor):
                    return narrow_whole_numbers(cursor.execute(sql).to_arrow_table())
            finally:
                cursor.close()
        except duckdb.Error as error:
            raise _translate(self.path, error) from None

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one SELECT, a batch in memory at a time."""
        try:
            cursor = self._connection.cursor()
            try:
                _check_statement(cursor, sql)
                yield from cursor.execute(sql).to_arrow_reader(_STREAMED_ROWS)
            finally:
                cursor.close()
        except duckdb.Error as error:
            raise _translate(self.path, error) from None

    def date_columns(self) -> frozenset[tuple[str, str]]:
        """Return the columns of type DATE, as relation in quotes and name in lower case."""
        found = self._connection.execute(
            "select database_name, schema_name, table_name, lower(column_name) from duckdb_columns() "
            "where data_type = 'DATE' and not internal"
        ).fetchall()
        return frozenset((".".join(f'"{part}"' for part in relation), column) for *relation, column in found)

    def column_types(self) -> dict[tuple[str, str], str]:
        """Return DuckDB's type of each column, by relation in quotes and name in lower case."""
        found = self._connection.execute(
            "select database_name, schema_name, table_name, lower(column_name), data_type from duckdb_columns() "
            "where not internal"
        ).fetchall()
        return {(".".join(f'"{part}"' for part in relation), column): kind for *relation, column, kind in found}

    def open_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor for one query; who opens it closes it."""
        return self._connection.cursor()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _attach_statement(path: Path, database: str) -> str:
    file = exp.alias_(exp.Literal.string(str(path)), database, quoted=True)
    return exp.Attach(this=file, expressions=[exp.AttachOption(this=exp.var("READ_ONLY"))]).sql(dialect="duckdb")


def _check_statement(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Let through one SELECT and nothing else, whoever wrote the SQL."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("only one SELECT can be asked; nothing was run.")


def narrow_whole_numbers(table: pa.Table) -> pa.Table:
    """Turn DuckDB's 128-bit whole numbers into int64 where all of a column fit; else they stay as they are."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_decimal128(field.type) and field.type.precision == 38 and field.type.scale == 0:
            with suppress(pa.ArrowInvalid):
                table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
    return table


def _translate(path: Path, error: duckdb.Error) -> GnomonError:
    """Return the error of whoever can mend it: the definitions' author, the caller, or what is outside."""
    text = _first_line(error)
    if isinstance(error, duckdb.CatalogException) and "Table" in text:
        return WarehouseError(f"{path}: {text} `dbt build` makes what is missing.")
    if isinstance(error, duckdb.BinderException) and ("does not have a column" in text or "not found in FROM" in text):
        return DefinitionError(f"a definition names a column that its table does not have: {text}")
    if isinstance(error, (duckdb.ConversionException, duckdb.BinderException, duckdb.OutOfRangeException)):
        return QueryError(f"the question does not fit the data: {text}")
    return WarehouseError(f"{path}: {text}")


def explain_attach(path: Path, error: duckdb.Error) -> str:
    """Return why a file cannot be attached, and what to do."""
    if "lock" in str(error).lower():
        return f"{path}: a build is writing to it. Ask again when the build has ended."
    return f"{path}: not a DuckDB file that can be read ({_first_line(error)}). `dbt build` makes it anew."


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
