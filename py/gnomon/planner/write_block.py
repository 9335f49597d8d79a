"""A block as SQL: its rows aggregated, then each of its steps around what came before."""

from __future__ import annotations

from sqlglot import exp

from gnomon.planner.algebra import (
    MOMENT,
    SPINE,
    Accumulate,
    Block,
    Column,
    Keep,
    OnSpine,
    PickPeriod,
    SpineRows,
    Step,
    Times,
    Value,
)
from gnomon.planner.sql_parts import (
    alias,
    combine,
    interval,
    name,
    positions,
    read,
    shift,
    subquery,
    table,
    truncate,
    write_tests,
)
from gnomon.planner.write_scan import WriteAnswer, add_joins, write_scan
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Accumulation, PeriodValue, Span

_ROWS, _IS_SPINE, _PLACE = "__rows", "__is_spine", "__place"


def write_block(block: Block, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    """Return a SELECT of the block's groups and values."""
    accumulates = any(isinstance(step, Accumulate) for step in block.steps)
    query = write_scan(block, values, _ROWS if accumulates else None, write_answer)
    for step in block.steps:
        query = _write_step(query, step, values, write_answer)
    return query


def _write_step(query: exp.Select, step: Step, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    match step:
        case Accumulate():
            return _accumulate(query, step, values, write_answer)
        case OnSpine():
            return _join_spine(query, step, values, write_answer)
        case PickPeriod():
            return _pick_period(query, step, values)
        case Keep():
            kept = exp.Select().select("*", copy=False).from_(subquery(query, "totals"), copy=False)
            conditions = [
                exp.Paren(this=each.bind([name(reference.name) for reference in each.references]))
                for each in step.filters
            ]
            return kept.where(*conditions, copy=False)


def _read_spine(rows: SpineRows, times: Times, write_answer: WriteAnswer, *, by: Grain | None = None) -> exp.Select:
    """Return the times of a spine under their names; with `by`, each period of that grain once, under MOMENT."""
    columns = [alias(read(column), group) for group, column in times.columns]
    spine = rows.spine
    if by is not None and MOMENT not in [group for group, _ in times.columns]:
        moment: exp.Expr = name(spine.column, SPINE)
        columns.append(alias(moment if by is spine.grain else truncate(moment, by), MOMENT))
    query = exp.Select().select(*columns, copy=False).from_(table(spine.relation, SPINE), copy=False)
    query = add_joins(query, rows.joins, write_answer)
    conditions = write_tests(rows.tests)
    if conditions:
        query = query.where(*conditions, copy=False)
    is_whole = any(column == Column(SPINE, spine.column) for _, column in times.columns)
    finest = by or (spine.grain if is_whole else None)
    return query if finest is spine.grain else query.distinct(copy=False)


def _join_spine(query: exp.Select, step: OnSpine, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    moments = _read_spine(step.rows, step.times, write_answer)
    key: exp.Expr = name(step.key, "moments")
    if step.offset is not None:
        key = shift(key, step.offset)
    joined = exp.Select().select(
        *(name(group, "moments") for group, _ in step.times.columns),
        *(name(group, "totals") for group in step.times.others),
        *(name(value.column, "totals") for value in values),
        copy=False,
    )
    joined = joined.from_(subquery(moments, "moments"), copy=False)
    return joined.join(
        subquery(query, "totals"),
        on=exp.EQ(this=key, expression=name(step.key, "totals")),
        join_type="left" if step.keeps_empty else "inner",
        copy=False,
    )


def _accumulate(
    query: exp.Select, step: Accumulate, values: tuple[Value, ...], write_answer: WriteAnswer
) -> exp.Select:
    """Put the totals and the spine's moments in one series, and look back over it from every moment."""
    times = [group for group, _ in step.times.columns]
    carried = [group for group in times if group != MOMENT]
    others = list(step.times.others)
    nothing = exp.Null
    series = exp.Select().select(*(name(group) for group in others), name(MOMENT), copy=False)
    series = series.select(*(alias(nothing(), group) for group in carried), copy=False)
    series = series.select(*(name(value.column) for value in values), name(_ROWS), copy=False)
    series = series.select(alias(exp.false(), _IS_SPINE), copy=False)
    series = series.from_(exp.to_table("totals"), copy=False)
    series = series.where(exp.Not(this=exp.Is(this=name(MOMENT), expression=exp.Null())), copy=False)
    moments = _read_spine(step.rows, step.times, write_answer, by=step.grain)
    empty = exp.Select().select(*(name(group, "groups") for group in others), name(MOMENT, "moments"), copy=False)
    empty = empty.select(*(name(group, "moments") for group in carried), copy=False)
    empty = empty.select(*(nothing() for _ in values), exp.Literal.number(0), exp.true(), copy=False)
    empty = empty.from_(subquery(moments, "moments"), copy=False)
    if others:
        groups = exp.Select().select(*(name(group) for group in others), copy=False).distinct(copy=False)
        groups = groups.from_(exp.to_table("totals"), copy=False)
        empty = empty.join(subquery(groups, "groups"), join_type="cross", copy=False)
    empty = empty.where(*_reach(step.over), copy=False)
    both = exp.union(series, empty, distinct=False, copy=False)
    looked = exp.Select().select(*(name(group) for group in others), *(name(group) for group in times), copy=False)
    looked = looked.select(*(alias(_look_back(combine(v, name(v.column)), step, others), v.column) for v in values),
                           copy=False)  # fmt: skip
    looked = looked.select(
        alias(_look_back(exp.Sum(this=name(_ROWS)), step, others), _ROWS), name(_IS_SPINE), copy=False
    )
    looked = looked.from_(subquery(both, "series"), copy=False)
    result = exp.Select().select(*(name(group) for group in (*others, *times)), copy=False)
    result = result.select(*(name(value.column) for value in values), copy=False)
    result = result.from_(subquery(looked, "looked_back"), copy=False)
    result = result.where(name(_IS_SPINE), exp.GT(this=name(_ROWS), expression=exp.Literal.number(0)), copy=False)
    return result.with_(exp.to_identifier("totals"), as_=query, copy=False)


def _reach(over: Accumulation) -> list[exp.Expr]:
    """Leave out the moments of a spine at which no total can count: before all of them, or long after."""
    first = exp.Select().select(exp.Min(this=name(MOMENT)), copy=False).from_("totals", copy=False)
    conditions: list[exp.Expr] = [exp.GTE(this=name(MOMENT, "moments"), expression=exp.Subquery(this=first))]
    if over.window is not None:
        last = exp.Select().select(exp.Max(this=name(MOMENT)), copy=False).from_("totals", copy=False)
        # Months are of unequal length, so a few days more than the window.
        end = exp.Add(this=exp.Subquery(this=last), expression=interval(over.window))
        end = exp.Add(this=end, expression=interval(Span(4, Grain.DAY)))
        conditions.append(exp.LTE(this=name(MOMENT, "moments"), expression=end))
    return conditions


def _look_back(total: exp.Expr, step: Accumulate, others: list[str]) -> exp.Expr:
    partition: list[exp.Expr] = [name(group) for group in others]
    start: exp.Expr | str = "UNBOUNDED"
    if step.over.window is not None:
        # The window's own beginning is left out; a moment is never finer than a microsecond.
        start = exp.Paren(
            this=exp.Sub(this=interval(step.over.window), expression=interval(Span(1, Grain.MICROSECOND)))
        )
    elif step.over.to_date is not None:
        partition.append(truncate(name(MOMENT), step.over.to_date))
    moment = exp.cast(name(MOMENT), "timestamp", copy=False)
    return exp.Window(
        this=total,
        partition_by=partition,
        order=exp.Order(expressions=[exp.Ordered(this=moment, nulls_first=False)]),
        spec=exp.WindowSpec(kind="RANGE", start=start, start_side="PRECEDING", end="CURRENT ROW"),
    )


def _pick_period(query: exp.Select, step: PickPeriod, values: tuple[Value, ...]) -> exp.Select:
    groups = [name(group) for group in step.groups]
    picked = exp.Select().select(*(each.copy() for each in groups), copy=False)
    if step.value is PeriodValue.AVERAGE:
        picked = picked.select(*(alias(exp.Avg(this=_filled(value)), value.column) for value in values), copy=False)
        return picked.from_(subquery(query, "by_moment"), copy=False).group_by(*positions(len(groups)), copy=False)
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=groups,
        order=exp.Order(
            expressions=[
                exp.Ordered(this=name(MOMENT), desc=step.value is PeriodValue.LAST, nulls_first=False),
            ]
        ),
    )
    numbered = exp.Select().select("*", alias(place, _PLACE), copy=False)
    numbered = numbered.from_(subquery(query, "by_moment"), copy=False)
    picked = picked.select(*(name(value.column) for value in values), copy=False)
    picked = picked.from_(subquery(numbered, "numbered"), copy=False)
    return picked.where(exp.EQ(this=name(_PLACE), expression=exp.Literal.number(1)), copy=False)


def _filled(value: Value) -> exp.Expr:
    if value.fill is None:
        return name(value.column)
    return exp.Coalesce(this=name(value.column), expressions=[exp.Literal.number(value.fill)])
