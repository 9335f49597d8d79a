"""The pieces that every SELECT of a plan is put together from."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from gnomon.planner.draft import Source
from gnomon.semantic.model import Aggregation


def read_rows(source: Source) -> exp.Select:
    """Return SELECT … FROM table, joins and conditions of a source, with nothing selected yet."""
    rows = exp.Select().from_(_table(source.relation, source.model))
    for join in source.joins:
        rows = rows.join(_table(join.relation, join.alias), on=join.condition.copy(), join_type="left", copy=False)
    for condition in source.conditions:
        rows = rows.where(exp.Paren(this=condition.copy()), copy=False)
    return rows


def aggregate(aggregation: Aggregation, rows: exp.Expr) -> exp.Expr:
    """Return the aggregate function over `rows`."""
    match aggregation:
        case Aggregation.SUM:
            return exp.Sum(this=rows)
        case Aggregation.COUNT_DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[rows]))
        case Aggregation.MIN:
            return exp.Min(this=rows)
        case Aggregation.MAX:
            return exp.Max(this=rows)
        case Aggregation.AVERAGE:
            return exp.Avg(this=rows)
        case _:
            raise AssertionError(f"{aggregation} is turned into a sum, or refused, before SQL is written")


def name(column: str) -> exp.Column:
    """Return a quoted column."""
    return exp.column(column, quoted=True)


def alias(expression: exp.Expr, column: str) -> exp.Expr:
    """Return the expression under a quoted name."""
    return exp.alias_(expression, column, quoted=True)


def positions(count: int) -> list[exp.Expr]:
    """Return 1, 2, … `count`, for GROUP BY."""
    return [exp.Literal.number(place) for place in range(1, count + 1)]


def _table(relation: str, called: str) -> exp.Expr:
    table = sqlglot.parse_one(relation, into=exp.Table, read="duckdb")
    return exp.alias_(table, exp.to_identifier(called, quoted=True), table=True)
