"""Pass 14: one SQL tree. Write each block, stitch the blocks on the groups, apply the formulas.

Blocks are stitched by UNION ALL and one more aggregation rather than by full outer joins:
NULL keys meet, and any number of blocks costs one pass over rows that are already few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.algebra import HAS_PREFIX, IS_OTHER, IS_ROW, Answer, Top
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft
from gnomon.planner.sql_parts import (
    alias,
    ascending,
    cte,
    descending,
    identifier,
    is_there,
    join,
    name,
    names,
    number,
    same,
    select,
    subquery,
    union_all,
)
from gnomon.planner.write_block import write_block
from gnomon.planner.write_variance import write_variance

UNITS_PREFIX = "__units__"
VARIANCE_PREFIX = "__variance__"
REPLICATES_PREFIX = "__replicates__"
_ASKED = "__is_asked"
_HAS = "__has_"


@dataclass(frozen=True)
class _Branch:
    """One CTE of the answer. Only an asked one may add rows to it."""

    called: str
    query: exp.Select
    columns: tuple[str, ...]
    is_asked: bool
    flag: str | None = None


def write_sql(_: Compiled, draft: Draft) -> Draft:
    """Write the answer's SELECT; units and variances follow the asked columns, under their prefixes."""
    resolved, answer = draft.resolved, draft.answer
    formulas, flagged = _read_formulas(answer)
    if draft.question.shows_parts:
        totals = (column for total in answer.totals for column, _ in total.formulas)
        parts = names((*answer.groups, *(leaf.column for leaf in draft.expanded.leaves), *totals))
        return replace(draft, query=_stitch_all([*parts], answer, flagged))
    columns: list[exp.Expr] = [
        *names(answer.groups),
        *(alias(formulas[metric.name], metric.name) for metric in resolved.metrics),
    ]
    asked = {metric.name for metric in resolved.metrics}
    for companion in resolved.companions:
        formula = formulas[companion.name]
        columns.append(alias(formula.copy() if companion.name in asked else formula, UNITS_PREFIX + companion.name))
    for each in (answer, *answer.totals):
        columns += names(_variance_columns(each))
    if draft.expanded.cells:
        columns += [alias(formulas[column], column) for column in (*draft.expanded.counts, IS_ROW)]
        # What is small is hidden before the rest is ordered, so that no row's place tells what is hidden in it.
        resolved = replace(resolved, order_by=(), limit=None)
    query = _stitch_all(columns, answer, flagged)
    if resolved.order_by:
        # Nulls last both ways, said aloud: engines differ in what they do in silence.
        by = [(descending if each.is_descending else ascending)(name(each.column)) for each in resolved.order_by]
        query.set("order", exp.Order(expressions=by))
    if resolved.limit is not None:
        query.set("limit", exp.Limit(expression=number(resolved.limit)))
    return replace(draft, query=_take_extremes(query, answer.groups) if draft.question.takes_extremes else query)


def _take_extremes(query: exp.Select, groups: tuple[str, ...]) -> exp.Select:
    """Return the least and the greatest of the one group that a query lists."""
    if len(groups) != 1:
        raise QueryError(f"the least and the greatest are of one dimension, and {len(groups)} are asked for.")
    (group,) = groups
    extremes = [
        alias(extreme(this=name(group)), column)
        for extreme, column in zip((exp.Min, exp.Max), name_extremes(group), strict=True)
    ]
    return select(extremes, subquery(query, "listed"))


def name_extremes(group: str) -> tuple[str, str]:
    """Return what the least and the greatest of a group are called."""
    return f"{group}__min", f"{group}__max"


def write_answer(answer: Answer | Top) -> exp.Select:
    """Return a SELECT of an answer's groups and formulas, to stand inside another one."""
    if isinstance(answer, Top):
        return _write_top(answer)
    formulas, flagged = _read_formulas(answer)
    columns = [
        *names(answer.groups),
        *(alias(formula, column) for column, formula in formulas.items()),
        *names(_variance_columns(answer)),
    ]
    return _stitch_all(columns, answer, flagged)


def _variance_columns(answer: Answer) -> Iterator[str]:
    for variance in answer.variances:
        yield from (VARIANCE_PREFIX + variance.column, REPLICATES_PREFIX + variance.column)


def _write_top(top: Top) -> exp.Select:
    by = (descending if top.is_descending else ascending)(name(top.by))
    query = select(
        [*names(top.answer.groups), alias(exp.false(), IS_OTHER)],
        subquery(write_answer(top.answer), "ranked"),
        where=[is_there(name(top.by))] if top.needs_value else [],
    )
    query.set("order", exp.Order(expressions=[by, *map(ascending, names(top.answer.groups))]))
    query.set("limit", exp.Limit(expression=number(top.count)))
    return query


def _stitch_all(columns: list[exp.Expr], answer: Answer, flagged: set[int]) -> exp.Select:
    """Return the columns selected from the stitched blocks."""
    branches = _write_branches(answer, flagged)
    ctes: dict[str, exp.Query] = {branch.called: branch.query for branch in branches}
    base = branches[0].called
    if len(branches) > 1:
        base = "stitched"
        ctes[base] = _stitch(branches, list(answer.groups))
    if answer.totals:
        ctes["with_totals"] = _join_totals(base, answer.totals)
        base = "with_totals"
    return select(columns, cte(base), ctes=ctes)


def _join_totals(base: str, totals: tuple[Answer, ...]) -> exp.Select:
    """Return the rows with the values of the totals that they are part of."""
    columns: list[exp.Expr] = [exp.Column(this=exp.Star(), table=identifier(base))]
    joins = []
    for place, total in enumerate(totals, start=1):
        called = f"total_{place}"
        columns += names((column for column, _ in total.formulas), called)
        columns += names(_variance_columns(total), called)
        on = [same(name(group, base), name(group, called)) for group in total.groups]
        joins.append(join(subquery(write_answer(total), called), on, "left" if on else "cross"))
    return select(columns, cte(base), joins=joins)


def _read_formulas(answer: Answer) -> tuple[dict[str, exp.Expr], set[int]]:
    """Return the formulas with flags of blocks in the place of __has:COLUMN, and the places of those blocks."""
    homes = {value.column: place for place, (_, values) in enumerate(answer.blocks, start=1) for value in values}
    formulas: dict[str, exp.Expr] = {}
    flagged: set[int] = set()
    for metric, formula in answer.formulas:
        formula = formula.copy()
        for column in list(formula.find_all(exp.Column)):
            if not column.name.startswith(HAS_PREFIX):
                continue
            place = homes[column.name.removeprefix(HAS_PREFIX)]
            if len(answer.blocks) == 1:
                column.replace(exp.true())
            else:
                flagged.add(place)
                column.replace(name(f"{_HAS}{place}"))
        formulas[metric] = formula
    return formulas, flagged


def _write_branches(answer: Answer, flagged: set[int]) -> list[_Branch]:
    groups = list(answer.groups)
    blocks = [
        _Branch(
            called=f"scan_{place}",
            query=write_block(block, values, write_answer),
            columns=tuple(value.column for value in values),
            is_asked=any(value.is_asked for value in values),
            flag=f"{_HAS}{place}" if place in flagged else None,
        )
        for place, (block, values) in enumerate(answer.blocks, start=1)
    ]
    estimates = []
    for place, variance in enumerate(answer.variances, start=1):
        columns = (VARIANCE_PREFIX + variance.column, REPLICATES_PREFIX + variance.column)
        query = write_variance(variance, groups, *columns, write_answer)
        estimates.append(_Branch(f"variance_{place}", query, columns, is_asked=False))
    return blocks + estimates


def _stitch(branches: list[_Branch], groups: list[str]) -> exp.Select:
    columns = [column for branch in branches for column in branch.columns]
    flags = [branch.flag for branch in branches if branch.flag is not None]
    # Where every branch may add rows, none has to say that it may.
    marks = bool(groups) and not all(branch.is_asked for branch in branches)
    parts: list[exp.Query] = []
    for branch in branches:
        own = set(branch.columns)
        selected: list[exp.Expr] = [
            *names(groups),
            *(name(column) if column in own else alias(exp.Null(), column) for column in columns),
            *(alias(exp.true() if flag == branch.flag else exp.Null(), flag) for flag in flags),
            *([alias(number(int(branch.is_asked)), _ASKED)] if marks else []),
        ]
        parts.append(select(selected, cte(branch.called)))
    values = [alias(exp.Max(this=name(column)), column) for column in (*columns, *flags)]
    is_asked = exp.EQ(this=exp.Max(this=name(_ASKED)), expression=number(1)) if marks else None
    return select([*names(groups), *values], subquery(union_all(parts), "branches"), group=len(groups), having=is_asked)
