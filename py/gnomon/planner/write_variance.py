"""The variance of a formula over sampled sums by the delete-a-group jackknife, as a SELECT over its rows.

With R groups and the estimate e, e_k is the estimate without group k, and the variance is
(R - 1) / R * sum over k of (e_k - e)^2. A group without rows in the slice leaves e as it
is and adds nothing; where leaving a group out leaves nothing to divide by, there is no variance: null.
Source: Kott, "The delete-a-group jackknife", Journal of Official Statistics 17 (2001).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from sqlglot import exp

from gnomon.planner.algebra import Variance
from gnomon.planner.replicate_ratios import REPLICATE, take_off_guards
from gnomon.planner.sql_parts import (
    alias,
    all_of,
    case,
    cast,
    name,
    names,
    number,
    select,
    subquery,
    union_all,
    window,
)
from gnomon.planner.write_block import write_block
from gnomon.planner.write_scan import WriteAnswer

_ALL = "__all"


def write_variance(
    variance: Variance, groups: list[str], column: str, present: str, write_answer: WriteAnswer
) -> exp.Select:
    """Return a SELECT of the groups, the variance under `column`, and the groups with rows under `present`."""
    keys = [*groups, REPLICATE]
    sums = [value.column for _, values in variance.parts for value in values]
    parts = []
    for block, values in variance.parts:
        own = {value.column for value in values}
        zero_or_sum = [alias(_sum_or_zero(each, each in own), each) for each in sums]
        parts.append(select([*names(keys), *zero_or_sum], subquery(write_block(block, values, write_answer), "part")))
    added = [alias(exp.Sum(this=name(each)), each) for each in sums]
    by_replicate = select([*names(keys), *added], subquery(union_all(parts), "sums"), group=len(keys))
    totals = [alias(window(exp.Sum(this=name(each)), list(names(groups))), each + _ALL) for each in sums]
    with_totals = select([exp.Star(), *totals], subquery(by_replicate, "by_replicate"))
    estimates = [alias(_jackknife(variance), column), alias(_count_present(variance), present)]
    return select([*names(groups), *estimates], subquery(with_totals, "with_totals"), group=len(groups))


def _sum_or_zero(column: str, is_there: bool) -> exp.Expr:
    total = exp.Coalesce(this=name(column), expressions=[number(0)]) if is_there else number(0)
    return cast(total, exp.DType.DOUBLE)


def _replace_sums(formula: exp.Expr, put: Callable[[str], exp.Expr]) -> exp.Expr:
    return formula.copy().transform(lambda node: put(node.name) if isinstance(node, exp.Column) else node)


def _all(column: str) -> exp.Expr:
    return name(column + _ALL)


def _rest(column: str) -> exp.Expr:
    return exp.Paren(this=exp.Sub(this=_all(column), expression=name(column)))


def _jackknife(variance: Variance) -> exp.Expr:
    left_out, whole = (exp.Paren(this=_replace_sums(variance.formula, put)) for put in (_rest, _all))
    difference = exp.Paren(this=exp.Sub(this=left_out, expression=whole))
    spread = exp.Sum(this=exp.Pow(this=difference, expression=exp.Literal.number(2)))
    scaled = exp.Mul(this=number((variance.replicates - 1) / variance.replicates), expression=spread)
    is_defined = [
        exp.GT(this=exp.Min(this=exp.Abs(this=_replace_sums(divisor, _rest))), expression=number(0))
        for divisor in _list_divisors(variance.formula)
    ]
    return case(all_of(is_defined), scaled)


def _count_present(variance: Variance) -> exp.Expr:
    """The replicate groups with rows; of several ratios, those of the one with the fewest."""
    counts: list[exp.Expr] = [
        exp.Sum(this=case(exp.NEQ(this=divisor, expression=number(0)), number(1), number(0)))
        for divisor in _list_divisors(variance.formula)
        if isinstance(divisor, exp.Column)
    ]
    return reduce(lambda left, right: exp.Least(this=left, expressions=[right]), counts)


def _list_divisors(formula: exp.Expr) -> list[exp.Expr]:
    """The distinct divisors, without the guards against zero that stand around them."""
    return list(dict.fromkeys(take_off_guards(division.expression) for division in formula.find_all(exp.Div)))
