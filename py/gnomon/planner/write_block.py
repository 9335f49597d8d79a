"""A block as SQL: its rows aggregated, then each of its steps around what came before."""

from __future__ import annotations

from sqlglot import exp

from gnomon.planner.algebra import (
    MOMENT,
    SPINE,
    TOTALS,
    Accumulate,
    Block,
    Column,
    Keep,
    MoveOn,
    OnSpine,
    PickPeriod,
    SpineRows,
    Step,
    Times,
    Value,
)
from gnomon.planner.sql_parts import (
    alias,
    ascending,
    bind,
    cast,
    combine,
    cte,
    descending,
    interval,
    is_there,
    join,
    name,
    names,
    number,
    read,
    select,
    shift,
    subquery,
    table,
    truncate,
    union_all,
    window,
    write_tests,
)
from gnomon.planner.write_scan import WriteAnswer, write_joins, write_scan
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Accumulation, PeriodValue, Span

_ROWS, IS_SPINE, _PLACE = "__rows", "__is_spine", "__place"


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
        case MoveOn():
            return _move_on(query, step, values)
        case PickPeriod():
            return _pick_period(query, step, values)
        case Keep():
            conditions = [
                bind(each, [(name(reference.name), reference.grain is not None) for reference in each.references])
                for each in step.filters
            ]
            return select([exp.Star()], subquery(query, TOTALS), where=conditions)


def _read_spine(rows: SpineRows, times: Times, write_answer: WriteAnswer, *, by: Grain | None = None) -> exp.Select:
    """Return the times of a spine under their names; with `by`, each period of that grain once, under MOMENT."""
    columns = [alias(read(column), group) for group, column in times.columns]
    spine = rows.spine
    if by is not None and MOMENT not in [group for group, _ in times.columns]:
        moment: exp.Expr = name(spine.column, SPINE)
        columns.append(alias(moment if by is spine.grain else truncate(moment, by), MOMENT))
    is_whole = any(column == Column(SPINE, spine.column) for _, column in times.columns)
    finest = by or (spine.grain if is_whole else None)
    return select(
        columns,
        table(spine.relation, SPINE),
        joins=list(write_joins(rows.joins, write_answer)),
        where=write_tests(rows.tests),
        distinct=finest is not spine.grain,
    )


def _join_spine(query: exp.Select, step: OnSpine, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    moments = _read_spine(step.rows, step.times, write_answer)
    moments_of: list[exp.Expr] = list(names(step.keys, "moments"))
    if step.offset is not None:
        moments_of = [shift(moment, step.offset) for moment in moments_of]
    on = [exp.EQ(this=m, expression=name(key, TOTALS)) for m, key in zip(moments_of, step.keys, strict=True)]
    return select(
        [
            *names((group for group, _ in step.times.columns), "moments"),
            *names(step.times.others, TOTALS),
            *names((value.column for value in values), TOTALS),
        ],
        subquery(moments, "moments"),
        joins=[join(subquery(query, TOTALS), on, "left" if step.keeps_empty else "inner")],
    )


def _move_on(query: exp.Select, step: MoveOn, values: tuple[Value, ...]) -> exp.Select:
    kept = [*step.times.others, *(value.column for value in values)]
    key = name(step.key, TOTALS)
    later = alias(exp.Add(this=key, expression=interval(step.by)), step.key)
    where = [is_there(key.copy()), *write_tests(step.bounds)]
    moved = select([later, *names(kept)], subquery(query, TOTALS), where=where)
    if not step.tests and [group for group, _ in step.times.columns] == [step.key]:
        return moved
    times = [alias(read(column), group) for group, column in step.times.columns]
    return select([*times, *names(kept)], subquery(moved, "moved"), where=write_tests(step.tests))


def _accumulate(
    query: exp.Select, step: Accumulate, values: tuple[Value, ...], write_answer: WriteAnswer
) -> exp.Select:
    """Put the totals and the spine's moments in one series, and look back over it from every moment."""
    times = [group for group, _ in step.times.columns]
    carried = [group for group in times if group != MOMENT]
    others = list(step.times.others)
    columns = [value.column for value in values]
    known = select(
        [
            *names(others),
            name(MOMENT),
            *(alias(exp.Null(), group) for group in carried),
            *names(columns),
            name(_ROWS),
            alias(exp.false(), IS_SPINE),
        ],
        cte(TOTALS),
        where=[is_there(name(MOMENT))],
    )
    groups = select(names(others), cte(TOTALS), distinct=True) if others else None
    asked = select(
        [
            *names(others, "groups"),
            name(MOMENT, "moments"),
            *names(carried, "moments"),
            *(exp.Null() for _ in columns),
            number(0),
            exp.true(),
        ],
        subquery(_read_spine(step.rows, step.times, write_answer, by=step.grain), "moments"),
        joins=[] if groups is None else [join(subquery(groups, "groups"), [], "cross")],
        where=_reach(step.over),
    )
    looked = [alias(_look_back(combine(value, name(value.column)), step, others), value.column) for value in values]
    looked.append(alias(_look_back(exp.Sum(this=name(_ROWS)), step, others), _ROWS))
    looked_back = select(
        [*names(others), *names(times), *looked, name(IS_SPINE)], subquery(union_all([known, asked]), "series")
    )
    return select(
        [*names(others), *names(times), *names(columns)],
        subquery(looked_back, "looked_back"),
        where=[name(IS_SPINE), exp.GT(this=name(_ROWS), expression=number(0))],
        ctes={TOTALS: query},
    )


def _reach(over: Accumulation) -> list[exp.Expr]:
    """Leave out the moments of a spine at which no total can count: before all of them, or long after."""

    def find(extreme: type[exp.Min | exp.Max]) -> exp.Expr:
        return exp.Subquery(this=select([extreme(this=name(MOMENT))], cte(TOTALS)))

    conditions: list[exp.Expr] = [exp.GTE(this=name(MOMENT, "moments"), expression=find(exp.Min))]
    if over.window is not None:
        # Months are of unequal length, so a few days more than the window.
        end = exp.Add(this=find(exp.Max), expression=interval(over.window))
        end = exp.Add(this=end, expression=interval(Span(4, Grain.DAY)))
        conditions.append(exp.LTE(this=name(MOMENT, "moments"), expression=end))
    return conditions


def _look_back(total: exp.Expr, step: Accumulate, others: list[str]) -> exp.Expr:
    by: list[exp.Expr] = list(names(others))
    start: exp.Expr | str = "UNBOUNDED"
    if step.over.window is not None:
        # The window's own beginning is left out; a moment is never finer than a microsecond.
        start = exp.Paren(
            this=exp.Sub(this=interval(step.over.window), expression=interval(Span(1, Grain.MICROSECOND)))
        )
    elif step.over.to_date is not None:
        by.append(truncate(name(MOMENT), step.over.to_date))
    spec = exp.WindowSpec(kind="RANGE", start=start, start_side="PRECEDING", end="CURRENT ROW")
    return window(total, by, [ascending(cast(name(MOMENT), exp.DType.TIMESTAMP))], spec)


def _pick_period(query: exp.Select, step: PickPeriod, values: tuple[Value, ...]) -> exp.Select:
    columns = [value.column for value in values]
    if step.value is PeriodValue.AVERAGE:
        averages = [alias(exp.Avg(this=_filled(value)), value.column) for value in values]
        return select([*names(step.groups), *averages], subquery(query, "by_moment"), group=len(step.groups))
    order = descending(name(MOMENT)) if step.value is PeriodValue.LAST else ascending(name(MOMENT))
    place = window(exp.RowNumber(), list(names(step.groups)), [order])
    numbered = select([exp.Star(), alias(place, _PLACE)], subquery(query, "by_moment"))
    return select(
        [*names(step.groups), *names(columns)],
        subquery(numbered, "numbered"),
        where=[exp.EQ(this=name(_PLACE), expression=number(1))],
    )


def _filled(value: Value) -> exp.Expr:
    if value.fill is None:
        return name(value.column)
    return exp.Coalesce(this=name(value.column), expressions=[number(value.fill)])
