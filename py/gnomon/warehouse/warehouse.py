"""A DuckDB file, attached read-only under the name that a manifest gives its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gnomon.core.errors import DefinitionError, GnomonError, QueryError, WarehouseError
from gnomon.warehouse.interruption import Interruption

if TYPE_CHECKING:
    import pyarrow as pa

_STREAMED_ROWS = 16_384
# Steps of DuckDB's optimizer (1.5.6) that fall over some queries with an error of their own (docs/adr/0013).
FALL_OVER = ("compressed_materialization", "top_n_window_elimination")


class Warehouse:
    """One in-memory DuckDB with one file attached read-only; a cursor per query.

    A query that DuckDB's optimizer falls over is run by a second one, without the steps that do; it is opened for the
    first such query by `open_plain`, if that is given.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        open_plain: Callable[[], duckdb.DuckDBPyConnection] | None = None,
    ) -> None:
        self._connection = connection
        self.path = path
        self._open_plain = open_plain
        self._plain: duckdb.DuckDBPyConnection | None = None
        self._lock = Lock()

    @classmethod
    def attach(cls, path: Path, database: str, memory_limit: str | None = None) -> Warehouse:
        """Attach the file at `path` as `database`; WarehouseError says why it cannot be read.

        `memory_limit` is DuckDB's, such as 8GB; without one it takes most of the machine's.
        """
        if not path.is_file():
            raise WarehouseError(f"{path}: no such DuckDB file. `dbt build` makes it; GNOMON_DATABASE names it.")
        open_file = partial(_open, path, database, memory_limit)
        return cls(open_file(), path, partial(open_file, without=FALL_OVER))

    def query(self, sql: str, interruption: Interruption | None = None, given: Mapping[str, pa.Table] = {}) -> pa.Table:
        """Return the rows of one SELECT as an Arrow table; sums of whole numbers as int64 where they fit.

        `given` are tables from elsewhere that it may read by these names. StoppedError if the interruption stops it.
        """
        with self._run(sql, interruption or Interruption(), given) as cursor:
            return narrow_whole_numbers(cursor.to_arrow_table())

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one SELECT, a batch in memory at a time."""
        with self._run(sql, Interruption(), {}) as cursor:
            yield from cursor.to_arrow_reader(_STREAMED_ROWS)

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
        with self._lock:
            self._connection.close()
            self._open_plain = None
            if self._plain is not None:
                self._plain.close()

    @contextmanager
    def _run(
        self, sql: str, interruption: Interruption, given: Mapping[str, pa.Table]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor that has begun to run one SELECT, whose rows are read in this block."""
        with ExitStack() as opened:
            try:
                try:
                    cursor = opened.enter_context(_begin(self._connection, sql, interruption, given))
                except duckdb.InternalException as error:
                    # It is raised while the query is planned, so no row of it has been read.
                    cursor = opened.enter_context(_begin(self._find_plain(error), sql, interruption, given))
                yield cursor
            except duckdb.Error as error:
                raise _translate(self.path, error) from None

    def _find_plain(self, error: duckdb.InternalException) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._plain is None:
                if self._open_plain is None:
                    raise error
                self._plain = self._open_plain()
            return self._plain


@contextmanager
def _begin(
    connection: duckdb.DuckDBPyConnection, sql: str, interruption: Interruption, given: Mapping[str, pa.Table]
) -> Iterator[duckdb.DuckDBPyConnection]:
    cursor = connection.cursor()
    try:
        _check_statement(cursor, sql)
        for name, table in given.items():
            cursor.register(name, table)
        with interruption.covers(cursor):
            yield cursor.execute(sql)
    finally:
        cursor.close()


def _open(
    path: Path, database: str, memory_limit: str | None, without: tuple[str, ...] = ()
) -> duckdb.DuckDBPyConnection:
    limits = {} if memory_limit is None else {"memory_limit": memory_limit}
    steps = {"disabled_optimizers": ",".join(without)} if without else {}
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, **limits, **steps})
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
    return connection


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
