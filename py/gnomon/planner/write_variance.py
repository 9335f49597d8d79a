"""The variance of a ratio by the delete-a-group jackknife, as a SELECT over its rows.

With R groups and the ratio r, r_k is the ratio without group k, and the variance is
(R - 1) / R * sum over k of (r_k - r)^2. A group without rows in the slice leaves r as it
is and adds nothing; where leaving a group out leaves no rows, there is no variance: null.
Source: Kott, "The delete-a-group jackknife", Journal of Official Statistics 17 (2001).
"""

from __future__ import annotations

from sqlglot import exp

from gnomon.planner.draft import SampledSum, Variance
from gnomon.planner.sql_parts import (
    alias,
    argument,
    cast,
    name,
    names,
    number,
    read,
    select,
    subquery,
    union_all,
    window,
)
from gnomon.planner.write_scan import WriteAnswer, read_rows

# No group can be called these: names of dimensions and entities begin with a letter.
_GROUP = "__replicate_group"
_PARTS = ("__numerator", "__denominator")


def write_variance(
    variance: Variance, groups: list[str], column: str, present: str, write_answer: WriteAnswer
) -> exp.Select:
    """Return a SELECT of the groups, the variance under `column`, and the groups with rows under `present`."""
    keys = [*groups, _GROUP]
    both = union_all(
        [
            _sum_by_replicate(variance.numerator, 0, write_answer),
            _sum_by_replicate(variance.denominator, 1, write_answer),
        ]
    )
    sums = [alias(exp.Sum(this=name(part)), part) for part in _PARTS]
    by_replicate = select([*names(keys), *sums], subquery(both, "sums"), group=len(keys))
    totals = [alias(window(exp.Sum(this=name(part)), list(names(groups))), f"{part}_all") for part in _PARTS]
    with_totals = select([exp.Star(), *totals], subquery(by_replicate, "by_replicate"))
    values = [alias(_jackknife(variance.replicates), column), alias(_count_present(), present)]
    return select([*names(groups), *values], subquery(with_totals, "with_totals"), group=len(groups))


def _jackknife(replicates: int) -> exp.Expr:
    numerator, denominator = (name(part) for part in _PARTS)
    all_numerator, all_denominator = (name(f"{part}_all") for part in _PARTS)
    rest = exp.Paren(this=exp.Sub(this=all_denominator.copy(), expression=denominator))
    left_out = exp.Div(
        this=exp.Paren(this=exp.Sub(this=all_numerator.copy(), expression=numerator)), expression=rest.copy()
    )
    whole = exp.Div(this=all_numerator.copy(), expression=all_denominator.copy())
    difference = exp.Paren(this=exp.Sub(this=left_out, expression=whole))
    spread = exp.Sum(this=exp.Pow(this=difference, expression=exp.Literal.number(2)))
    scaled = exp.Mul(this=exp.Literal.number((replicates - 1) / replicates), expression=spread)
    # Where leaving a group out leaves nothing, there is no variance to be had.
    is_defined = exp.GT(this=exp.Min(this=exp.Abs(this=rest)), expression=exp.Literal.number(0))
    return exp.Case().when(is_defined, scaled)


def _count_present() -> exp.Expr:
    has_rows = exp.NEQ(this=name(_PARTS[1]), expression=exp.Literal.number(0))
    return exp.Sum(this=exp.Case().when(has_rows, exp.Literal.number(1)).else_(exp.Literal.number(0)))


def _sum_by_replicate(part: SampledSum, place: int, write_answer: WriteAnswer) -> exp.Select:
    """Return the sum of the part at `place` by group and replicate, with 0 for the other part."""
    keys = [alias(read(column), group) for group, column in part.groups]
    keys.append(alias(read(part.replicate_group), _GROUP))
    total = exp.Coalesce(this=exp.Sum(this=argument(part.argument)), expressions=[number(0)])
    values = [cast(total if each == place else number(0), exp.DType.DOUBLE) for each in range(len(_PARTS))]
    named = [alias(value, each) for value, each in zip(values, _PARTS, strict=True)]
    return select([*keys, *named], group=len(keys), **read_rows(part.scan, write_answer))
