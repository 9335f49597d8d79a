"""The variance of a ratio by the delete-a-group jackknife, as a SELECT over its rows.

With R groups and the ratio r, r_k is the ratio without group k, and the variance is
(R - 1) / R * sum over k of (r_k - r)^2. A group without rows in the slice leaves r as it
is and adds nothing; where leaving a group out leaves no rows, there is no variance: null.
Source: Kott, "The delete-a-group jackknife", Journal of Official Statistics 17 (2001).
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from gnomon.planner.draft import Variance
from gnomon.planner.sql_parts import alias, name, positions, read_rows

_VARIANCE = """
    case
        when count(*) < 2 or min(abs(all_denominator - denominator)) = 0 then null
        else sum(power(
            (all_numerator - numerator) / (all_denominator - denominator) - all_numerator / all_denominator, 2
        ))
    end
"""


def write_variance(variance: Variance, groups: list[str], column: str) -> exp.Select:
    """Return a SELECT of the groups and the variance under `column`."""
    by_group = read_rows(variance.source)
    selected = [alias(group.copy(), each) for group, each in zip(variance.source.groups, groups, strict=True)]
    selected.append(alias(variance.group.copy(), "replicate_group"))
    for part, title in ((variance.numerator, "numerator"), (variance.denominator, "denominator")):
        selected.append(alias(exp.cast(exp.Sum(this=part.copy()), "double"), title))
    by_group = by_group.select(*selected, copy=False).group_by(*positions(len(selected) - 2), copy=False)
    with_totals = exp.Select().select("*", copy=False)
    for title in ("numerator", "denominator"):
        total = exp.Window(this=exp.Sum(this=name(title)), partition_by=[name(each) for each in groups])
        with_totals = with_totals.select(alias(total, f"all_{title}"), copy=False)
    with_totals = with_totals.from_(by_group.subquery("by_replicate"), copy=False)
    scale = exp.Literal.number((variance.replicates - 1) / variance.replicates)
    value = exp.Mul(this=scale, expression=exp.Paren(this=sqlglot.parse_one(_VARIANCE, read="duckdb")))
    query = exp.Select().select(*(name(each) for each in groups), alias(value, column), copy=False)
    query = query.from_(with_totals.subquery("with_totals"), copy=False)
    return query.group_by(*positions(len(groups)), copy=False) if groups else query
