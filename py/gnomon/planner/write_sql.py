"""The last pass: one SQL tree. Write each block, stitch the blocks on the groups, apply the formulas.

Blocks are stitched by UNION ALL and one more aggregation rather than by full outer joins:
NULL keys meet, and any number of blocks costs one pass over rows that are already few.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.algebra import Answer
from gnomon.planner.draft import Drawn, Variance
from gnomon.planner.expand_metrics import HAS_PREFIX
from gnomon.planner.sql_parts import alias, name, positions, subquery
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


def write_sql(drawn: Drawn) -> exp.Select:
    """Return the answer's SELECT; units and variances follow the asked columns, under their prefixes."""
    resolved = drawn.resolved
    query, formulas = _stitch_all(drawn.answer, drawn.variances)
    query = query.select(*(name(group) for group in drawn.answer.groups), copy=False)
    for metric in resolved.metrics:
        query = query.select(alias(formulas[metric.name].copy(), metric.name), copy=False)
    for companion in resolved.companions:
        query = query.select(alias(formulas[companion.name].copy(), UNITS_PREFIX + companion.name), copy=False)
    for variance in drawn.variances:
        query = query.select(name(VARIANCE_PREFIX + variance.metric), copy=False)
        query = query.select(name(REPLICATES_PREFIX + variance.metric), copy=False)
    for ordering in resolved.order_by:
        # Nulls last both ways, said aloud: engines differ in what they do in silence.
        by = exp.Ordered(this=name(ordering.column), desc=ordering.is_descending, nulls_first=False)
        query = query.order_by(by, copy=False)
    return query.limit(resolved.limit, copy=False) if resolved.limit is not None else query


def take_extremes(query: exp.Select, groups: tuple[str, ...]) -> tuple[exp.Select, tuple[str, ...]]:
    """Return the least and the greatest of the one group that a query lists, and their names."""
    if len(groups) != 1:
        raise QueryError(f"the least and the greatest are of one dimension, and {len(groups)} are asked for.")
    (group,) = groups
    names = (f"{group}__min", f"{group}__max")
    extremes = exp.Select().select(
        alias(exp.Min(this=name(group)), names[0]), alias(exp.Max(this=name(group)), names[1]), copy=False
    )
    return extremes.from_(subquery(query, "listed"), copy=False), names


def write_answer(answer: Answer) -> exp.Select:
    """Return a SELECT of an answer's groups and formulas, to stand inside another one."""
    query, formulas = _stitch_all(answer, ())
    query = query.select(*(name(group) for group in answer.groups), copy=False)
    return query.select(*(alias(formula, column) for column, formula in formulas.items()), copy=False)


def _stitch_all(answer: Answer, variances: tuple[Variance, ...]) -> tuple[exp.Select, dict[str, exp.Expr]]:
    """Return SELECT … FROM the stitched blocks, with nothing selected yet, and the formulas over it."""
    groups = list(answer.groups)
    formulas, flagged = _read_formulas(answer)
    branches = _write_branches(answer, variances, flagged)
    query = exp.Select()
    for branch in branches:
        query = query.with_(exp.to_identifier(branch.called, quoted=True), as_=branch.query, copy=False)
    base = branches[0].called
    if len(branches) > 1:
        base = "stitched"
        query = query.with_(exp.to_identifier(base, quoted=True), as_=_stitch(branches, groups), copy=False)
    return query.from_(exp.to_table(base), copy=False), formulas


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


def _write_branches(answer: Answer, variances: tuple[Variance, ...], flagged: set[int]) -> list[_Branch]:
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
    for place, variance in enumerate(variances, start=1):
        columns = (VARIANCE_PREFIX + variance.metric, REPLICATES_PREFIX + variance.metric)
        query = write_variance(variance, groups, *columns, write_answer)
        estimates.append(_Branch(f"variance_{place}", query, columns, is_asked=False))
    return blocks + estimates


def _stitch(branches: list[_Branch], groups: list[str]) -> exp.Select:
    columns = [column for branch in branches for column in branch.columns]
    flags = [branch.flag for branch in branches if branch.flag is not None]
    parts: list[exp.Query] = []
    for branch in branches:
        own = set(branch.columns)
        selected: list[exp.Expr] = [name(each) for each in groups]
        selected += [name(column) if column in own else alias(exp.Null(), column) for column in columns]
        selected += [alias(exp.true() if flag == branch.flag else exp.Null(), flag) for flag in flags]
        selected.append(alias(exp.Literal.number(int(branch.is_asked)), _ASKED))
        parts.append(exp.Select().select(*selected, copy=False).from_(exp.to_table(branch.called), copy=False))
    union = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False, copy=False)
    query = exp.Select().select(*(name(each) for each in groups), copy=False)
    query = query.select(*(alias(exp.Max(this=name(column)), column) for column in columns), copy=False)
    query = query.select(*(alias(exp.Max(this=name(flag)), flag) for flag in flags), copy=False)
    query = query.from_(subquery(union, "branches"), copy=False)
    if not groups:
        return query
    is_asked = exp.EQ(this=exp.Max(this=name(_ASKED)), expression=exp.Literal.number(1))
    return query.group_by(*positions(len(groups)), copy=False).having(is_asked, copy=False)
