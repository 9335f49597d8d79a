"""A DuckDB file, attached read-only under the name that a manifest gives its database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gnomon.core.errors import QueryError, WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa


class Warehouse:
    """One in-memory DuckDB with one file attached read-only; a cursor per query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def attach(cls, path: Path, database: str) -> Warehouse:
        """Attach the file at `path` as `database`; WarehouseError says why it cannot be read."""
        if not path.is_file():
            raise WarehouseError(f"{path}: no such DuckDB file. `dbt build` makes it; GNOMON_DATABASE names it.")
        connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
        try:
            connection.execute(_attach_statement(path, database))
            # After this nothing but the attached file can be read, whatever the SQL says.
            connection.execute("SET enable_external_access = false")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            connection.close()
            raise WarehouseError(_explain_attach(path, error)) from None
        return cls(connection, path)

    def query(self, sql: str) -> pa.Table:
        """Return the rows of `sql` as an Arrow table; whole numbers wider than 64 bits are refused."""
        cursor = self._connection.cursor()
        try:
            return _narrow(cursor.execute(sql).to_arrow_table())
        except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
            # The tables are right and the SQL is ours: a value of the question has the wrong type.
            raise QueryError(f"the question does not fit the data: {_first_line(error)}") from None
        except duckdb.Error as error:
            raise WarehouseError(f"{self.path}: {_first_line(error)} `dbt build` makes what is missing.") from None
        finally:
            cursor.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _attach_statement(path: Path, database: str) -> str:
    file = exp.alias_(exp.Literal.string(str(path)), database, quoted=True)
    return exp.Attach(this=file, expressions=[exp.AttachOption(this=exp.var("READ_ONLY"))]).sql(dialect="duckdb")


def _narrow(table: pa.Table) -> pa.Table:
    """Turn DuckDB's 128-bit sums of whole numbers into int64; an overflow is an error, never a wrap."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_decimal128(field.type) and field.type.precision == 38 and field.type.scale == 0:
            try:
                column = table.column(place).cast(pa.int64())
            except pa.ArrowInvalid:
                raise WarehouseError(f"column '{field.name}': a sum does not fit 64 bits.") from None
            table = table.set_column(place, field.name, column)
    return table


def _explain_attach(path: Path, error: duckdb.Error) -> str:
    if "lock" in str(error).lower():
        return f"{path}: a build is writing to it. Ask again when the build has ended."
    return f"{path}: not a DuckDB file that can be read ({_first_line(error)}). `dbt build` makes it anew."


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
