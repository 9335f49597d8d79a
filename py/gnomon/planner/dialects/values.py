"""Values: every node that may stand inside a SELECT, said with the kind of what it comes to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from sqlglot import exp

from gnomon.planner.dialects.kinds import Kind, merge
from gnomon.planner.dialects.speech import Said, Speech, call

# All that DuckDB's TRIM takes off: spaces of every width.
SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_MOMENT = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?")
_WHOLE = re.compile(r"-?\d{1,18}")
TEXT_TYPE, MOMENT_TYPE = exp.DataType(this=exp.DType.TEXT), exp.DataType(this=exp.DType.TIMESTAMP)
_COMPARES: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_WHAT_ORDERS = (exp.LT, exp.LTE, exp.GT, exp.GTE)
_COMPUTES: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}


class Values(Speech):
    """Says conditions, numbers and texts."""

    # Conditions.

    def condition(self, node: exp.Expr, *, is_alone: bool = False) -> str:
        """Return a condition to stand beside others, or alone or beside AND; a number is true unless it is zero."""
        said = self.say(node)
        if said.kind.is_number:
            return f"({said.inner} <> 0)"
        if said.kind not in (Kind.BOOLEAN, Kind.NULL, Kind.UNKNOWN):
            raise self.refuse(node, f"it is {said.kind.value}, and a condition is asked for")
        return said.text if is_alone and not isinstance(node.unnest(), exp.Or) else said.inner

    def _connect(self, node: exp.Expr) -> Said:
        """AND and OR may be chains of thousands, so they are not read by recursion."""
        word, parts, waiting = ("AND" if isinstance(node, exp.And) else "OR"), [], [node]
        while waiting:
            part = waiting.pop()
            if type(part) is type(node):
                waiting += [part.expression, part.this]
            else:
                parts.append(self.condition(part))
        return Said(f" {word} ".join(parts), Kind.BOOLEAN, False)

    def _negate(self, node: exp.Expr) -> Said:
        return Said(f"NOT {self.condition(node.this)}", Kind.BOOLEAN, False)

    def _compare(self, node: exp.Expr) -> Said:
        left, right = self.operands(node, [node.this, node.expression])
        sides = [left, right]
        if isinstance(node, _WHAT_ORDERS):
            sides = [each._replace(text=self.order_text(node, each)) for each in sides]
        return Said(f"{sides[0].inner} {_COMPARES[type(node)]} {sides[1].inner}", Kind.BOOLEAN, False)

    def _compare_nulls(self, node: exp.Expr) -> Said:
        left, right = self.operands(node, [node.this, node.expression])
        negated = isinstance(node, exp.NullSafeNEQ)
        return Said(self.same(left, right, is_negated=negated), Kind.BOOLEAN, False)

    def _between(self, node: exp.Expr) -> Said:
        self.require(node, "this", "low", "high")
        said = self.operands(node, [node.this, node.args["low"], node.args["high"]])
        value, low, high = (each._replace(text=self.order_text(node, each)).inner for each in said)
        return Said(f"{value} BETWEEN {low} AND {high}", Kind.BOOLEAN, False)

    def _is_in(self, node: exp.Expr) -> Said:
        self.require(node, "this", "expressions")
        value, *others = self.operands(node, [node.this, *node.expressions])
        listed = ", ".join(each.text for each in others)
        return Said(f"{value.inner} IN ({listed})", Kind.BOOLEAN, False)

    def _is(self, node: exp.Expr) -> Said:
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise self.refuse(node, "IS takes NULL, TRUE or FALSE")
        value = self.say(node.this) if isinstance(node.expression, exp.Null) else None
        text = value.inner if value is not None else self.condition(node.this)
        return Said(f"{text} IS {self.say(node.expression).text}", Kind.BOOLEAN, False)

    def _like(self, node: exp.Expr) -> Said:
        self.require(node, "this", "expression")
        said = self.say(node.this)
        if said.kind not in (Kind.TEXT, Kind.UNKNOWN):
            raise self.refuse(node, f"it is {said.kind.value}, and LIKE reads texts")
        return Said(
            self.like(node, said.inner, node.expression, folds_case=isinstance(node, exp.ILike)), Kind.BOOLEAN, False
        )

    # Values that stand beside each other.

    def operands(self, node: exp.Expr, parts: Sequence[exp.Expr]) -> list[Said]:
        """Return parts of one kind; a string among them is read as what the others are, as DuckDB does."""
        said = [None if is_string(part) else self.say(part) for part in parts]
        kinds = [each.kind for each in said if each is not None]
        kind = self._merge(node, kinds) if kinds else Kind.TEXT
        return [
            each if each is not None else self._read_string(node, str(part.this), kind)
            for part, each in zip(parts, said, strict=True)
        ]

    def _merge(self, node: exp.Expr, kinds: Sequence[Kind]) -> Kind:
        def both(left: Kind, right: Kind) -> Kind:
            found = merge(left, right)
            if found is None:
                raise self.refuse(node, f"{left.value} is beside {right.value}, and engines do not convert them alike")
            return found

        return reduce(both, kinds)

    def _read_string(self, node: exp.Expr, value: str, kind: Kind) -> Said:
        if kind in (Kind.TEXT, Kind.UNKNOWN, Kind.NULL):
            return Said(self.quote(value), Kind.TEXT if kind is not Kind.UNKNOWN else kind)
        if kind.is_number and _WHOLE.fullmatch(value):
            return Said(value, Kind.INTEGER, not value.startswith("-"))
        if kind is Kind.BOOLEAN and value.lower() in ("true", "false"):
            return Said(value.upper(), kind)
        if kind.is_time and _MOMENT.fullmatch(value):
            return Said(self._write_moment(node, value, kind), kind)
        raise self.refuse(node, f"the string {value!r} stands for {kind.value}, and is not written as engines agree on")

    def _write_moment(self, node: exp.Expr, value: str, kind: Kind) -> str:
        day, _, clock = value.replace("T", " ").partition(" ")
        try:
            year, month, number = map(int, day.split("-"))
            hour, minute, second = (*clock.split(":"), "0", "0", "0")[:3] if clock else ("0", "0", "0")
            whole, _, fraction = second.partition(".")
            moment = datetime(year, month, number, int(hour), int(minute), int(whole), int(fraction.ljust(6, "0")))
        except ValueError:
            raise self.refuse(node, f"{value!r} is no moment of the calendar") from None
        if kind is Kind.DATE:
            return f"CAST('{moment.date().isoformat()}' AS DATE)"
        return f"CAST('{moment.isoformat(sep=' ')}' AS {self.write_type(node, MOMENT_TYPE)})"

    def _case(self, node: exp.Expr) -> Said:
        if isinstance(node, exp.If):
            ifs, default, tested = [node], node.args.get("false"), None
        else:
            ifs, default, tested = node.args["ifs"], node.args.get("default"), node.args.get("this")
        values = [each.args["true"] for each in ifs] + ([default] if default is not None else [])
        said = self.operands(node, values)
        conditions = [
            self.condition(each.this, is_alone=True)
            if tested is None
            else self.say(exp.EQ(this=tested, expression=each.this)).text
            for each in ifs
        ]
        branches = [f"WHEN {condition} THEN {value.text}" for condition, value in zip(conditions, said, strict=False)]
        branches += [] if default is None else [f"ELSE {said[-1].text}"]
        return Said(f"CASE {' '.join(branches)} END", self._merge(node, [each.kind for each in said]))

    def _choose(self, node: exp.Expr) -> Said:
        """COALESCE and NULLIF, LEAST and GREATEST, of which the last two leave nulls out everywhere."""
        function = node.key.upper()
        self.require(node, "this", "expression", "expressions", "ignore_nulls")
        others = [node.expression] if isinstance(node, exp.Nullif) else node.expressions
        said = self.operands(node, [node.this, *others])
        kind = said[0].kind if function == "NULLIF" else self._merge(node, [each.kind for each in said])
        if function in ("LEAST", "GREATEST") and not (kind.is_number or kind.is_time):
            raise self.refuse(node, f"it is of {kind.value}, and engines order only numbers and times alike")
        return Said(call(function, *(each.text for each in said)), kind)

    # Numbers.

    def number(self, node: exp.Expr) -> Said:
        """Return a part that is a number, or may be one."""
        said = self.say(node)
        if not said.kind.is_number and said.kind not in (Kind.UNKNOWN, Kind.NULL):
            raise self.refuse(node, f"it is {said.kind.value}, and a number is asked for")
        return said

    def _compute(self, node: exp.Expr) -> Said:
        left, right = self.say(node.this), self.say(node.expression)
        if Kind.INTERVAL in (left.kind, right.kind):
            return self._move(node, left, right)
        if left.kind.is_time and isinstance(node, exp.Sub) and right.kind.is_time:
            if (left.kind, right.kind) != (Kind.DATE, Kind.DATE):
                raise self.refuse(node, "engines do not write the span between two times alike")
            return Said(self.days_between(left, right), Kind.INTEGER)
        if left.kind is Kind.DATE and right.kind is Kind.INTEGER and not isinstance(node, exp.Mul):
            return Said(f"{left.inner} {_COMPUTES[type(node)]} {right.inner}", Kind.DATE, False)
        left, right = self.number(node.this), self.number(node.expression)
        kind = self._merge(node, [left.kind, right.kind])
        if isinstance(node, exp.Mul) and (left.kind, right.kind) == (Kind.DECIMAL, Kind.DECIMAL):
            self.check_product(node)
        return Said(f"{left.inner} {_COMPUTES[type(node)]} {right.inner}", kind, False)

    def _move(self, node: exp.Expr, left: Said, right: Said) -> Said:
        """A time moved by a span, or a number of spans."""
        operator = _COMPUTES[type(node)]
        if isinstance(node, exp.Mul):
            return Said(f"{left.inner} {operator} {right.inner}", Kind.INTERVAL, False)
        if left.kind is right.kind or left.kind is Kind.INTERVAL:
            raise self.refuse(node, "a span stands first, or beside another one")
        if not left.kind.is_time and left.kind is not Kind.UNKNOWN:
            raise self.refuse(node, f"{left.kind.value} is moved by a span of time")
        return Said(f"{self.as_moment(left)} {operator} {right.inner}", Kind.TIMESTAMP, False)

    def _divide(self, node: exp.Expr) -> Said:
        """A division gives a floating number, and by zero it gives infinity."""
        above, below = (self._double(part) for part in (node.this, node.expression))
        plain = f"{above} / {below}"
        if _is_never_zero(node.expression):
            return Said(plain, Kind.DOUBLE, False)
        infinite = self.as_double("'Infinity'")
        return Said(f"CASE WHEN {below} = 0 THEN {above} * {infinite} ELSE {plain} END", Kind.DOUBLE)

    def check_product(self, node: exp.Expr) -> None:
        """Refuse a product of decimals whose places the engine would cut."""

    def _double(self, node: exp.Expr) -> str:
        said = self.number(node)
        inner = node.unnest()
        is_double = isinstance(inner, exp.Cast) and inner.args["to"].this is exp.DType.DOUBLE
        return said.text if is_double else self.as_double(said.text)

    def _modulo(self, node: exp.Expr) -> Said:
        left, right = self.say(node.this), self.say(node.expression)
        if (left.kind, right.kind) != (Kind.INTEGER, Kind.INTEGER):
            raise self.refuse(node, f"% is of whole numbers, and these are {left.kind.value} and {right.kind.value}")
        divisor = right.text if _is_never_zero(node.expression) else call("NULLIF", right.text, "0")
        return Said(call("MOD", left.text, divisor), Kind.INTEGER)

    def _negative(self, node: exp.Expr) -> Said:
        said = self.number(node.this)
        return Said(f"-{said.inner}" if not said.inner.startswith("-") else f"-({said.text})", said.kind, False)

    def _absolute(self, node: exp.Expr) -> Said:
        said = self.number(node.this)
        return Said(call("ABS", said.text), said.kind)

    def _power(self, node: exp.Expr) -> Said:
        parts = (self._double(part) for part in (node.this, node.expression))
        return Said(call("POWER", *parts), Kind.DOUBLE)

    def _exponential(self, node: exp.Expr) -> Said:
        return Said(call("EXP", self._double(node.this)), Kind.DOUBLE)

    def _logarithm(self, node: exp.Expr) -> Said:
        return Said(self.logarithm(self._double(node.this)), Kind.DOUBLE)

    def logarithm(self, text: str) -> str:
        """Return the natural logarithm; of zero, and of less, it stops the query."""
        return call("LN", text)

    def _round(self, node: exp.Expr) -> Said:
        self.require(node, "this", "decimals")
        said, decimals = self.say(node.this), node.args.get("decimals")
        if not said.kind.is_number:
            raise self.refuse(node, f"it is {said.kind.value}: engines round halves by the type of the number")
        digits = 0 if decimals is None else read_whole(decimals)
        if digits is None or not -15 <= digits <= 15:
            raise self.refuse(node, "the number of decimals is written as a number from -15 to 15")
        return Said(self.round_half_away(node, said, digits), said.kind)

    def _floor(self, node: exp.Expr) -> Said:
        self.require(node, "this")
        said = self.say(node.this)
        if not said.kind.is_number:
            raise self.refuse(node, f"it is {said.kind.value}, and a number is asked for")
        return Said(self.round_down(said, "FLOOR" if isinstance(node, exp.Floor) else "CEIL"), said.kind)

    # Texts.

    def _text(self, node: exp.Expr) -> Said:
        said = self.say(node)
        if said.kind not in (Kind.TEXT, Kind.UNKNOWN, Kind.NULL):
            raise self.refuse(node, f"it is {said.kind.value}, and a text is asked for")
        return said

    def _concatenate(self, node: exp.Expr) -> Said:
        parts = [self.spell(part) for part in _flatten(node)]
        return Said(" || ".join(parts), Kind.TEXT, False)

    def spell(self, node: exp.Expr) -> str:
        """Return a value as a text, where all engines write it alike."""
        said = self.say(node)
        if said.kind is Kind.TEXT:
            return said.inner
        if said.kind not in (Kind.INTEGER, Kind.BOOLEAN, Kind.NULL):
            raise self.refuse(node, f"it is {said.kind.value}, and engines do not write it as the same text")
        return f"CAST({said.text} AS {self.write_type(node, TEXT_TYPE)})"

    def _lower(self, node: exp.Expr) -> Said:
        return Said(self.lower(node, self._text(node.this)), Kind.TEXT)

    def _upper(self, node: exp.Expr) -> Said:
        return Said(self.upper(node, self._text(node.this)), Kind.TEXT)

    def _trim(self, node: exp.Expr) -> Said:
        self.require(node, "this")
        return Said(self.trim(self._text(node.this)), Kind.TEXT)

    def _length(self, node: exp.Expr) -> Said:
        self.require(node, "this")
        return Said(call("CHAR_LENGTH", self._text(node.this).text), Kind.INTEGER)


def is_string(node: exp.Expr) -> bool:
    """Tell whether a node is a string in quotes."""
    return isinstance(node, exp.Literal) and node.is_string


def read_whole(node: exp.Expr) -> int | None:
    """Return the whole number that a node is written as, or None."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        number = read_whole(node.this)
        return None if number is None else -number
    is_whole = isinstance(node, exp.Literal) and _WHOLE.fullmatch(str(node.this)) is not None
    return int(str(node.this)) if is_whole else None


def _is_never_zero(node: exp.Expr) -> bool:
    """Tell whether a divisor is a number that is not zero, or null instead of zero."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Nullif):
        return read_whole(node.expression) == 0
    return isinstance(node, exp.Literal) and not node.is_string and float(node.this) != 0


def _flatten(node: exp.Expr) -> list[exp.Expr]:
    """Return the parts of a chain of ||."""
    parts, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.DPipe):
            waiting += [part.expression, part.this]
        else:
            parts.append(part)
    return parts
