"""Holding two answers to one question against each other, inside DuckDB, whatever their sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from gnomon.planner import Compiled, Plan, Question, plan
from gnomon.warehouse import Interruption, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

_GIVEN = "given"
_LEFT, _RIGHT, _THERE = "rolled", "base", "__there"
# Sums of binary fractions depend on their order in the last digits; all other values must be the same.
_TOLERANCE = "1e-9"
_FRACTIONS = ("DOUBLE", "FLOAT")


@dataclass(frozen=True)
class WrongRollups:
    """Rollups that answer otherwise than their tables, and the first row that shows it, with both sides."""

    names: tuple[str, ...]
    row: Mapping[str, Any]


def find_wrong_rollups(
    warehouse: Warehouse,
    compiled: Compiled,
    rollups: Mapping[str, int],
    question: Question,
    interruption: Interruption | None = None,
) -> WrongRollups | None:
    """Hold what a question reads from rollups against the tables; None if it is the same, or no rollup is read.

    Compared are the values that the answer is made of, sums before they are divided or subtracted, of all groups: so
    nothing hangs on the last digits of a fraction. StoppedError if the interruption stops it.
    """
    parts = replace(question, order_by=(), limit=None, top=None, takes_extremes=False, shows_parts=True)
    rolled, base = plan(compiled, parts, rollups), plan(compiled, parts)
    if not rolled.rollups:
        return None
    values = [name for name in _parse(base.sql).named_selects if name not in base.groups]

    def compare(one: Plan) -> dict[str, Any] | None:
        return find_difference(warehouse, one.sql, base.sql, base.groups, values, interruption)

    row = compare(rolled)
    if row is None:
        return None
    wrong = [name for name in rolled.rollups if compare(plan(compiled, parts, {name: rollups[name]}))]
    # What only two of them show together is the fault of either.
    return WrongRollups(tuple(wrong) or rolled.rollups, row)


def find_difference(
    warehouse: Warehouse,
    rolled: str | pa.Table,
    base: str,
    groups: Sequence[str],
    values: Sequence[str],
    interruption: Interruption | None = None,
) -> dict[str, Any] | None:
    """Return the first row in which two answers differ, with both sides of each column; None if there is none.

    They are SQL, or one is an answer of another engine's. `groups` and `values` are their columns; the rows of each
    are told apart by its groups. StoppedError if the interruption stops it.
    """
    given = {} if isinstance(rolled, str) else {_GIVEN: rolled}
    left = exp.select("*").from_(_GIVEN) if given else _parse(str(rolled))
    sides = [_write_side(left, _LEFT), _write_side(_parse(base), _RIGHT)]
    shown = [
        exp.column(name, side, quoted=True).as_(f"{side} {name}", quoted=True)
        for name in (*groups, *values)
        for side in (_LEFT, _RIGHT)
    ]
    query = exp.select(*shown).from_(sides[0])
    if groups:
        same = [exp.NullSafeEQ(this=_left(name), expression=_right(name)) for name in groups]
        query = query.join(sides[1], on=exp.and_(*same), join_type="full outer")
    else:
        query = query.join(sides[1], join_type="cross")
    unlike = [exp.NullSafeNEQ(this=_left(_THERE), expression=_right(_THERE)), *map(_differ, values)]
    query = query.where(exp.or_(*unlike)).limit(1)
    rows = warehouse.query(query.sql(dialect="duckdb"), interruption, given).to_pylist()
    return rows[0] if rows else None


def _parse(sql: str) -> exp.Query:
    answer = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(answer, exp.Query)
    return answer


def _write_side(answer: exp.Query, name: str) -> exp.Subquery:
    there = exp.true().as_(_THERE, quoted=True)
    return exp.select("*", there).from_(answer.subquery("answer")).subquery(name)


def _left(name: str) -> exp.Column:
    return exp.column(name, _LEFT, quoted=True)


def _right(name: str) -> exp.Column:
    return exp.column(name, _RIGHT, quoted=True)


def _differ(name: str) -> exp.Expr:
    """Return whether two values differ: fractions by more than their last digits, others at all."""
    left, right = (exp.TryCast(this=side(name), to=exp.DataType.build("double")) for side in (_left, _right))
    kind = exp.Anonymous(this="typeof", expressions=[_left(name)])
    near = exp.LTE(
        this=exp.Abs(this=exp.Sub(this=left, expression=right)),
        expression=exp.Mul(
            this=exp.Literal.number(_TOLERANCE),
            expression=exp.Greatest(this=exp.Abs(this=left.copy()), expressions=[exp.Abs(this=right.copy())]),
        ),
    )
    is_fraction = exp.In(this=kind, expressions=[exp.Literal.string(each) for each in _FRACTIONS])
    same = exp.NullSafeEQ(this=_left(name), expression=_right(name))
    is_near = exp.Coalesce(this=exp.and_(is_fraction, near), expressions=[exp.false()])
    return exp.Not(this=exp.paren(exp.or_(same, is_near)))
