"""The rows of a source: FROM, joins and tests; and values aggregated from them by group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypedDict

from sqlglot import exp

from gnomon.planner.algebra import (
    KEYS,
    MOMENT,
    NEXT,
    PRESENT,
    SPINE,
    Answer,
    Block,
    Conversions,
    Days,
    Join,
    Latest,
    Restricted,
    Scan,
    Side,
    Spread,
    Top,
    Value,
    Window,
)
from gnomon.planner.sql_parts import (
    aggregate,
    alias,
    all_columns,
    all_of,
    any_of,
    argument,
    ascending,
    before,
    case,
    descending,
    equals,
    interval,
    is_null,
    is_there,
    join,
    marked_table,
    name,
    names,
    number,
    read,
    same,
    select,
    shift,
    subquery,
    table,
    truncate,
    window,
    write_tests,
)
from gnomon.semantic.grain import CustomGrain
from gnomon.semantic.model import Accumulation, Aggregation, Offset, Span, TimeSpine

# A row's number among the conversions, and what the parts of a pair are called.
_NUMBER, _KEY, _WHEN, _ARGUMENT = "__number", "__key", "__when", "__argument"
# A moment of a spine before it is shifted, and the ends of the period that it is shifted to.
_FROM, _FIRST, _LAST = "__from", "__first", "__last"
WriteAnswer = Callable[[Answer | Top], exp.Select]


class Rows(TypedDict):
    """FROM, joins and conditions: a SELECT without its columns."""

    source: exp.Expr
    joins: list[exp.Join]
    where: list[exp.Expr]


def read_rows(scan: Scan, write_answer: WriteAnswer) -> Rows:
    """Return where the rows of a scan come from."""
    spread = [] if scan.spread is None else [_spread(scan.spread)]
    return {
        "source": _write_table(scan.relation, scan.alias, write_answer),
        "joins": [*spread, *write_joins(scan.joins, write_answer)],
        "where": write_tests(scan.tests),
    }


def write_joins(joins: tuple[Join, ...], write_answer: WriteAnswer) -> Iterator[exp.Join]:
    """Yield the joins, in their order."""
    for each in joins:
        if isinstance(each.target, Answer | Top):
            target: exp.Expr = subquery(write_answer(each.target), each.alias)
        else:
            target = _write_table(each.target, each.alias, write_answer, marks=each.marks)
        equal = same if each.meets_nulls else equals
        on: list[exp.Expr] = [equal(read(left), read(right)) for left, right in each.equal]
        if each.validity is not None:
            moment, start, end = each.validity.moment, each.validity.start, each.validity.end
            on.append(exp.GTE(this=read(moment), expression=read(start)))
            on.append(any_of([exp.LT(this=read(moment), expression=read(end)), is_null(read(end))]))
        yield join(target, on, "cross" if not on else "full" if each.keeps_both else "left")


def _write_table(
    relation: str | Restricted | Days | Latest, called: str, write_answer: WriteAnswer, *, marks: bool = False
) -> exp.Expr:
    if isinstance(relation, str):
        return marked_table(relation, called) if marks else table(relation, called)
    if isinstance(relation, Days):
        keys = [alias(read(column), name) for name, column in relation.columns]
        totals = [alias(_write_total(value, is_grouped=True), value.column) for value in relation.values]
        return subquery(select([*keys, *totals], group=len(keys), **read_rows(relation.scan, write_answer)), called)
    if isinstance(relation, Latest):
        return subquery(_count_latest(relation, write_answer), called)
    columns: list[exp.Expr] = [all_columns(relation.scan.alias)]
    columns += [alias(exp.true(), PRESENT)] if marks else []
    return subquery(select(columns, **read_rows(relation.scan, write_answer)), called)


def _count_latest(latest: Latest, write_answer: WriteAnswer) -> exp.Select:
    groups = [name for name, _ in latest.columns]
    by = [read(column) for column in (*(column for _, column in latest.columns), latest.key)]
    following = exp.Anonymous(this="LEAD", expressions=[read(latest.moment)])
    rows = select(
        [
            *(alias(read(column), name) for name, column in latest.columns),
            alias(read(latest.moment), MOMENT),
            alias(window(following, by, [ascending(read(latest.moment))]), NEXT),
            alias(read(latest.key), _KEY),
        ],
        **read_rows(latest.scan, write_answer),
    )
    keys = [*groups, MOMENT, NEXT]
    return select([*names(keys), alias(exp.Count(this=name(_KEY)), KEYS)], subquery(rows, "rows"), group=len(keys))


def _spread(spread: Spread) -> exp.Join:
    """Join the rows to the moments that they count for."""
    spine, grain = spread.rows.spine, spread.moment.grain
    assert grain is not None
    moment, at = read(spread.moment), name(spine.column, SPINE)
    if isinstance(spread.how, Offset) and spread.how.back and isinstance(spread.how.back.grain, CustomGrain):
        shifted = _lead(spine, spread.how.back.grain, spread.how.back.count, spread.leads_grain)
        return join(subquery(shifted, SPINE), [exp.EQ(this=name(_FROM, SPINE), expression=moment)], "inner")
    moments = table(spine.relation, SPINE)
    if grain is not spine.grain:
        periods = alias(truncate(name(spine.column, SPINE), grain), spine.column)
        moments = subquery(select([periods], moments, distinct=True), SPINE)
    if isinstance(spread.how, Accumulation):
        on: list[exp.Expr] = [exp.LTE(this=moment, expression=at)]
        if spread.how.window is not None:
            on.append(exp.GT(this=moment.copy(), expression=before(at.copy(), spread.how.window)))
        elif spread.how.to_date is not None:
            on.append(exp.GTE(this=moment.copy(), expression=truncate(at.copy(), spread.how.to_date)))
    else:
        on = [exp.EQ(this=shift(at, spread.how), expression=moment)]
        starts = [exp.EQ(this=read(period), expression=at.copy()) for period in spread.periods]
        on += [any_of(starts)] if starts else []
    if spread.until is not None:
        on.append(any_of([is_null(read(spread.until)), exp.LT(this=at.copy(), expression=read(spread.until))]))
    return join(moments, on, "inner")


def _lead(spine: TimeSpine, grain: CustomGrain, count: int, leads_grain: bool) -> exp.Select:
    """Return each moment of a spine, under _FROM, with the one at the same place `count` periods later.

    There is none, and so it is null, where the later period is shorter or beyond the spine.
    """

    def later(value: exp.Expr) -> exp.Expr:
        lead = exp.Anonymous(this="LEAD", expressions=[value, number(count)])
        return window(lead, order=[ascending(name(grain.column))])

    periods = select(
        [
            name(grain.column),
            alias(later(exp.Min(this=name(spine.column))), _FIRST),
            alias(later(exp.Max(this=name(spine.column))), _LAST),
            alias(later(name(grain.column)), _FROM),
        ],
        table(spine.relation, SPINE),
        group=1,
    )
    place = window(exp.RowNumber(), [name(grain.column)], [ascending(name(spine.column))])
    moments = select([name(spine.column), name(grain.column), alias(place, _NUMBER)], table(spine.relation, SPINE))
    steps = exp.Mul(
        this=exp.Paren(this=exp.Sub(this=name(_NUMBER), expression=number(1))),
        expression=interval(Span(1, spine.grain)),
    )
    there = exp.Add(this=name(_FIRST), expression=steps)
    shifted = case(exp.LTE(this=there, expression=name(_LAST)), there.copy())
    moment = name(spine.column, "moments")
    target = [alias(shifted, spine.column)]
    if leads_grain:
        target = [alias(name(_FROM, "periods"), column) for column in (grain.column, spine.column)]
    same = exp.EQ(this=name(grain.column, "moments"), expression=name(grain.column, "periods"))
    return select(
        [alias(moment.copy(), _FROM), *target],
        subquery(moments, "moments"),
        joins=[join(subquery(periods, "periods"), [same], "inner")],
    )


def write_scan(block: Block, values: tuple[Value, ...], counted: str | None, write_answer: WriteAnswer) -> exp.Select:
    """Return a SELECT of the groups and values, one row per group; `counted` names the number of rows behind."""
    if isinstance(block.source, Answer):
        return write_answer(block.source)
    groups = [group for group, _ in block.groups]
    count = [] if counted is None else [alias(exp.Count(this=exp.Star()), counted)]
    if isinstance(block.source, Conversions):
        pairs = _write_pairs(block, block.source, values, write_answer)
        totals = [alias(aggregate(value, name(_ARGUMENT)), value.column) for value in values]
        return select([*names(groups), *totals], subquery(pairs, "pairs"), group=len(groups))
    keys = [alias(read(column), group) for group, column in block.groups]
    rows = read_rows(block.source, write_answer)
    if block.window is None:
        totals = [alias(_write_total(value, is_grouped=bool(groups)), value.column) for value in values]
        return select([*keys, *totals, *count], group=len(groups), **rows)
    arguments = [alias(argument(value.argument), value.column) for value in values]
    kept = select([*keys, *arguments], qualify=_keep_window(block.window), **rows)
    totals = [alias(aggregate(value, name(value.column)), value.column) for value in values]
    return select([*names(groups), *totals, *count], subquery(kept, "rows_kept"), group=len(groups))


def _write_total(value: Value, *, is_grouped: bool) -> exp.Expr:
    """Return the aggregate of the rows that pass the value's own tests."""
    if not value.tests:
        return _count(value) if is_grouped and value.argument.is_count else aggregate(value, argument(value.argument))
    total = aggregate(value, argument(value.argument))

    def keep(total: exp.Expr) -> exp.Expr:
        if isinstance(total, exp.Div):
            # An average of what a rollup keeps is made of two sums.
            return exp.Div(this=total.this.transform(keep_sum), expression=total.expression.transform(keep_sum))
        return exp.Filter(this=total, expression=exp.Where(this=all_of(write_tests(value.tests))))

    def keep_sum(node: exp.Expr) -> exp.Expr:
        return keep(node) if isinstance(node, exp.Sum) else node

    if value.aggregation is Aggregation.COUNT_DISTINCT and is_grouped:
        # Of a group without such rows there is no count, which is not a count of none.
        is_any = exp.GT(this=keep(exp.Count(this=exp.Star())), expression=number(0))
        return case(is_any, keep(total))
    return keep(total)


def _count(value: Value) -> exp.Expr:
    """Return a sum of ones as a count, which is quicker; of no rows it is 0, so it is for groups, which have rows."""
    rows = read(value.argument.column)
    if value.argument.counts_present:
        return exp.Count(this=rows)
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=rows))


def _keep_window(kept: Window) -> exp.Expr:
    """Return the condition of the rows at the first or last moment of each partition."""
    extreme = exp.Max if kept.takes_last else exp.Min
    by = [read(part) for part in (*kept.partitions, *kept.groupings)]
    is_at_moment = exp.EQ(this=read(kept.moment), expression=window(extreme(this=read(kept.moment)), by))
    return all_of([is_at_moment, *(is_there(read(key)) for key in kept.groupings)])


def _write_pairs(block: Block, source: Conversions, values: tuple[Value, ...], write_answer: WriteAnswer) -> exp.Select:
    """Return one row per converted act, with the groups of the latest base act before it."""
    groups = [group for group, _ in block.groups]
    base = _write_side(source.base, [alias(read(column), group) for group, column in block.groups], write_answer)
    numbered = [alias(argument(values[0].argument), _ARGUMENT), alias(window(exp.RowNumber()), _NUMBER)]
    converted = _write_side(source.converted, numbered, write_answer)
    on: list[exp.Expr] = [
        exp.EQ(this=name(key, "base"), expression=name(key, "converted")) for key in _keys(source.base)
    ]
    on.append(exp.LTE(this=name(_WHEN, "base"), expression=name(_WHEN, "converted")))
    if source.window is not None:
        earliest = before(name(_WHEN, "converted"), source.window)
        on.append(exp.GT(this=name(_WHEN, "base"), expression=earliest))
    rows, joins = subquery(base, "base"), [join(subquery(converted, "converted"), on, "inner")]
    if not groups:
        # Which base act it is does not matter.
        return select(names((_NUMBER, _ARGUMENT), "converted"), rows, joins=joins, distinct=True)
    # Of several base acts at one moment the groups decide, so that an answer is the same each time.
    order = [descending(name(_WHEN, "base")), *(ascending(name(group, "base")) for group in groups)]
    place = window(exp.RowNumber(), [name(_NUMBER, "converted")], order)
    return select(
        [*names(groups, "base"), name(_ARGUMENT, "converted")],
        rows,
        joins=joins,
        qualify=exp.EQ(this=place, expression=number(1)),
    )


def _keys(side: Side) -> list[str]:
    return [f"{_KEY}_{place}" for place in range(1 + len(side.constants))]


def _write_side(side: Side, columns: list[exp.Expr], write_answer: WriteAnswer) -> exp.Select:
    keys = zip((side.entity, *side.constants), _keys(side), strict=True)
    own = [alias(read(side.moment), _WHEN), *(alias(read(column), key) for column, key in keys)]
    return select([*own, *columns], **read_rows(side.scan, write_answer))
