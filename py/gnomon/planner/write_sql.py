"""Pass 6: one SQL tree. Aggregate each scan, stitch the scans on the groups, apply the formulas.

Scans are stitched by UNION ALL and one more aggregation rather than by full outer joins:
NULL keys meet, and any number of scans costs one pass over rows that are already few.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from gnomon.planner.draft import Shared
from gnomon.planner.sql_parts import alias, name, positions
from gnomon.planner.write_scan import write_scan
from gnomon.planner.write_variance import write_variance

UNITS_PREFIX = "__units__"
VARIANCE_PREFIX = "__variance__"
REPLICATES_PREFIX = "__replicates__"
_ASKED = "__is_asked"


@dataclass(frozen=True)
class _Branch:
    """One CTE of the answer. Only an asked one may add rows to it."""

    called: str
    query: exp.Select
    columns: tuple[str, ...]
    is_asked: bool


def write_sql(shared: Shared) -> exp.Select:
    """Return the answer's SELECT; units and variances follow the asked columns, under their prefixes."""
    resolved = shared.expanded.resolved
    formulas = shared.expanded.formulas
    groups = [group.name for group in resolved.groups]
    branches = _write_branches(shared, groups)
    query = exp.Select()
    for branch in branches:
        query = query.with_(exp.to_identifier(branch.called, quoted=True), as_=branch.query, copy=False)
    base = branches[0].called
    if len(branches) > 1:
        base = "stitched"
        query = query.with_(exp.to_identifier(base, quoted=True), as_=_stitch(branches, groups), copy=False)
    query = query.select(*(name(each) for each in groups), copy=False)
    for metric in resolved.metrics:
        query = query.select(alias(formulas[metric.name].copy(), metric.name), copy=False)
    for companion in resolved.companions:
        query = query.select(alias(formulas[companion.name].copy(), UNITS_PREFIX + companion.name), copy=False)
    for variance in shared.variances:
        query = query.select(name(VARIANCE_PREFIX + variance.metric), copy=False)
        query = query.select(name(REPLICATES_PREFIX + variance.metric), copy=False)
    query = query.from_(exp.to_table(base), copy=False)
    for ordering in resolved.order_by:
        # Nulls last both ways, said aloud: engines differ in what they do in silence.
        by = exp.Ordered(this=name(ordering.column), desc=ordering.is_descending, nulls_first=False)
        query = query.order_by(by, copy=False)
    return query.limit(resolved.limit, copy=False) if resolved.limit is not None else query


def _write_branches(shared: Shared, groups: list[str]) -> list[_Branch]:
    scans = [
        _Branch(
            called=f"scan_{place}",
            query=write_scan(source, values, groups),
            columns=tuple(value.column for value in values),
            is_asked=any(value.is_asked for value in values),
        )
        for place, (source, values) in enumerate(shared.scans, start=1)
    ]
    variances = [
        _Branch(
            called=f"variance_{place}",
            query=write_variance(
                variance, groups, VARIANCE_PREFIX + variance.metric, REPLICATES_PREFIX + variance.metric
            ),
            columns=(VARIANCE_PREFIX + variance.metric, REPLICATES_PREFIX + variance.metric),
            is_asked=False,
        )
        for place, variance in enumerate(shared.variances, start=1)
    ]
    return scans + variances


def _stitch(branches: list[_Branch], groups: list[str]) -> exp.Select:
    columns = [column for branch in branches for column in branch.columns]
    parts: list[exp.Query] = []
    for branch in branches:
        selected: list[exp.Expr] = [name(each) for each in groups]
        selected += [name(column) if column in branch.columns else alias(exp.Null(), column) for column in columns]
        selected.append(alias(exp.Literal.number(int(branch.is_asked)), _ASKED))
        parts.append(exp.Select().select(*selected, copy=False).from_(exp.to_table(branch.called), copy=False))
    union = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False, copy=False)
    query = exp.Select().select(*(name(each) for each in groups), copy=False)
    query = query.select(*(alias(exp.Max(this=name(column)), column) for column in columns), copy=False)
    query = query.from_(union.subquery("branches"), copy=False)
    if not groups:
        return query
    is_asked = exp.EQ(this=exp.Max(this=name(_ASKED)), expression=exp.Literal.number(1))
    return query.group_by(*positions(len(groups)), copy=False).having(is_asked, copy=False)
