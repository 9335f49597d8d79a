"""Making a generation's DuckDB file: tables copied inside DuckDB, then rollups made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import duckdb
from sqlglot import exp

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.warehouse.guard import DATABASE
from gnomon.warehouse.warehouse import Warehouse, explain_attach

RECORD_SCHEMA = "gnomon_build"
_NEW = "generation"
# What DuckDB allocates a file by, and a value without compression.
BLOCK_BYTES, VALUE_BYTES = 262_144, 16
_STORED = "select schema_name as \"schema\", table_name as name from duckdb_tables() where database_name = 'gnomon'"
_RECORD_TABLES = "select table_name from duckdb_tables() where database_name = ? and schema_name = ? order by 1"
_CREATE_RECEIPT = """
    create table gnomon_build.generation (generation_id varchar not null, published_at timestamp not null);
    create table gnomon_build.rollups (
        rollup_name varchar not null, made_by varchar not null, row_count bigint not null
    );
"""
_RECEIPT = "select generation_id, published_at from gnomon.gnomon_build.generation"
_ROLLUPS = "select rollup_name, made_by, row_count from gnomon.gnomon_build.rollups order by rollup_name"


@dataclass(frozen=True)
class Table:
    """A table of the database, by its schema and name."""

    schema: str
    name: str

    def within(self, database: str) -> exp.Table:
        """Return the table as SQL names it inside a database."""
        return exp.table_(self.name, db=self.schema, catalog=database, quoted=True)


@dataclass(frozen=True)
class MadeRollup:
    """A rollup that a generation holds: the SELECT that made it, and how many rows it has."""

    name: str
    made_by: str
    row_count: int


@dataclass(frozen=True)
class Receipt:
    """What a generation's file says of itself. `published_at` is UTC."""

    generation_id: str
    published_at: datetime
    rollups: tuple[MadeRollup, ...]


class WorkingFile:
    """The working file, held read-only for as long as it is copied, so that no build writes to it meanwhile."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.reader = Warehouse(connection, path)

    @classmethod
    @contextmanager
    def open(cls, path: Path, memory_limit: str) -> Iterator[WorkingFile]:
        """Hold the file for the block; WarehouseError says why it cannot be read."""
        if not path.is_file():
            raise WarehouseError(f"{path}: no such DuckDB file. `dbt build` makes it; GNOMON_DATABASE names it.")
        with _connect(memory_limit) as connection:
            try:
                _attach(connection, path, DATABASE, reads_only=True)
            except duckdb.Error as error:
                raise WarehouseError(explain_attach(path, error)) from None
            yield cls(connection, path)

    def measure(self, table: Table) -> int:
        """Return how many bytes a table takes, at the most: its blocks, or the values that a view shows."""
        blocks = exp.Count(this=exp.Distinct(expressions=[exp.column("block_id")])).as_("blocks")
        if table in self._stored:
            name = exp.Literal.string(table.within(DATABASE).sql(dialect="duckdb"))
            source = exp.Table(this=exp.Anonymous(this="pragma_storage_info", expressions=[name]))
            return BLOCK_BYTES * self._count(exp.select(blocks).from_(source).where(exp.column("block_id").neq(-1)))
        shown = self.reader.query(exp.select("*").from_(table.within(DATABASE)).limit(0).sql(dialect="duckdb"))
        rows = self._count(exp.select(exp.Count(this=exp.Star())).from_(table.within(DATABASE)))
        return rows * len(shown.column_names) * VALUE_BYTES

    def count_groups(self, select: exp.Select, columns: int) -> int:
        """Return about how many rows a SELECT has that groups by its first `columns` columns."""
        keys = [column.unalias().copy() for column in select.expressions[:columns]]
        counted = exp.ApproxDistinct(this=exp.Anonymous(this="hash", expressions=keys))
        joins = [join.copy() for join in select.args.get("joins") or ()]
        return self._count(exp.Select(expressions=[counted], from_=select.args["from_"].copy(), joins=joins))

    @cached_property
    def _stored(self) -> frozenset[Table]:
        return frozenset(Table(**row) for row in self.reader.query(_STORED).to_pylist())

    def _count(self, query: exp.Select) -> int:
        return int(self.reader.query(query.sql(dialect="duckdb")).column(0)[0].as_py())

    @contextmanager
    def copy_into(self, new: Path) -> Iterator[Copying]:
        """Give a new file for tables to be copied into; it is whole on the disk when the block ends."""
        with _explain_writing(new):
            self._connection.execute(exp.Set(expressions=[_set("temp_directory", str(new.parent))]).sql("duckdb"))
            _attach(self._connection, new, _NEW, reads_only=False)
            yield Copying(self._connection)
            # Apart from the detaching, which would not say what went wrong.
            self._connection.execute(f"checkpoint {_NEW}")
            self._connection.execute(exp.Detach(this=exp.to_identifier(_NEW, quoted=True)).sql("duckdb"))


class Copying:
    """Copies tables of the working file, each by one statement of DuckDB's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def copy(self, table: Table) -> int:
        """Copy a table, or what a view shows; return the rows that arrived."""
        rows = exp.select("*").from_(table.within(DATABASE))
        self._connection.execute(_create_table(table.within(_NEW), rows))
        return _read_number(self._connection, exp.select(exp.Count(this=exp.Star())).from_(table.within(_NEW)))

    def copy_record(self) -> None:
        """Copy the build record, all of it."""
        self._connection.execute(_create_schema(RECORD_SCHEMA))
        found = self._connection.execute(_RECORD_TABLES, [DATABASE, RECORD_SCHEMA]).fetchall()
        for (name,) in found:
            self.copy(Table(RECORD_SCHEMA, name))


def make_rollups(
    path: Path, generation_id: str, at: datetime, rollups: Mapping[str, tuple[str, exp.Select]], memory_limit: str
) -> dict[str, int]:
    """Make rollups in a file that has its tables, and write there which they are and what the file is.

    `rollups` are the relation and the SELECT of each, by name; returned are the rows of each. `at` is UTC.
    """
    with _connect(memory_limit) as connection, _explain_writing(path):
        connection.execute(exp.Set(expressions=[_set("temp_directory", str(path.parent))]).sql("duckdb"))
        _attach(connection, path, DATABASE, reads_only=False)
        made = []
        for name, (relation, select) in rollups.items():
            table = exp.to_table(relation, dialect="duckdb")
            connection.execute(_create_table(table, select))
            count = _read_number(connection, exp.select(exp.Count(this=exp.Star())).from_(table.copy()))
            made.append(MadeRollup(name, select.sql(dialect="duckdb"), count))
        connection.execute("use gnomon")
        connection.execute(_CREATE_RECEIPT)
        connection.execute("insert into gnomon_build.generation values (?, ?)", [generation_id, at])
        for rollup in made:
            connection.execute(
                "insert into gnomon_build.rollups values (?, ?, ?)", [rollup.name, rollup.made_by, rollup.row_count]
            )
        connection.execute("checkpoint gnomon")
        return {rollup.name: rollup.row_count for rollup in made}


def read_receipt(warehouse: Warehouse) -> Receipt | None:
    """Return what an attached file says of itself as a generation; None if it is none."""
    try:
        found = warehouse.query(_RECEIPT).to_pylist()
        rollups = warehouse.query(_ROLLUPS).to_pylist()
    except GnomonError:
        return None
    if not found:
        return None
    made = tuple(MadeRollup(row["rollup_name"], row["made_by"], row["row_count"]) for row in rollups)
    return Receipt(found[0]["generation_id"], found[0]["published_at"], made)


def count_all(warehouse: Warehouse, tables: Sequence[Table]) -> dict[str, int]:
    """Return the exact number of rows of each table, by its name; WarehouseError names one that is not there."""
    counts = {}
    for table in tables:
        query = exp.select(exp.Count(this=exp.Star()).as_("rows")).from_(table.within(DATABASE))
        counts[table.name] = int(warehouse.query(query.sql(dialect="duckdb")).column("rows")[0].as_py())
    return counts


@contextmanager
def _connect(memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": False,
                "memory_limit": memory_limit,
                # Rows have no order of their own; kept in one, they would have to wait for each other in memory.
                "preserve_insertion_order": False,
            },
        )
    except duckdb.Error as error:
        raise WarehouseError(f"GNOMON_MEMORY_LIMIT '{memory_limit}': {_first_line(error)}. Write 8GB.") from None
    try:
        connection.execute("SET TimeZone = 'UTC'")
        # It would go to stdout, where the generation's id is expected.
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        # A database that a full disk has broken cannot be closed in good order; what it wrote is thrown away.
        with suppress(duckdb.Error):
            connection.close()


@contextmanager
def _explain_writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        raise WarehouseError(
            f"{path}: cannot be written: {_first_line(error)}. Free some space, or name another folder with "
            "GNOMON_GENERATIONS, and publish again."
        ) from None
    except duckdb.OutOfMemoryException as error:
        raise WarehouseError(
            f"{path}: cannot be made in the memory that GNOMON_MEMORY_LIMIT allows: {_first_line(error)}"
        ) from None
    except duckdb.Error as error:
        raise WarehouseError(
            f"{path}: cannot be made: {_first_line(error)}. `dbt build` makes the tables anew."
        ) from None


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, reads_only: bool) -> None:
    file = exp.alias_(exp.Literal.string(str(path)), name, quoted=True)
    options = [exp.AttachOption(this=exp.var("READ_ONLY"))] if reads_only else []
    connection.execute(exp.Attach(this=file, expressions=options).sql(dialect="duckdb"))


def _create_table(table: exp.Table, rows: exp.Select) -> str:
    return exp.Create(this=table, kind="TABLE", expression=rows).sql(dialect="duckdb")


def _create_schema(name: str) -> str:
    schema = exp.Table(db=exp.to_identifier(name, quoted=True), catalog=exp.to_identifier(_NEW, quoted=True))
    return exp.Create(this=schema, kind="SCHEMA", exists=True).sql(dialect="duckdb")


def _set(name: str, value: str) -> exp.SetItem:
    return exp.SetItem(this=exp.EQ(this=exp.column(name), expression=exp.Literal.string(value)))


def _read_number(connection: duckdb.DuckDBPyConnection, query: exp.Select) -> int:
    row = connection.execute(query.sql(dialect="duckdb")).fetchone()
    assert row is not None
    return int(row[0])


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(". ")
