"""The pieces that every SELECT of a plan is put together from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import sqlglot
from sqlglot import exp

from gnomon.planner.algebra import PRESENT, Argument, Bound, Column, Condition, Test, Value
from gnomon.planner.expressions import parse_column
from gnomon.semantic.grain import CustomGrain, DatePart, Grain
from gnomon.semantic.model import Aggregation, Offset, Span


def name(column: str, table: str | None = None) -> exp.Column:
    """Return a quoted column."""
    return exp.Column(
        this=exp.Identifier(this=column, quoted=True),
        table=None if table is None else exp.Identifier(this=table, quoted=True),
    )


def alias(expression: exp.Expr, column: str) -> exp.Expr:
    """Return the expression under a quoted name."""
    return exp.Alias(this=expression, alias=exp.Identifier(this=column, quoted=True))


def positions(count: int) -> list[exp.Expr]:
    """Return 1, 2, … `count`, for GROUP BY."""
    return [exp.Literal.number(place) for place in range(1, count + 1)]


def table(relation: str, called: str) -> exp.Expr:
    """Return a table under a quoted name."""
    return exp.alias_(_parse_table(relation).copy(), exp.to_identifier(called, quoted=True), table=True, copy=False)


@lru_cache(maxsize=1024)
def _parse_table(relation: str) -> exp.Expr:
    return sqlglot.parse_one(relation, into=exp.Table, read="duckdb")


def marked_table(relation: str, called: str) -> exp.Expr:
    """Return a table whose rows say that they are there, under PRESENT."""
    rows = exp.Select().select("*", alias(exp.true(), PRESENT), copy=False)
    return subquery(rows.from_(_parse_table(relation).copy(), copy=False), called)


def subquery(query: exp.Query, called: str) -> exp.Subquery:
    """Return the query as a table under a quoted name."""
    return query.subquery(exp.to_identifier(called, quoted=True), copy=False)


def read(column: Column) -> exp.Expr:
    """Return the SQL of a column."""
    expression = parse_column(column.expr, column.table) if column.table else name(column.expr)
    if column.is_marked:
        expression = exp.Case().when(name(PRESENT, column.table), expression, copy=False)
    if column.part is not None:
        # As MetricFlow: the week begins on Monday, which is 1.
        word = "isodow" if column.part is DatePart.DOW else column.part.value
        return exp.Extract(this=exp.Var(this=word), expression=expression)
    return expression if column.grain is None else truncate(expression, column.grain)


def truncate(expression: exp.Expr, grain: Grain) -> exp.Expr:
    """Return the start of the expression's period."""
    return exp.Anonymous(this="DATE_TRUNC", expressions=[exp.Literal.string(grain.value), expression])


def write_tests(tests: Iterable[Test]) -> list[exp.Expr]:
    """Return the conditions that the tests are."""
    conditions: list[exp.Expr] = []
    for each in tests:
        if isinstance(each, Condition):
            conditions.append(exp.Paren(this=each.filter.bind([read(column) for column in each.columns])))
        else:
            conditions += _bound(each)
    return conditions


def _bound(bound: Bound) -> list[exp.Expr]:
    conditions: list[exp.Expr] = []
    if bound.low is not None:
        conditions.append(exp.GTE(this=read(bound.column), expression=_moment(bound.low)))
    if bound.high is not None:
        conditions.append(exp.LTE(this=read(bound.column), expression=_moment(bound.high)))
    return conditions


def _moment(moment: datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(moment.isoformat(sep=" ")), "timestamp", copy=False)


def before(moment: exp.Expr, span: Span) -> exp.Expr:
    """Return the moment a span earlier."""
    return exp.Sub(this=moment, expression=interval(span))


def interval(span: Span) -> exp.Expr:
    """Return a span as an interval; three months are a quarter."""
    assert not isinstance(span.grain, CustomGrain)
    is_quarter = span.grain is Grain.QUARTER
    count = span.count * 3 if is_quarter else span.count
    unit = Grain.MONTH if is_quarter else span.grain
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.Var(this=unit.value))


def shift(moment: exp.Expr, offset: Offset) -> exp.Expr:
    """Return the earlier moment whose value an offset puts at `moment`."""
    if offset.back is not None:
        return before(moment, offset.back)
    assert offset.to_start_of is not None
    return truncate(moment, offset.to_start_of)


def argument(argument: Argument) -> exp.Expr:
    """Return what is aggregated of each row."""
    rows = read(argument.column)
    if argument.counts_true:
        return _one_if(rows)
    if argument.counts_present:
        return _one_if(exp.Not(this=exp.Is(this=rows, expression=exp.Null())))
    return rows


def _one_if(condition: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, exp.Literal.number(1), copy=False).else_(exp.Literal.number(0), copy=False)


def aggregate(value: Value, rows: exp.Expr) -> exp.Expr:
    """Return the aggregate function of a value over `rows`."""
    match value.aggregation:
        case Aggregation.COUNT_DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[rows]))
        case Aggregation.AVERAGE:
            return exp.Avg(this=rows)
        case Aggregation.PERCENTILE:
            assert value.percentile is not None
            kind = exp.PercentileDisc if value.percentile.is_discrete else exp.PercentileCont
            fraction = exp.Literal.number(value.percentile.fraction)
            ordered = exp.Order(expressions=[exp.Ordered(this=rows)])
            return exp.WithinGroup(this=kind(this=fraction), expression=ordered)
    return combine(value, rows)


def combine(value: Value, rows: exp.Expr) -> exp.Expr:
    """Return the aggregate function that makes one value of several partial ones."""
    match value.aggregation:
        case Aggregation.SUM:
            return exp.Sum(this=rows)
        case Aggregation.MIN:
            return exp.Min(this=rows)
        case Aggregation.MAX:
            return exp.Max(this=rows)
    raise AssertionError(f"{value.aggregation} cannot be added up")
