"""The rules on the rows of one raw table, each counted by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlglot import exp

from gnomon.core.contract import Column, Reference, Table
from gnomon.ingest.report import Finding
from gnomon.ingest.text_rules import (
    LONGEST_ID,
    LONGEST_TEXT,
    is_identifier,
    is_open_text,
    write_unreadable_id,
    write_unreadable_text,
)

if TYPE_CHECKING:
    import duckdb

# A row is late to `newest_ingested_at` by this rule; its moment is bound, not written.
NEWEST = exp.Placeholder(this="newest")
# Moments that are planned, and may lie after all that is known.
_PLANNED = ("frame_ends_at", "promised_dispatch_at")
_EARLIEST, _YEARS_AHEAD = "2000-01-01", 10


@dataclass(frozen=True)
class Rule:
    """A condition that a row breaks, and what to say of the rows that do."""

    name: str
    column: str
    broken: exp.Expr
    problem: str
    remedy: str


def count_rows(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Return how many rows the view of `table` has."""
    return _fetch_counts(connection, exp.select(_count_all()).from_(name_column(table.name)))[0]


def check_table(
    connection: duckdb.DuckDBPyConnection, table: Table, readable: set[str], newest: datetime | None
) -> list[Finding]:
    """Return the findings on the rows of `table`: one scan, then its key, then each reference.

    `readable` names the tables whose views exist; references to others cannot be judged.
    `newest` is the record's newest_ingested_at, or None without a record.
    """
    rules = [rule for rule in list_rules(table) if newest or not is_bound(rule)]
    counts = _fetch_counts(
        connection,
        exp.select(*(_count_where(rule.broken) for rule in rules)).from_(name_column(table.name)),
        {"newest": newest} if newest else {},
    )
    findings = [report_rule(table, rule, count) for rule, count in zip(rules, counts, strict=True) if count]
    findings += _check_key(connection, table)
    for column in table.columns:
        if column.reference and column.reference.table in readable:
            findings += _check_reference(connection, table, column, column.reference)
    return findings


@cache
def list_rules(table: Table) -> tuple[Rule, ...]:
    """Return the rules that one scan of `table` can judge, in the order of its columns."""
    rules = [rule for column in table.columns for rule in _list_column_rules(column)]
    occurred, ingested = name_column("occurred_at"), name_column("ingested_at")
    if not table.known_ahead:
        rules.append(
            Rule(
                "ingested_before_occurred",
                "ingested_at",
                exp.LT(this=ingested, expression=occurred),
                "ingested_at before occurred_at",
                "A row cannot be known before it happened: mend the clock or the time zone; both are UTC.",
            )
        )
    rules += [rule for column in table.columns for rule in _list_moment_rules(table, column)]
    rules.append(
        Rule(
            "ingested_after_record",
            "ingested_at",
            exp.GT(this=ingested, expression=NEWEST),
            "ingested_at later than newest_ingested_at of raw_set.json",
            "Write raw_set.json last, with the newest ingested_at of all tables.",
        )
    )
    return tuple(rules)


def is_bound(rule: Rule) -> bool:
    """Tell whether `rule` compares with the record's newest_ingested_at, and so needs it bound."""
    return rule.broken.find(exp.Placeholder) is not None


def _list_moment_rules(table: Table, column: Column) -> Iterator[Rule]:
    if column.duckdb_type != "TIMESTAMP":
        return
    name = name_column(column.name)
    earliest = exp.Cast(this=exp.Literal.string(_EARLIEST), to=exp.DataType(this=exp.DType.TIMESTAMP))
    years = exp.Interval(this=exp.Literal.string(str(_YEARS_AHEAD)), unit=exp.var("YEAR"))
    is_planned = column.name in _PLANNED or (table.known_ahead and column.name == "occurred_at")
    latest = exp.Add(this=NEWEST.copy(), expression=years)
    bounds = [exp.LT(this=name, expression=earliest)]
    yield Rule(
        "impossible_moment",
        column.name,
        exp.or_(*bounds, exp.GT(this=name.copy(), expression=latest)) if is_planned else bounds[0],
        f"a moment before {_EARLIEST}" + (f" or {_YEARS_AHEAD} years after the record" if is_planned else ""),
        "Mend its unit or its epoch.",
    )
    # The other two have rules of their own.
    if not is_planned and column.name not in ("occurred_at", "ingested_at"):
        yield Rule(
            "moment_after_record",
            column.name,
            exp.GT(this=name.copy(), expression=NEWEST.copy()),
            "a moment later than newest_ingested_at of raw_set.json",
            "What had not happened when the batch was cut is null.",
        )


def _list_column_rules(column: Column) -> Iterator[Rule]:
    name = name_column(column.name)
    if not column.is_nullable:
        remedy = "Fill it, or move these rows to quarantine with a reason."
        yield Rule(
            "null", column.name, exp.Is(this=name, expression=exp.Null()), "a null where none is allowed", remedy
        )
    if column.values:
        allowed = ", ".join(column.values)
        values = [exp.Literal.string(value) for value in column.values]
        yield Rule(
            "value_not_allowed",
            column.name,
            exp.Not(this=exp.In(this=name, expressions=values)),
            "a value that is not allowed",
            f"Allowed: {allowed}. Map the source's values to these.",
        )
    if is_identifier(column):
        yield Rule(
            "unreadable_id",
            column.name,
            write_unreadable_id(name),
            "an identifier that is not plain",
            f"Write 1 to {LONGEST_ID} visible ASCII characters, such as a keyed hash.",
        )
    if is_open_text(column):
        yield Rule(
            "unreadable_text",
            column.name,
            write_unreadable_text(name),
            "an empty text, hidden or look-alike characters, or a text that is too long",
            f"Write 1 to {LONGEST_TEXT:,} bytes of clean Unicode in form NFC, or null where it may be.",
        )
    if column.low is not None or column.high is not None:
        yield Rule(
            "out_of_range",
            column.name,
            exp.or_(*_list_bounds(column)),
            "a value out of range",
            f"Allowed: {_word_range(column)}. Mend the values, or move these rows to quarantine.",
        )


def _list_bounds(column: Column) -> Iterator[exp.Expr]:
    name = name_column(column.name)
    if column.low is not None:
        yield exp.LT(this=name, expression=exp.Literal.number(column.low))
    if column.high is not None:
        yield exp.GT(this=name, expression=exp.Literal.number(column.high))
    if column.duckdb_type == "DOUBLE":
        # NaN is above every bound in DuckDB, and infinity is no count of anything.
        yield exp.Not(this=exp.func("isfinite", name))


def _word_range(column: Column) -> str:
    if column.high is None:
        return f"{column.low:g} or more"
    if column.low is None:
        return f"{column.high:g} or less"
    return f"{column.low:g} to {column.high:g}"


def _check_key(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Finding]:
    """Count rows past the first of their version, and versions that moved their fact to another moment.

    Rows with a null in the key are another rule's.
    """
    versions = (
        exp.select(
            *(name_column(part) for part in table.key),
            exp.alias_(_count_all(), "row_count"),
            exp.alias_(exp.Min(this=name_column("occurred_at")), "first_moment"),
            exp.alias_(exp.Max(this=name_column("occurred_at")), "last_moment"),
        )
        .from_(name_column(table.name))
        .where(*write_filled(table))
        .group_by(*(name_column(part) for part in table.version_key))
        .subquery("versions")
    )
    facts = (
        exp.select(
            exp.alias_(_sum(exp.Sub(this=name_column("row_count"), expression=exp.Literal.number(1))), "surplus"),
            exp.alias_(exp.Sub(this=_count_all(), expression=exp.Literal.number(1)), "later_versions"),
            exp.alias_(
                exp.NEQ(
                    this=exp.Min(this=name_column("first_moment")), expression=exp.Max(this=name_column("last_moment"))
                ),
                "has_moved",
            ),
        )
        .from_(versions)
        .group_by(*(name_column(part) for part in table.key))
        .subquery("facts")
    )
    moved = exp.Case().when(name_column("has_moved"), name_column("later_versions")).else_(exp.Literal.number(0))
    surplus, versions_moved = _fetch_counts(
        connection, exp.select(_sum(name_column("surplus")), _sum(moved)).from_(facts)
    )
    counted = ((describe_duplicate_key, surplus), (describe_moved_version, versions_moved))
    return [report_rule(table, describe(table, exp.false()), count) for describe, count in counted if count]


def _sum(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=exp.Sum(this=value), expressions=[exp.Literal.number(0)])


def write_filled(table: Table) -> list[exp.Expr]:
    """Return the conditions under which a row has its whole key."""
    return [exp.Not(this=exp.Is(this=name_column(part), expression=exp.Null())) for part in table.key]


def describe_duplicate_key(table: Table, broken: exp.Expr) -> Rule:
    """Return the rule on the versions of `table`; `broken` finds the rows past the first of their version."""
    return Rule(
        "duplicate_key",
        ", ".join(table.key),
        broken,
        "a key and an ingested_at that another row has already",
        "Keep one row of each version; a new version has a later ingested_at.",
    )


def describe_moved_version(table: Table, broken: exp.Expr) -> Rule:
    """Return the rule that a fact stays at its moment; `broken` finds the versions that say another one."""
    return Rule(
        "moved_version",
        "occurred_at",
        broken,
        f"another occurred_at than an earlier row of the same {', '.join(table.key)}",
        "A new version keeps the moment of its fact; what happened at another moment has its own key.",
    )


def _check_reference(
    connection: duckdb.DuckDBPyConnection, table: Table, column: Column, reference: Reference
) -> list[Finding]:
    """Count the rows whose value is not null and not in the column pointed at."""
    value = exp.column(column.name, table="source", quoted=True)
    target = exp.column(reference.column, table="target", quoted=True)
    query = (
        exp.select(_count_all())
        .from_(exp.alias_(_name_table(table.name), "source", table=True))
        .join(
            exp.alias_(_name_table(reference.table), "target", table=True),
            on=exp.EQ(this=value, expression=target),
            join_type="anti",
        )
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
    )
    count = _fetch_counts(connection, query)[0]
    return [report_rule(table, describe_missing_reference(column, reference, exp.false()), count)] if count else []


def describe_missing_reference(column: Column, reference: Reference, broken: exp.Expr) -> Rule:
    """Return the rule on the foreign key `column`; `broken` finds the values that have no target."""
    return Rule(
        "missing_reference",
        column.name,
        broken,
        f"a value that is not in {reference.table}.{reference.column}",
        f"Add the rows to {reference.table}"
        + (", or leave the value null." if column.is_nullable else ", or move these rows to quarantine."),
    )


def report_rule(table: Table, rule: Rule, count: int) -> Finding:
    """Return the finding that `count` rows of `table` break `rule`."""
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    text = f"{table.name}.{rule.column}: {rows} {rule.problem}. {rule.remedy}"
    if ", " in rule.column:
        text = f"{table.name} ({rule.column}): {rows} {rule.problem}. {rule.remedy}"
    return Finding(table.name, rule.column, rule.name, count, is_structural=False, text=text)


def _fetch_counts(
    connection: duckdb.DuckDBPyConnection, query: exp.Select, values: dict[str, datetime] | None = None
) -> tuple[int, ...]:
    row = connection.execute(query.sql(dialect="duckdb"), values or None).fetchone()
    return tuple(int(count) for count in row or ())


def _count_all() -> exp.Count:
    return exp.Count(this=exp.Star())


def _count_where(condition: exp.Expr) -> exp.Filter:
    # A filtered count is 0 over no rows, where a sum of cases would be null.
    return exp.Filter(this=_count_all(), expression=exp.Where(this=condition.copy()))


def name_column(name: str) -> exp.Column:
    """Return the column of that name, quoted."""
    return exp.column(name, quoted=True)


def _name_table(name: str) -> exp.Table:
    return exp.to_table(name, dialect="duckdb")
