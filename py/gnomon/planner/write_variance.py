"""The variance of a ratio by the delete-a-group jackknife, as a SELECT over its rows.

With R groups and the ratio r, r_k is the ratio without group k, and the variance is
(R - 1) / R * sum over k of (r_k - r)^2. A group without rows in the slice leaves r as it
is and adds nothing; where leaving a group out leaves no rows, there is no variance: null.
Source: Kott, "The delete-a-group jackknife", Journal of Official Statistics 17 (2001).
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from gnomon.planner.draft import SampledSum, Variance
from gnomon.planner.sql_parts import alias, name, positions, read_rows

_VARIANCE = """
    case
        when count(*) < 2 or min(abs(all_denominator - denominator)) = 0 then null
        else sum(power(
            (all_numerator - numerator) / (all_denominator - denominator) - all_numerator / all_denominator, 2
        ))
    end
"""
_GROUP = "replicate_group"
_PARTS = ("numerator", "denominator")


def write_variance(variance: Variance, groups: list[str], column: str) -> exp.Select:
    """Return a SELECT of the groups and the variance under `column`."""
    keys = [name(each) for each in (*groups, _GROUP)]
    both = exp.union(
        _sum_by_replicate(variance.numerator, groups, "numerator"),
        _sum_by_replicate(variance.denominator, groups, "denominator"),
        distinct=False,
        copy=False,
    )
    by_replicate = exp.Select().select(*keys, *(alias(exp.Sum(this=name(part)), part) for part in _PARTS), copy=False)
    by_replicate = by_replicate.from_(both.subquery("sums"), copy=False).group_by(*positions(len(keys)), copy=False)
    with_totals = exp.Select().select("*", copy=False)
    for part in _PARTS:
        total = exp.Window(this=exp.Sum(this=name(part)), partition_by=[name(each) for each in groups])
        with_totals = with_totals.select(alias(total, f"all_{part}"), copy=False)
    with_totals = with_totals.from_(by_replicate.subquery("by_replicate"), copy=False)
    scale = exp.Literal.number((variance.replicates - 1) / variance.replicates)
    value = exp.Mul(this=scale, expression=exp.Paren(this=sqlglot.parse_one(_VARIANCE, read="duckdb")))
    query = exp.Select().select(*(name(each) for each in groups), alias(value, column), copy=False)
    query = query.from_(with_totals.subquery("with_totals"), copy=False)
    return query.group_by(*positions(len(groups)), copy=False) if groups else query


def _sum_by_replicate(part: SampledSum, groups: list[str], called: str) -> exp.Select:
    """Return one part's sum by group and replicate, with 0 for the other part."""
    keys = [alias(group.copy(), each) for group, each in zip(part.source.groups, groups, strict=True)]
    keys.append(alias(part.replicate_group.copy(), _GROUP))
    total = exp.Coalesce(this=exp.Sum(this=part.rows.copy()), expressions=[exp.Literal.number(0)])
    values = [exp.cast(total if each == called else exp.Literal.number(0), "double") for each in _PARTS]
    query = read_rows(part.source).select(*keys, copy=False)
    query = query.select(*(alias(value, each) for value, each in zip(values, _PARTS, strict=True)), copy=False)
    return query.group_by(*positions(len(keys)), copy=False)
