"""What must be true of a generation's rows before they are loaded: Postgres has each value, and keys are keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import WarehouseError
from gnomon.publish.serving_copy.columns import HUGE, HUGE_DIGITS, TEXT, TIMES, Column
from gnomon.publish.serving_copy.contents import Contents, CopiedTable, Link, Part
from gnomon.warehouse import DATABASE, Warehouse

# Between these years every engine and driver has the same days.
_FIRST, _LAST = "0001-01-01", "9999-12-31 23:59:59.999999"


def judge(warehouse: Warehouse, contents: Contents) -> tuple[Contents, tuple[str, ...]]:
    """Return the contents with the links that their rows keep, one of a column, and why columns are left without one.

    WarehouseError names values that Postgres has not, and keys or links that were tested and are none.
    """
    faults = [fault for table in contents.tables for fault in _find_faults(warehouse, table)]
    kept: dict[tuple[str, str], Link] = {}
    lost_by: dict[tuple[str, str], str] = {}
    tables = {table.name: table for table in contents.tables}
    for link in contents.links:
        if (link.table, link.column) in kept:
            continue
        lost = _count(warehouse, _count_lost(link, tables))
        if not lost:
            kept[link.table, link.column] = link
            continue
        told = (
            f"{lost:,} rows of '{link.table}' have a {link.column} that is no {link.parent_column} of '{link.parent}'"
        )
        if link.is_tested:
            faults.append(f"{told}, though a data test held it")
        lost_by[link.table, link.column] = told
    if faults:
        raise WarehouseError(
            f"{warehouse.path}: cannot be copied: {'; '.join(faults)}. Mend the models and build anew."
        )
    left_out = tuple(told for column, told in lost_by.items() if column not in kept)
    return replace(contents, links=tuple(kept.values())), left_out


def _find_faults(warehouse: Warehouse, table: CopiedTable) -> Iterator[str]:
    checks = {f"'{table.name}.{column.name}' {text}": test for column in table.columns for text, test in _test(column)}
    if table.part is not Part.ROLLUP:
        keys = [_column(name) for name in table.key]
        null = exp.or_(*(key.is_(exp.null()) for key in keys))
        checks[f"'{table.name}' whose key {', '.join(table.key)} is null, though a data test held it"] = null
        shown = exp.Count(this=exp.Distinct(expressions=[exp.Anonymous(this="row", expressions=keys)]))
        repeated = exp.Sub(this=exp.Count(this=exp.Star()), expression=shown)
        count = _count(warehouse, exp.select(repeated).from_(table.source.within(DATABASE)))
        if count:
            yield f"{count:,} rows of '{table.name}' repeat the key {', '.join(table.key)}, though a data test held it"
    if not checks:
        return
    counts = [exp.CountIf(this=test).as_(f"check_{place}") for place, test in enumerate(checks.values())]
    query = exp.select(*counts).from_(table.source.within(DATABASE))
    (row,) = warehouse.query(query.sql(dialect="duckdb")).to_pylist()
    for text, count in zip(checks, row.values(), strict=True):
        if count:
            yield f"{count:,} rows of {text}"


def _test(column: Column) -> Iterator[tuple[str, exp.Expr]]:
    """Yield what no value of a column may be, for a row to be counted that is so."""
    if column.kind == TEXT:
        zero = exp.Anonymous(this="chr", expressions=[exp.Literal.number(0)])
        yield (
            "have a character of the number 0, which Postgres has in no text",
            exp.Anonymous(this="contains", expressions=[_column(column.name), zero]),
        )
    if column.kind in HUGE:
        most = exp.cast(exp.Literal.string("9" * HUGE_DIGITS), exp.DataType.build("hugeint"))
        within = exp.Between(this=_column(column.name), low=exp.Neg(this=most), high=most.copy())
        yield f"have more than {HUGE_DIGITS} digits, which Arrow has in no number", exp.not_(within)
    if column.kind in TIMES:
        kind = exp.DataType.build(column.kind, dialect="duckdb")
        bounds = [exp.cast(exp.Literal.string(each), kind) for each in (_FIRST, _LAST)]
        outside = exp.not_(exp.Between(this=_column(column.name), low=bounds[0], high=bounds[1]))
        yield "are infinite or outside the years 1 to 9999", outside


def _count_lost(link: Link, tables: dict[str, CopiedTable]) -> exp.Select:
    keys = exp.select(_column(link.parent_column)).from_(tables[link.parent].source.within(DATABASE))
    found = exp.In(this=_column(link.column), query=keys.subquery())
    return (
        exp.select(exp.Count(this=exp.Star()))
        .from_(tables[link.table].source.within(DATABASE))
        .where(exp.not_(_column(link.column).is_(exp.null())), exp.not_(found))
    )


def _count(warehouse: Warehouse, query: exp.Select) -> int:
    return int(warehouse.query(query.sql(dialect="duckdb")).column(0)[0].as_py())


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
