"""Sift the rows of a batch: which rules does each row break, and which rows may pass.

Tables are sifted parents first. A row whose parent went to quarantine goes there too, so that
what passes keeps every reference of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp

from gnomon.core.contract import Column, Contract, Reference, Table
from gnomon.core.errors import WarehouseError
from gnomon.core.names import TableName
from gnomon.ingest.content_rules import (
    Rule,
    describe_duplicate_key,
    describe_missing_reference,
    describe_moved_version,
    list_rules,
    name_column,
    write_filled,
)
from gnomon.ingest.expectations import Policy
from gnomon.ingest.quarantine import write_quarantine

if TYPE_CHECKING:
    import duckdb

QUARANTINED_REFERENCE = "quarantined_reference"
# Where a row of a batch stands; the two columns go to quarantine with it.
FILE_COLUMN, ROW_COLUMN = "source_file", "source_row"
# What DuckDB's reader adds to the columns of a file.
_FROM_READER = ("filename", "file_row_number")
# Not `reason`: a table of the contract has a column of that name.
REASON_COLUMN = "quarantine_reason"


class UnreadableTableError(WarehouseError):
    """The files of a table cannot be read to their end."""

    def __init__(self, table: TableName, error: Exception) -> None:
        super().__init__(f"{table}: {error}")
        self.table = table
        self.error = error


@dataclass(frozen=True)
class Sifted:
    """One table after sifting: its rows, those that pass, and the rows that break each rule."""

    table: Table
    rules: tuple[Rule, ...]
    row_count: int
    passed: int
    broken_counts: tuple[int, ...]

    @property
    def quarantined(self) -> int:
        """Return how many rows break at least one rule."""
        return self.row_count - self.passed

    @property
    def share(self) -> float:
        """Return the share of rows that break a rule, 0 to 1; 0 of an empty table."""
        return self.quarantined / self.row_count if self.row_count else 0.0


def name_flag(rule: Rule) -> str:
    """Return the name of the column that is true where a row breaks `rule`."""
    return f"{rule.name}: {rule.column}"


def sift(
    connection: duckdb.DuckDBPyConnection, folder: Path, contract: Contract, policy: Policy, newest: datetime
) -> dict[TableName, Sifted]:
    """Judge every row of the raw set in `folder`, whose structure must be sound.

    Leaves one table per raw table in `connection`, with its columns, a flag per rule and
    `quarantine_reason` (empty for a row that passes). The moment `newest` is the record's newest_ingested_at.
    Raises UnreadableTableError where a file breaks only when its rows are read.
    """
    import duckdb

    sifted = {}
    for table in order_by_reference(contract):
        files = [str(path) for path in sorted((folder / table.name).glob("*.parquet"))]
        source = connection.read_parquet(
            files, union_by_name=True, filename=True, file_row_number=True, hive_partitioning=False
        )
        source.create_view(_name_source(table.name))
        rules = tuple(list_row_rules(table, policy))
        query = _write_query(table, rules).sql(dialect="duckdb")
        try:
            connection.execute(query, {"newest": newest})
        except duckdb.Error as error:
            raise UnreadableTableError(table.name, error) from error
        sifted[table.name] = _count(connection, table, rules)
    return {name: sifted[name] for name in contract.tables}


def order_by_reference(contract: Contract) -> tuple[Table, ...]:
    """Return the tables, each after all that it points at."""
    from graphlib import TopologicalSorter

    graph = {
        table.name: {column.reference.table for column in table.columns if column.reference}
        for table in contract.tables.values()
    }
    return tuple(contract.tables[name] for name in TopologicalSorter(graph).static_order())


def list_row_rules(table: Table, policy: Policy) -> Iterator[Rule]:
    """Yield every rule on the rows of `table`: the contract's, its key, its references, the policy's."""
    yield from list_rules(table)
    yield describe_duplicate_key(table, _write_duplicate(table))
    yield describe_moved_version(table, _write_moved(table))
    for column in table.columns:
        if column.reference:
            yield from _list_reference_rules(column, column.reference)
    for expectation in policy.list_expectations(table.name):
        yield expectation.to_rule()


def _list_reference_rules(column: Column, reference: Reference) -> Iterator[Rule]:
    value = name_column(column.name)
    target = name_column(reference.column)
    there = exp.select(target).from_(exp.to_identifier(_name_source(reference.table), quoted=True))
    there = there.where(exp.Not(this=exp.Is(this=target, expression=exp.Null())))
    passed = exp.select(target).from_(exp.to_identifier(reference.table, quoted=True)).where(_write_passed())
    is_there = exp.In(this=value, query=exp.Subquery(this=there))
    is_passed = exp.In(this=value, query=exp.Subquery(this=passed))
    # Said apart: a missing value IN an empty list is false, not unknown.
    is_filled = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
    yield describe_missing_reference(column, reference, exp.and_(is_filled, exp.Not(this=is_there)))
    yield Rule(
        QUARANTINED_REFERENCE,
        column.name,
        exp.and_(is_there.copy(), exp.Not(this=is_passed)),
        f"a value of {reference.table}.{reference.column} whose row is in quarantine",
        f"Mend the rows of {reference.table} first; these will pass then.",
    )


def _write_duplicate(table: Table) -> exp.Expr:
    """Of rows with one key and one ingested_at the first stays, in the order of files and rows."""
    number = exp.Window(
        this=exp.RowNumber(),
        partition_by=[name_column(part) for part in table.version_key],
        order=exp.Order(expressions=[exp.Ordered(this=name_column(name)) for name in _FROM_READER]),
    )
    return exp.and_(exp.GT(this=number, expression=exp.Literal.number(1)), *write_filled(table))


def _write_moved(table: Table) -> exp.Expr:
    """The first version of a fact says when it happened."""
    order = [exp.Ordered(this=name_column(name)) for name in ("ingested_at", *_FROM_READER)]
    first = exp.Window(
        this=exp.FirstValue(this=name_column("occurred_at")),
        partition_by=[name_column(part) for part in table.key],
        order=exp.Order(expressions=order),
    )
    return exp.and_(exp.NEQ(this=name_column("occurred_at"), expression=first), *write_filled(table))


def _write_query(table: Table, rules: tuple[Rule, ...]) -> exp.Create:
    columns = [name_column(column.name) for column in table.columns]
    place = [
        exp.alias_(exp.func("parse_filename", name_column("filename")), FILE_COLUMN, quoted=True),
        exp.alias_(name_column("file_row_number"), ROW_COLUMN, quoted=True),
    ]
    flags = [
        # A comparison with a missing value is unknown, and an unknown is not broken.
        exp.alias_(exp.Coalesce(this=rule.broken.copy(), expressions=[exp.false()]), name_flag(rule), quoted=True)
        for rule in rules
    ]
    source = exp.to_identifier(_name_source(table.name), quoted=True)
    flagged = exp.select(*columns, *place, *flags).from_(source)
    reasons = [
        exp.Case(ifs=[exp.If(this=name_column(name_flag(rule)), true=exp.Literal.string(name_flag(rule)))])
        for rule in rules
    ]
    # Named as it is: the parsed function would turn null, where one reason is missing, into null for all.
    reason = exp.Anonymous(this="concat_ws", expressions=[exp.Literal.string("; "), *reasons])
    query = exp.select("*", exp.alias_(reason, REASON_COLUMN, quoted=True)).from_(flagged.subquery("flagged"))
    return exp.Create(this=exp.to_table(table.name, dialect="duckdb"), kind="TABLE", expression=query)


def _count(connection: duckdb.DuckDBPyConnection, table: Table, rules: tuple[Rule, ...]) -> Sifted:
    counts = [_count_where(None), _count_where(_write_passed())]
    counts += [_count_where(name_column(name_flag(rule))) for rule in rules]
    query = exp.select(*counts).from_(exp.to_identifier(table.name, quoted=True))
    row = connection.execute(query.sql(dialect="duckdb")).fetchone() or ()
    row_count, passed, *broken = (int(count) for count in row)
    return Sifted(table, rules, row_count, passed, tuple(broken))


def _count_where(condition: exp.Expr | None) -> exp.Expr:
    count = exp.Count(this=exp.Star())
    return exp.Filter(this=count, expression=exp.Where(this=condition)) if condition else count


def _write_passed() -> exp.Expr:
    return exp.EQ(this=name_column(REASON_COLUMN), expression=exp.Literal.string(""))


def read_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the DuckDB type of each column in the files of a table that was sifted."""
    source = connection.view(_name_source(table))
    types = dict(zip(source.columns, map(str, source.types), strict=True))
    return {name: kind for name, kind in types.items() if name not in _FROM_READER}


def _name_source(table: str) -> str:
    return f"source of {table}"


def select_passed(connection: duckdb.DuckDBPyConnection, table: Table) -> duckdb.DuckDBPyRelation:
    """Return the rows of `table` that pass, with the contract's columns, in the order of the batch."""
    query = exp.select(*(name_column(column.name) for column in table.columns))
    query = query.from_(exp.to_identifier(table.name, quoted=True)).where(_write_passed())
    query = query.order_by(name_column(FILE_COLUMN), name_column(ROW_COLUMN))
    return connection.sql(query.sql(dialect="duckdb"))


def write_rows(connection: duckdb.DuckDBPyConnection, sifted: Mapping[TableName, Sifted], out: Path) -> None:
    """Write the rows that pass to OUT/TABLE and the others, with the reason, to OUT/quarantine/TABLE.

    WarehouseError unless what was written adds up to what was read.
    """
    for name, part in sifted.items():
        place = out / name
        place.mkdir(parents=True)
        path = place / "part-0.parquet"
        select_passed(connection, part.table).write_parquet(str(path), compression="zstd")
        (written,) = connection.read_parquet(str(path)).count("*").fetchone() or (0,)
        columns = [column.name for column in part.table.columns]
        query = exp.select(*map(name_column, [*columns, FILE_COLUMN, ROW_COLUMN, REASON_COLUMN]))
        query = query.from_(exp.to_identifier(name, quoted=True)).where(exp.Not(this=_write_passed()))
        query = query.order_by(name_column(FILE_COLUMN), name_column(ROW_COLUMN))
        rows = connection.sql(query.sql(dialect="duckdb")).to_arrow_table()
        quarantined = sum(write_quarantine(out, name, rows, REASON_COLUMN).values())
        if (written, quarantined) != (part.passed, part.quarantined) or written + quarantined != part.row_count:
            raise WarehouseError(
                f"{name}: {part.row_count:,} rows were read but {written:,} passed and {quarantined:,} are in "
                "quarantine. Nothing was written; this is a fault of Gnomon, please report it."
            )
