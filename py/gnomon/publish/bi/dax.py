"""Formulas as measures of Power BI have them: in DAX, where BLANK is nothing, but is 0 in sums and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from sqlglot import exp

from gnomon.publish.views.formulas import COMPARED, fold, read_divisor

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=",
          exp.GT: ">", exp.GTE: ">="}  # fmt: skip
_NOTHING = "BLANK()"


def name_column(table: str, column: str) -> str:
    """Return a column as DAX names it."""
    quoted = table.replace("'", "''")
    return f"'{quoted}'[{column.replace(']', ']]')}]"


class DaxWriter:
    """Writes the formulas of one table; `columns` are what its columns are called in the model."""

    def __init__(self, table: str, columns: dict[str, str]) -> None:
        self._table = table
        self._columns = columns

    def write(self, formula: exp.Expr) -> str:
        """Return a measure's expression."""
        self._names: Iterator[int] = count(1)
        return self._value(formula)

    def _value(self, node: exp.Expr) -> str:
        match node:
            case exp.Column():
                return f"SUM({name_column(self._table, self._columns[node.name])})"
            case exp.Literal():
                return str(node.name)
            case exp.Neg():
                return f"{self._inner(node.this)} * -1"
            case exp.Paren():
                return f"({self._value(node.this)})"
            case exp.Mul():
                # What is blank stays so.
                return f"{self._inner(node.this)} * {self._inner(node.expression)}"
            case exp.Add() | exp.Sub():
                return self._write_sum(node)
            case exp.Div():
                return f"DIVIDE({self._value(node.this)}, {self._value(read_divisor(node))})"
            case exp.Coalesce():
                (other,) = node.expressions
                return f"COALESCE({self._value(node.this)}, {self._value(other)})"
            case exp.Greatest() | exp.Least():
                return self._write_extreme(node)
            case exp.Case():
                text = _NOTHING
                for branch in reversed(node.args["ifs"]):
                    otherwise = "" if text == _NOTHING else f", {text}"
                    text = f"IF({self._condition(branch.this)}, {self._value(branch.args['true'])}{otherwise})"
                return text
        raise AssertionError(f"a formula was not checked: {node.sql()}")

    def _condition(self, node: exp.Expr) -> str:
        match node:
            case exp.And() | exp.Or():
                sign = "&&" if isinstance(node, exp.And) else "||"
                return f"({self._condition(node.this)} {sign} {self._condition(node.expression)})"
            case exp.Paren():
                return f"({self._condition(node.this)})"
            case exp.Is():
                return f"ISBLANK({self._value(node.this)})"
            case exp.Not():
                return f"NOT {self._condition(node.this)}"
            case _ if isinstance(node, COMPARED):
                return self._compare(node)
        raise AssertionError(f"a condition was not checked: {node.sql()}")

    def _compare(self, node: exp.Expr) -> str:
        """Return a comparison that does not hold where a side is blank, which would count as 0."""
        least = fold(node.expression)
        if isinstance(node, exp.GT | exp.GTE) and least is not None and least > 0 and fold(node.this) is None:
            return f"{self._inner(node.this)} {_SIGNS[type(node)]} {self._inner(node.expression)}"
        return self._with_sides(node, lambda left, right: f"{left} {_SIGNS[type(node)]} {right}", is_condition=True)

    def _write_sum(self, node: exp.Expr) -> str:
        return self._with_sides(node, lambda left, right: f"{left} {_SIGNS[type(node)]} {right}", is_condition=False)

    def _with_sides(self, node: exp.Expr, combine: Callable[[str, str], str], *, is_condition: bool) -> str:
        """Return what is combined of two sides, each taken once, and nothing where a side is blank."""
        held, names = self._hold((node.this, node.expression))
        blank = " || ".join(f"ISBLANK({called})" for called in names if called.startswith("_"))
        combined = combine(names[0], names[1])
        if not held:
            return f"({combined})"
        result = f"NOT ({blank}) && {combined}" if is_condition else f"IF({blank}, {_NOTHING}, {combined})"
        return f"({' '.join(held)} RETURN {result})"

    def _write_extreme(self, node: exp.Greatest | exp.Least) -> str:
        word = "MAX" if isinstance(node, exp.Greatest) else "MIN"
        held, names = self._hold((node.this, node.expressions[0]))
        left, right = names
        chosen = f"{word}({left}, {right})"
        for side, other in ((left, right), (right, left)):
            # A number is never blank.
            chosen = f"IF(ISBLANK({side}), {other}, {chosen})" if side.startswith("_") else chosen
        return f"({' '.join(held)} RETURN {chosen})" if held else chosen

    def _hold(self, sides: tuple[exp.Expr, exp.Expr]) -> tuple[list[str], list[str]]:
        """Return the variables that hold what is no plain number, and what each side is then called."""
        held: list[str] = []
        names: list[str] = []
        for side in sides:
            if fold(side) is not None:
                names.append(self._inner(side))
                continue
            called = f"_{next(self._names)}"
            held.append(f"VAR {called} = {self._value(side)}")
            names.append(called)
        return held, names

    def _inner(self, node: exp.Expr) -> str:
        text = self._value(node)
        # All others are calls, or stand in brackets already.
        return f"({text})" if isinstance(node, exp.Mul | exp.Neg) else text
