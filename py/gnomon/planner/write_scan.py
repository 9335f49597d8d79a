"""The rows of a source: FROM, joins and tests; and values aggregated from them by group."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from gnomon.planner.algebra import SPINE, Answer, Block, Column, Conversions, Join, Scan, Side, Spread, Value, Window
from gnomon.planner.sql_parts import (
    aggregate,
    alias,
    argument,
    before,
    interval,
    marked_table,
    name,
    positions,
    read,
    shift,
    subquery,
    table,
    truncate,
    write_tests,
)
from gnomon.semantic.grain import CustomGrain
from gnomon.semantic.model import Accumulation, Offset, Span, TimeSpine

# A row's number among the conversions, and what the parts of a pair are called.
_NUMBER, _KEY, _WHEN, _ARGUMENT = "__number", "__key", "__when", "__argument"
# A moment of a spine before it is shifted, and the ends of the period that it is shifted to.
_FROM, _FIRST, _LAST = "__from", "__first", "__last"
WriteAnswer = Callable[[Answer], exp.Select]


def read_rows(scan: Scan, write_answer: WriteAnswer) -> exp.Select:
    """Return SELECT … FROM table, joins and tests of a scan, with nothing selected yet."""
    rows = exp.Select().from_(table(scan.relation, scan.alias), copy=False)
    if scan.spread is not None:
        rows = _spread(rows, scan.spread)
    rows = add_joins(rows, scan.joins, write_answer)
    conditions = write_tests(scan.tests)
    return rows.where(*conditions, copy=False) if conditions else rows


def add_joins(rows: exp.Select, joins: tuple[Join, ...], write_answer: WriteAnswer) -> exp.Select:
    """Return the rows with the joins added, in their order."""
    for join in joins:
        if isinstance(join.target, Answer):
            target: exp.Expr = subquery(write_answer(join.target), join.alias)
        else:
            target = marked_table(join.target, join.alias) if join.marks else table(join.target, join.alias)
        on = [exp.EQ(this=read(left), expression=read(right)) for left, right in join.equal]
        kind = "full outer" if join.keeps_both else "left"
        if not on:
            kind = "cross"
        conditions: list[exp.Expr] = list(on)
        if join.validity is not None:
            moment, start, end = join.validity.moment, join.validity.start, join.validity.end
            conditions.append(exp.GTE(this=read(moment), expression=read(start)))
            is_open = exp.Is(this=read(end), expression=exp.Null())
            is_before = exp.LT(this=read(moment), expression=read(end))
            conditions.append(exp.Paren(this=exp.Or(this=is_before, expression=is_open)))
        condition = exp.and_(*conditions, copy=False) if conditions else None
        rows = rows.join(target, on=condition, join_type=kind, copy=False)
    return rows


def _spread(rows: exp.Select, spread: Spread) -> exp.Select:
    """Join the rows to the moments that they count for."""
    spine = spread.rows.spine
    grain = spread.moment.grain
    assert grain is not None
    if isinstance(spread.how, Offset) and spread.how.back and isinstance(spread.how.back.grain, CustomGrain):
        moments: exp.Expr = subquery(
            _lead(spine, spread.how.back.grain, spread.how.back.count, spread.leads_grain), SPINE
        )
        on = exp.EQ(this=name(_FROM, SPINE), expression=read(spread.moment))
        return rows.join(moments, on=on, join_type="inner", copy=False)
    if grain is spine.grain:
        moments = table(spine.relation, SPINE)
    else:
        periods = exp.Select().select(alias(truncate(read(Column(SPINE, spine.column)), grain), spine.column))
        moments = subquery(periods.from_(table(spine.relation, SPINE), copy=False).distinct(copy=False), SPINE)
    at = read(Column(SPINE, spine.column))
    moment = read(spread.moment)
    if isinstance(spread.how, Accumulation):
        conditions: list[exp.Expr] = [exp.LTE(this=moment, expression=at)]
        if spread.how.window is not None:
            conditions.append(exp.GT(this=moment.copy(), expression=before(at.copy(), spread.how.window)))
        elif spread.how.to_date is not None:
            conditions.append(exp.GTE(this=moment.copy(), expression=truncate(at.copy(), spread.how.to_date)))
    else:
        conditions = [exp.EQ(this=shift(at, spread.how), expression=moment)]
        starts = [exp.EQ(this=read(period), expression=at.copy()) for period in spread.periods]
        if starts:
            conditions.append(exp.Paren(this=exp.or_(*starts, copy=False, wrap=False)))
    return rows.join(moments, on=exp.and_(*conditions, copy=False), join_type="inner", copy=False)


def _lead(spine: TimeSpine, grain: CustomGrain, count: int, leads_grain: bool) -> exp.Select:
    """Return each moment of a spine, under _FROM, with the one at the same place `count` periods later.

    There is none, and so it is null, where the later period is shorter or beyond the spine.
    """
    period, moment = name(grain.column), name(spine.column)
    by_period = exp.Order(expressions=[exp.Ordered(this=period.copy(), nulls_first=False)])

    def later(value: exp.Expr) -> exp.Expr:
        lead = exp.Anonymous(this="LEAD", expressions=[value, exp.Literal.number(count)])
        return exp.Window(this=lead, order=by_period.copy())

    periods = exp.Select().select(
        period.copy(),
        alias(later(exp.Min(this=moment.copy())), _FIRST),
        alias(later(exp.Max(this=moment.copy())), _LAST),
        alias(later(period.copy()), _FROM),
        copy=False,
    )
    periods = periods.from_(table(spine.relation, SPINE), copy=False).group_by(period.copy(), copy=False)
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[period.copy()],
        order=exp.Order(expressions=[exp.Ordered(this=moment.copy(), nulls_first=False)]),
    )
    moments = exp.Select().select(moment.copy(), period.copy(), alias(place, _NUMBER), copy=False)
    moments = moments.from_(table(spine.relation, SPINE), copy=False)
    steps = exp.Mul(
        this=exp.Paren(this=exp.Sub(this=name(_NUMBER), expression=exp.Literal.number(1))),
        expression=interval(Span(1, spine.grain)),
    )
    there = exp.Add(this=name(_FIRST), expression=steps)
    shifted = exp.Case().when(exp.LTE(this=there, expression=name(_LAST)), there.copy(), copy=False)
    query = exp.Select().select(alias(name(spine.column, "moments"), _FROM), copy=False)
    target = alias(name(_FROM, "periods"), grain.column) if leads_grain else alias(shifted, spine.column)
    query = query.select(target, copy=False).from_(subquery(moments, "moments"), copy=False)
    same = exp.EQ(this=name(grain.column, "moments"), expression=name(grain.column, "periods"))
    return query.join(subquery(periods, "periods"), on=same, join_type="inner", copy=False)


def write_scan(block: Block, values: tuple[Value, ...], counted: str | None, write_answer: WriteAnswer) -> exp.Select:
    """Return a SELECT of the groups and values, one row per group; `counted` names the number of rows behind."""
    groups = [group for group, _ in block.groups]
    if isinstance(block.source, Conversions):
        rows = _write_pairs(block, block.source, values, write_answer)
        query = exp.Select().select(*(name(group) for group in groups), copy=False)
        query = query.select(*(alias(aggregate(v, name(_ARGUMENT)), v.column) for v in values), copy=False)
        query = query.from_(subquery(rows, "pairs"), copy=False)
    elif isinstance(block.source, Answer):
        return write_answer(block.source)
    else:
        keys = [alias(read(column), group) for group, column in block.groups]
        rows = read_rows(block.source, write_answer)
        if block.window is None:
            query = rows.select(
                *keys, *(alias(aggregate(v, argument(v.argument)), v.column) for v in values), copy=False
            )
        else:
            kept = _keep_window(rows, block.window)
            kept = kept.select(*keys, *(alias(argument(v.argument), v.column) for v in values), copy=False)
            query = exp.Select().select(*(name(group) for group in groups), copy=False)
            query = query.select(*(alias(aggregate(v, name(v.column)), v.column) for v in values), copy=False)
            query = query.from_(subquery(kept, "rows_kept"), copy=False)
    if counted is not None:
        query = query.select(alias(exp.Count(this=exp.Star()), counted), copy=False)
    return query.group_by(*positions(len(groups)), copy=False) if groups else query


def _keep_window(rows: exp.Select, window: Window) -> exp.Select:
    """Keep only the rows at the first or last moment of each partition."""
    extreme = exp.Max if window.takes_last else exp.Min
    partition = [read(part) for part in (*window.partitions, *window.groupings)]
    is_at_moment = exp.EQ(
        this=read(window.moment),
        expression=exp.Window(this=extreme(this=read(window.moment)), partition_by=partition),
    )
    present = [exp.Not(this=exp.Is(this=read(key), expression=exp.Null())) for key in window.groupings]
    rows.set("qualify", exp.Qualify(this=exp.and_(is_at_moment, *present, copy=False)))
    return rows


def _write_pairs(block: Block, source: Conversions, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    """Return one row per converted act, with the groups of the latest base act before it."""
    groups = [group for group, _ in block.groups]
    base = _write_side(source.base, write_answer)
    base = base.select(*(alias(read(column), group) for group, column in block.groups), copy=False)
    converted = _write_side(source.converted, write_answer)
    converted = converted.select(
        alias(argument(values[0].argument), _ARGUMENT), alias(exp.Window(this=exp.RowNumber()), _NUMBER), copy=False
    )
    same = [exp.EQ(this=name(key, "base"), expression=name(key, "converted")) for key in _keys(source.base)]
    conditions: list[exp.Expr] = [
        *same, exp.LTE(this=name(_WHEN, "base"), expression=name(_WHEN, "converted")),
    ]  # fmt: skip
    if source.window is not None:
        earliest = before(name(_WHEN, "converted"), source.window)
        conditions.append(exp.GT(this=name(_WHEN, "base"), expression=earliest))
    pairs = exp.Select().select(*(name(group, "base") for group in groups), name(_ARGUMENT, "converted"), copy=False)
    pairs = pairs.from_(subquery(base, "base"), copy=False)
    pairs = pairs.join(
        subquery(converted, "converted"), on=exp.and_(*conditions, copy=False), join_type="inner", copy=False
    )
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[name(_NUMBER, "converted")],
        # Of several base acts at one moment the groups decide, so that an answer is the same each time.
        order=exp.Order(
            expressions=[
                exp.Ordered(this=name(_WHEN, "base"), desc=True, nulls_first=False),
                *(exp.Ordered(this=name(group, "base"), nulls_first=False) for group in groups),
            ]
        ),
    )
    pairs.set("qualify", exp.Qualify(this=exp.EQ(this=place, expression=exp.Literal.number(1))))
    return pairs


def _keys(side: Side) -> list[str]:
    return [f"{_KEY}_{place}" for place in range(1 + len(side.constants))]


def _write_side(side: Side, write_answer: WriteAnswer) -> exp.Select:
    columns = (side.entity, *side.constants)
    rows = read_rows(side.scan, write_answer).select(alias(read(side.moment), _WHEN), copy=False)
    return rows.select(
        *(alias(read(column), key) for column, key in zip(columns, _keys(side), strict=True)), copy=False
    )
