"""Intervals of estimates in SQL: `gnomon.measurement.interval`, for tools that can only read a query.

A test holds each against the function that it is made after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from gnomon.measurement.interval import CONFIDENCE, FEWEST_REPLICATES, student_t
from gnomon.planner import REPLICATES_PREFIX, VARIANCE_PREFIX
from gnomon.publish.serving_copy.contents import DIALECT

if TYPE_CHECKING:
    from gnomon.semantic.model import Metric

LOW, HIGH = "__low", "__high"
_TAIL = round(0.5 - CONFIDENCE / 2, 12)
# exp() beyond this does not fit a double.
_MOST = 700
# `sign` is -1 for the lower end and 1 for the upper one; `at_0` and `at_1` are the ends where there is no spread.
_PROPORTION = """
    case
        when value is null or value < 0 or value > 1 or replicates < fewest then null
        when value = 0 then at_0
        when value = 1 then at_1
        when variance is null or variance <= 0 then null
        else 1 / (1 + exp(-greatest(-most, least(most,
            ln(value / (1 - value)) + sign * student_t * sqrt(variance) / (value * (1 - value))))))
    end
"""
_DIFFERENCE = """
    case
        when value is null or variance is null or variance <= 0 or replicates < fewest then null
        else value + sign * student_t * sqrt(variance)
    end
"""


def write_ends(metric: Metric, *, is_proportion: bool) -> tuple[exp.Expr, exp.Expr]:
    """Return the two ends of the interval of an estimate, over the columns that a plan gives for it.

    The answer's columns are in a relation whose name need not be said.
    """
    replicates = exp.column(REPLICATES_PREFIX + metric.name, quoted=True)
    powered = exp.Pow(
        this=exp.Literal.number(_TAIL), expression=exp.Div(this=exp.Literal.number("1.0"), expression=replicates)
    )
    beyond: exp.Expr = exp.Sub(this=exp.Literal.number(1), expression=powered.copy())
    parts: dict[str, exp.Expr] = {
        "value": exp.cast(exp.column(metric.name, quoted=True), "double"),
        "variance": exp.column(VARIANCE_PREFIX + metric.name, quoted=True),
        "replicates": replicates,
        "fewest": exp.Literal.number(FEWEST_REPLICATES),
        "most": exp.Literal.number(_MOST),
        "student_t": _write_quantile(replicates, metric.documentation.replicates),
    }
    template = sqlglot.parse_one(_PROPORTION if is_proportion else _DIFFERENCE, dialect=DIALECT)
    low, high = (
        _fill(template, {**parts, "sign": exp.Literal.number(sign), "at_0": at_0, "at_1": at_1})
        for sign, at_0, at_1 in (
            (-1, exp.Literal.number(0), powered),
            (1, beyond, exp.Literal.number(1)),
        )
    )
    return low, high


def _fill(template: exp.Expr, parts: dict[str, exp.Expr]) -> exp.Expr:
    def put(node: exp.Expr) -> exp.Expr:
        return parts[node.name].copy() if isinstance(node, exp.Column) and node.name in parts else node

    return template.copy().transform(put)


def _write_quantile(replicates: exp.Expr, most: int) -> exp.Expr:
    """Return Student's t for as many groups as have rows; Postgres has no such function."""
    found = exp.Case(this=replicates.copy())
    for count in range(FEWEST_REPLICATES, most + 1):
        found = found.when(exp.Literal.number(count), exp.Literal.number(repr(student_t(count - 1))))
    return found
