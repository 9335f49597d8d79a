"""Formulas over sums as every BI tool can say them: few kinds of nodes, each with a meaning that is written down.

    a column          the sum of a column of the view; nothing where no row has a value
    + - * and /       nothing if a side is nothing; what is divided by is a number, or guarded against zero
    NULLIF(x, 0)      only as what is divided by
    COALESCE(x, n)    a number in the place of nothing
    LEAST, GREATEST   of two; one that is nothing does not count
    CASE WHEN c …     the first value whose condition holds, else nothing
    =, <>, <, <=, …   do not hold where a side is nothing; AND, OR, IS NULL, NOT … IS NULL

All numbers are floating ones. Whatever else stands in a formula, or asks whether there are rows, is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from gnomon.planner.algebra import HAS_PREFIX
from gnomon.planner.sql_parts import name
from gnomon.publish.planned import Inexpressible

_FUNCTIONS = (exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Cast, exp.And, exp.Or)
COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def simplify(formula: exp.Expr, refer: Callable[[str], str]) -> exp.Expr:
    """Return the formula over columns of the view; Inexpressible if it asks what sums do not tell.

    `refer` gives the column of the view in the place of a value of the plan.
    """
    formula = _drop_presence(formula.copy())
    formula = formula.transform(lambda node: name(refer(node.name)) if isinstance(node, exp.Column) else node)
    formula = _strip(formula)
    check_value(formula)
    return formula


def check_value(node: exp.Expr) -> None:
    """Inexpressible if a node is none of those that give a value here."""
    match node:
        case exp.Column():
            return
        case exp.Literal() if not node.is_string:
            return
        case exp.Neg() | exp.Paren():
            check_value(node.this)
        case exp.Add() | exp.Sub() | exp.Mul():
            check_value(node.this)
            check_value(node.expression)
        case exp.Div():
            check_value(node.this)
            below = read_divisor(node)
            check_value(below)
        case exp.Coalesce():
            check_value(node.this)
            (other,) = node.expressions
            if not isinstance(other, exp.Literal):
                raise Inexpressible("its formula puts one value in the place of another")
        case exp.Greatest() | exp.Least():
            first, second = node.this, *node.expressions
            check_value(first)
            check_value(second)
        case exp.Case() if node.this is None and node.args.get("default") is None:
            for branch in node.args["ifs"]:
                check_condition(branch.this)
                check_value(branch.args["true"])
        case _:
            raise Inexpressible(f"its formula has {_tell(node)}")


def check_condition(node: exp.Expr) -> None:
    """Inexpressible if a node is none of those that can hold or not here."""
    match node:
        case exp.And() | exp.Or():
            check_condition(node.this)
            check_condition(node.expression)
        case exp.Paren():
            check_condition(node.this)
        case exp.Is() if isinstance(node.expression, exp.Null):
            check_value(node.this)
        case exp.Not() if isinstance(node.this, exp.Is):
            check_condition(node.this)
        case _ if isinstance(node, COMPARED):
            check_value(node.this)
            check_value(node.expression)
        case _:
            raise Inexpressible(f"its formula has the condition {_tell(node)}")


def read_divisor(node: exp.Div) -> exp.Expr:
    """Return what is divided by, without its guard; Inexpressible if it is no number but zero, and has none."""
    below: exp.Expr = node.expression
    while isinstance(below, exp.Paren):
        below = below.this
    if isinstance(below, exp.Nullif):
        if not (isinstance(below.expression, exp.Literal) and float(below.expression.name) == 0):
            raise Inexpressible(f"its formula has {_tell(below)}")
        guarded: exp.Expr = below.this
        return guarded
    if fold(below) in (None, 0):
        raise Inexpressible("its formula divides without a guard against zero")
    return below


def fold(node: exp.Expr) -> float | None:
    """Return the number that a formula is, if it has no columns."""
    return None if node.find(exp.Column) is not None else _compute(node)


def _drop_presence(formula: exp.Expr) -> exp.Expr:
    """Return a formula that does not ask whether there are rows, where its values tell as much.

    CASE WHEN there are rows THEN x END is x, if x is nothing where all values are. Inexpressible otherwise.
    """

    def drop(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Case) or node.args.get("default") is not None or len(node.args["ifs"]) != 1:
            return node
        (branch,) = node.args["ifs"]
        asked = list(branch.this.find_all(exp.Column))
        is_presence = all(column.name.startswith(HAS_PREFIX) for column in asked) and _is_any(branch.this)
        return branch.args["true"] if asked and is_presence and is_nothing(branch.args["true"]) else node

    formula = _repeat(formula, drop)
    if any(column.name.startswith(HAS_PREFIX) for column in formula.find_all(exp.Column)):
        for node in formula.walk():
            if isinstance(node, exp.Func) and not isinstance(node, _FUNCTIONS):
                raise Inexpressible(f"its formula has {_tell(node)}")
        raise Inexpressible("it has a value where rows are that have none, and sums do not tell that there are rows")
    return formula


def _is_any(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren):
        return _is_any(node.this)
    return isinstance(node, exp.Column) or (
        isinstance(node, exp.Or) and _is_any(node.this) and _is_any(node.expression)
    )


def is_nothing(node: exp.Expr) -> bool:
    """Tell whether a formula has surely no value where none of its columns has one."""
    try:
        return _compute(node) is None
    except Inexpressible:
        return False


def _compute(node: exp.Expr) -> float | None:
    """Return a formula's value where no column has one; Inexpressible if it is not known how."""
    match node:
        case exp.Column() | exp.Null():
            return None
        case exp.Literal() if not node.is_string:
            return float(node.name)
        case exp.Paren() | exp.Cast():
            return _compute(node.this)
        case exp.Neg():
            inner = _compute(node.this)
            return None if inner is None else -inner
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            there = [value for value in map(_compute, (node.this, *node.expressions)) if value is not None]
            choose = {exp.Greatest: max, exp.Least: min}.get(type(node), lambda found: found[0])
            return choose(there) if there else None
        case exp.Case() if node.args.get("default") is None:
            # Of branches one may be taken or none, so all must come to the same.
            values = {_compute(branch.args["true"]) for branch in node.args["ifs"] if not _never_holds(branch.this)}
            if values <= {None}:
                return None
        case exp.Nullif() | exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            return _combine(node, _compute(node.this), _compute(node.expression))
    raise Inexpressible(f"its formula has {_tell(node)}")


def _combine(node: exp.Expr, left: float | None, right: float | None) -> float | None:
    if isinstance(node, exp.Nullif):
        return None if left == right else left
    if left is None or right is None:
        return None
    match node:
        case exp.Add():
            return left + right
        case exp.Sub():
            return left - right
        case exp.Mul():
            return left * right
    if right == 0:
        raise Inexpressible("its formula divides without a guard against zero")
    return left / right


def _never_holds(node: exp.Expr) -> bool:
    """Tell whether a condition surely does not hold where no column has a value."""
    match node:
        case exp.Paren():
            return _never_holds(node.this)
        case exp.Not() if isinstance(node.this, exp.Is) and isinstance(node.this.expression, exp.Null):
            return is_nothing(node.this.this)
        case _ if isinstance(node, COMPARED):
            return is_nothing(node.this) or is_nothing(node.expression)
    return False


def _strip(formula: exp.Expr) -> exp.Expr:
    """Return a formula without casts to floating numbers, which all numbers are here, and without needless brackets."""

    def strip(node: exp.Expr) -> exp.Expr:
        while isinstance(node, exp.Cast) and node.to.this is exp.DType.DOUBLE:
            node = node.this
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.Case | exp.Column | exp.Literal):
            return node.this
        return node

    return _repeat(formula, strip)


def _repeat(formula: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Return a formula changed until nothing changes: what takes a node's place is not looked into at once."""
    changed = formula.transform(change)
    while changed != formula:
        formula, changed = changed, changed.transform(change)
    return changed


def _tell(node: exp.Expr) -> str:
    return f"{node.key.upper()}, which is not translated"
