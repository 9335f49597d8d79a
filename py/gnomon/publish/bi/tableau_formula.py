"""Formulas as Tableau's calculated fields have them: null is nothing, as in SQL."""

from __future__ import annotations

from sqlglot import exp

from gnomon.publish.views.formulas import COMPARED, fold, read_divisor

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=",
          exp.GT: ">", exp.GTE: ">="}  # fmt: skip


def name_field(name: str) -> str:
    """Return a field as formulas name it."""
    return f"[{name.replace(']', ']]')}]"


def write_formula(node: exp.Expr) -> str:
    """Return a formula over sums of a view's columns."""
    match node:
        case exp.Column():
            return f"SUM({name_field(node.name)})"
        case exp.Literal():
            return str(node.name)
        case exp.Neg():
            return f"-{_inner(node.this)}"
        case exp.Paren():
            return f"({write_formula(node.this)})"
        case exp.Add() | exp.Sub() | exp.Mul():
            return f"{_inner(node.this)} {_SIGNS[type(node)]} {_inner(node.expression)}"
        case exp.Div():
            above, below = _inner(node.this), read_divisor(node)
            divided = f"{above} / {_inner(below)}"
            return divided if _is_number(below) else f"IF {_inner(below)} <> 0 THEN {divided} END"
        case exp.Coalesce():
            (other,) = node.expressions
            return f"IFNULL({write_formula(node.this)}, {write_formula(other)})"
        case exp.Greatest() | exp.Least():
            return _write_extreme(node)
        case exp.Case():
            branches = [(write_condition(each.this), write_formula(each.args["true"])) for each in node.args["ifs"]]
            return "IF " + " ELSEIF ".join(f"{condition} THEN {value}" for condition, value in branches) + " END"
    raise AssertionError(f"a formula was not checked: {node.sql()}")


def write_condition(node: exp.Expr) -> str:
    """Return a condition over sums."""
    match node:
        case exp.And() | exp.Or():
            word = "AND" if isinstance(node, exp.And) else "OR"
            return f"({write_condition(node.this)} {word} {write_condition(node.expression)})"
        case exp.Paren():
            return f"({write_condition(node.this)})"
        case exp.Is():
            return f"ISNULL({write_formula(node.this)})"
        case exp.Not():
            return f"NOT {write_condition(node.this)}"
        case _ if isinstance(node, COMPARED):
            return f"{_inner(node.this)} {_SIGNS[type(node)]} {_inner(node.expression)}"
    raise AssertionError(f"a condition was not checked: {node.sql()}")


def _write_extreme(node: exp.Greatest | exp.Least) -> str:
    """Tableau's MAX of two is null if one is; one that is null does not count here."""
    word = "MAX" if isinstance(node, exp.Greatest) else "MIN"
    first, second = write_formula(node.this), write_formula(node.expressions[0])
    other = (
        first if _is_number(node.this) else second if _is_number(node.expressions[0]) else f"IFNULL({first}, {second})"
    )
    return f"IFNULL({word}({first}, {second}), {other})"


def _is_number(node: exp.Expr) -> bool:
    return fold(node) is not None


def _inner(node: exp.Expr) -> str:
    text = write_formula(node)
    is_one = isinstance(node, exp.Column | exp.Literal | exp.Paren | exp.Coalesce | exp.Greatest | exp.Least)
    return text if is_one else f"({text})"
