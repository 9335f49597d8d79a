"""The pieces that every SELECT of a plan is put together from.

Trees are built from their nodes: the builders that read words are some ten times slower.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, reduce

import sqlglot
from sqlglot import exp

from gnomon.planner.algebra import PRESENT, Argument, Bound, Column, Condition, Given, Test, Value
from gnomon.planner.expressions import is_plain, parse_column
from gnomon.planner.filters import Filter
from gnomon.semantic.grain import CustomGrain, DatePart, Grain
from gnomon.semantic.model import Aggregation, Offset, Span


def select(
    columns: Iterable[exp.Expr],
    source: exp.Expr,
    *,
    joins: Sequence[exp.Join] = (),
    where: Sequence[exp.Expr] = (),
    group: int = 0,
    having: exp.Expr | None = None,
    qualify: exp.Expr | None = None,
    distinct: bool = False,
    ctes: Mapping[str, exp.Query] | None = None,
) -> exp.Select:
    """Return a SELECT; `group` is the number of leading columns that it is grouped by."""
    arguments: dict[str, object] = {"expressions": list(columns), "from_": exp.From(this=source)}
    if ctes:
        arguments["with_"] = exp.With(
            expressions=[exp.CTE(this=query, alias=_table_alias(called)) for called, query in ctes.items()]
        )
    if joins:
        arguments["joins"] = list(joins)
    if where:
        arguments["where"] = exp.Where(this=all_of(where))
    if group:
        arguments["group"] = exp.Group(expressions=[number(place) for place in range(1, group + 1)])
    if having is not None:
        arguments["having"] = exp.Having(this=having)
    if qualify is not None:
        arguments["qualify"] = exp.Qualify(this=qualify)
    if distinct:
        arguments["distinct"] = exp.Distinct()
    return exp.Select(**arguments)


def join(target: exp.Expr, on: Sequence[exp.Expr], kind: str) -> exp.Join:
    """Return a join of the kind `left`, `inner`, `full` or `cross`."""
    condition = all_of(on) if on else None
    match kind:
        case "left":
            return exp.Join(this=target, side="LEFT", on=condition)
        case "full":
            return exp.Join(this=target, side="FULL", kind="OUTER", on=condition)
    return exp.Join(this=target, kind=kind.upper(), on=condition)


def all_of(conditions: Sequence[exp.Expr]) -> exp.Expr:
    """Return the conditions joined by AND; each must be one that AND does not take apart."""
    return reduce(lambda left, right: exp.And(this=left, expression=right), conditions)


def any_of(conditions: Sequence[exp.Expr]) -> exp.Expr:
    """Return the conditions joined by OR, in parentheses."""
    return exp.Paren(this=reduce(lambda left, right: exp.Or(this=left, expression=right), conditions))


def equals(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the condition that two values are equal; of nulls it is null."""
    return exp.EQ(this=left, expression=right)


def same(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the condition that two values are equal, or both null."""
    return exp.NullSafeEQ(this=left, expression=right)


def identifier(word: str) -> exp.Identifier:
    """Return a quoted identifier."""
    return exp.Identifier(this=word, quoted=True)


def name(column: str, table: str | None = None) -> exp.Column:
    """Return a quoted column."""
    return exp.Column(this=identifier(column), table=None if table is None else identifier(table))


def all_columns(table: str) -> exp.Expr:
    """Return all columns of a table, and of no other."""
    return exp.Column(this=exp.Star(), table=identifier(table))


def names(columns: Iterable[str], table: str | None = None) -> Iterator[exp.Column]:
    """Yield quoted columns."""
    return (name(column, table) for column in columns)


def alias(expression: exp.Expr, column: str) -> exp.Expr:
    """Return the expression under a quoted name."""
    return exp.Alias(this=expression, alias=identifier(column))


def number(value: int | float) -> exp.Literal:
    """Return a number."""
    return exp.Literal(this=str(value), is_string=False)


def word(value: str) -> exp.Literal:
    """Return a string."""
    return exp.Literal(this=value, is_string=True)


def cast(expression: exp.Expr, kind: exp.DType) -> exp.Cast:
    """Return the expression as another type."""
    return exp.Cast(this=expression, to=exp.DataType(this=kind))


def is_null(expression: exp.Expr) -> exp.Expr:
    """Return whether the expression is null."""
    # IS binds closer than AND, OR and NOT do.
    whole = exp.Paren(this=expression) if isinstance(expression, exp.Connector | exp.Not) else expression
    return exp.Is(this=whole, expression=exp.Null())


def is_there(expression: exp.Expr) -> exp.Expr:
    """Return whether the expression is not null."""
    return exp.Not(this=is_null(expression))


def case(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Case:
    """Return `then` where the condition holds."""
    return exp.Case(ifs=[exp.If(this=condition, true=then)], default=otherwise)


def window(
    value: exp.Expr, by: Sequence[exp.Expr] = (), order: Sequence[exp.Expr] = (), spec: exp.WindowSpec | None = None
) -> exp.Window:
    """Return a window function."""
    ordered = exp.Order(expressions=list(order)) if order else None
    return exp.Window(this=value, partition_by=list(by), order=ordered, spec=spec)


def ascending(expression: exp.Expr) -> exp.Ordered:
    """Return an order, nulls last."""
    return exp.Ordered(this=expression, desc=False, nulls_first=False)


def descending(expression: exp.Expr) -> exp.Ordered:
    """Return an order backwards, nulls last."""
    return exp.Ordered(this=expression, desc=True, nulls_first=False)


def table(relation: str, called: str) -> exp.Expr:
    """Return a table under a quoted name."""
    return _write_table(relation, _table_alias(called))


def marked_table(relation: str, called: str) -> exp.Expr:
    """Return a table whose rows say that they are there, under PRESENT."""
    return subquery(select([exp.Star(), alias(exp.true(), PRESENT)], _write_table(relation)), called)


def cte(called: str) -> exp.Table:
    """Return a reference to a common table expression."""
    return exp.Table(this=identifier(called))


def subquery(query: exp.Query, called: str) -> exp.Subquery:
    """Return the query as a table under a quoted name."""
    return exp.Subquery(this=query, alias=_table_alias(called))


def union_all(queries: Sequence[exp.Query]) -> exp.Query:
    """Return the rows of all queries."""
    return reduce(lambda left, right: exp.Union(this=left, expression=right, distinct=False), queries)


def _table_alias(called: str) -> exp.TableAlias:
    return exp.TableAlias(this=identifier(called))


def _write_table(relation: str, called: exp.TableAlias | None = None) -> exp.Table:
    own, *homes = (exp.Identifier(this=word, quoted=is_quoted) for word, is_quoted in _split_relation(relation))
    database, catalog = (*homes, None, None)[:2]
    return exp.Table(this=own, db=database, catalog=catalog, alias=called)


@lru_cache(maxsize=1024)
def _split_relation(relation: str) -> tuple[tuple[str, bool], ...]:
    """Return the words of a table's name and whether they stand in quotes, its own name first."""
    parsed = sqlglot.parse_one(relation, into=exp.Table, read="duckdb")
    return tuple((part.name, bool(part.args.get("quoted"))) for part in reversed(parsed.parts))


def read(column: Column) -> exp.Expr:
    """Return the SQL of a column."""
    if not column.table or is_plain(column.expr):
        expression: exp.Expr = name(column.expr, column.table or None)
    else:
        expression = parse_column(column.expr, column.table)
    if column.is_marked:
        expression = case(name(PRESENT, column.table), expression)
    if column.zone is not None:
        moment = exp.AtTimeZone(this=cast(expression, exp.DType.TIMESTAMP), zone=word("UTC"))
        expression = exp.AtTimeZone(this=exp.Paren(this=moment), zone=word(column.zone))
    if column.part is not None:
        # As MetricFlow: the week begins on Monday, which is 1.
        part = "isodow" if column.part is DatePart.DOW else column.part.value
        return exp.Extract(this=exp.Var(this=part), expression=expression)
    return expression if column.grain is None else truncate(expression, column.grain)


def truncate(expression: exp.Expr, grain: Grain) -> exp.Expr:
    """Return the start of the expression's period."""
    return exp.Anonymous(this="DATE_TRUNC", expressions=[word(grain.value), expression])


def write_tests(tests: Iterable[Test]) -> list[exp.Expr]:
    """Return the conditions that the tests are."""
    conditions: list[exp.Expr] = []
    for each in tests:
        if isinstance(each, Condition):
            columns = [(read(column), column.grain is not None) for column in each.columns]
            conditions.append(bind(each.filter, columns))
        else:
            conditions += _bound(each)
    return conditions


def bind(condition: Filter, columns: Sequence[tuple[exp.Expr, bool]]) -> exp.Expr:
    """Return a filter over columns, each with whether it is the start of a period.

    DuckDB (to 1.5.6) takes date_trunc('month', d) <> '2024-01-05' for true, also where d is null: no month begins
    then. A CASE keeps that rule away where it would matter.
    """
    bound = [
        case(is_there(column), column.copy()) if is_period and place in condition.minds_nulls else column
        for place, (column, is_period) in enumerate(columns)
    ]
    return exp.Paren(this=condition.bind(bound))


def _bound(bound: Bound) -> Iterator[exp.Expr]:
    if bound.low is not None:
        low = _moment(bound.low)
        yield exp.GTE(this=read(bound.column), expression=low if bound.back is None else before(low, bound.back))
    if bound.high is None:
        return
    high = _moment(bound.high)
    if bound.back is None:
        yield exp.LTE(this=read(bound.column), expression=high)
    else:
        # A month before the last moment of February is not the last one of January, but its end is that of January.
        end = exp.Add(this=high, expression=interval(Span(1, Grain.MICROSECOND)))
        yield exp.LT(this=read(bound.column), expression=before(end, bound.back))


def _moment(moment: datetime) -> exp.Expr:
    return cast(word(moment.isoformat(sep=" ")), exp.DType.TIMESTAMP)


def before(moment: exp.Expr, span: Span) -> exp.Expr:
    """Return the moment a span earlier."""
    return exp.Sub(this=moment, expression=interval(span))


def interval(span: Span) -> exp.Expr:
    """Return a span as an interval; three months are a quarter."""
    assert not isinstance(span.grain, CustomGrain)
    is_quarter = span.grain is Grain.QUARTER
    count = span.count * 3 if is_quarter else span.count
    unit = Grain.MONTH if is_quarter else span.grain
    return exp.Interval(this=word(str(count)), unit=exp.Var(this=unit.value))


def shift(moment: exp.Expr, offset: Offset) -> exp.Expr:
    """Return the earlier moment whose value an offset puts at `moment`."""
    if offset.back is not None:
        return before(moment, offset.back)
    assert offset.to_start_of is not None
    return truncate(moment, offset.to_start_of)


def argument(argument: Argument) -> exp.Expr:
    """Return what is aggregated of each row."""
    rows = read(argument.column)
    if argument.given is not None:
        keys = [cast(key, exp.DType.VARCHAR) for key in (rows, *map(read, argument.given.more_keys))]
        return case(_rows_of(argument.given), exp.Coalesce(this=keys[0], expressions=[*keys[1:], word("")]))
    if argument.counts_true:
        return case(rows, number(1), number(0))
    return case(is_there(rows), number(1), number(0)) if argument.counts_present else rows


def _rows_of(given: Given) -> exp.Expr:
    """Return the condition of the rows that contribute to a value, or that do not."""
    counted = given.value.argument
    rows = read(counted.column)
    if not counted.counts_true:
        is_sum = given.value.aggregation is Aggregation.SUM and not counted.counts_present
        rows = exp.NEQ(this=rows, expression=number(0)) if is_sum else is_there(rows)
    if not given.is_rest:
        return rows
    return exp.Not(this=exp.Coalesce(this=rows, expressions=[exp.false()]))


def aggregate(value: Value, rows: exp.Expr) -> exp.Expr:
    """Return the aggregate function of a value over `rows`."""
    match value.aggregation:
        case Aggregation.COUNT_DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[rows]))
        case Aggregation.AVERAGE:
            if value.argument.weight is None:
                return exp.Avg(this=rows)
            number_of_values = exp.Nullif(this=exp.Sum(this=read(value.argument.weight)), expression=number(0))
            return exp.Div(this=cast(exp.Sum(this=rows), exp.DType.DOUBLE), expression=number_of_values)
        case Aggregation.PERCENTILE:
            assert value.percentile is not None
            kind = exp.PercentileDisc if value.percentile.is_discrete else exp.PercentileCont
            ordered = exp.Order(expressions=[exp.Ordered(this=rows)])
            return exp.WithinGroup(this=kind(this=number(value.percentile.fraction)), expression=ordered)
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
