"""Values of the second kind: literals, casts, times and what is aggregated; and the list of all that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlglot import exp

from gnomon.planner.dialects.kinds import MOST_PLACES, Kind, kind_of
from gnomon.planner.dialects.speech import Said, call
from gnomon.planner.dialects.values import Values, is_string, read_whole
from gnomon.semantic.grain import Grain

_GRAINS = {grain.value: grain for grain in Grain if grain is not Grain.NANOSECOND}
# More than the error of a product of floating numbers, and less than one row of a hundred million by six places.
_HAIR = 1e-14
_PARTS = {"year", "quarter", "month", "day", "isodow", "doy"}


class Totals(Values):
    """Says the values that are read, converted and added up."""

    def _literal(self, node: exp.Expr) -> Said:
        text = str(node.this)
        if is_string(node):
            return Said(self.quote(text), Kind.TEXT)
        if "e" in text.lower():
            return Said(self.as_double(text), Kind.DOUBLE)
        return Said(text, Kind.DECIMAL if "." in text else Kind.INTEGER)

    def _paren(self, node: exp.Expr) -> Said:
        return self.say(node.this)._replace(is_whole=False)

    def _cast(self, node: exp.Expr) -> Said:
        self.require(node, "this", "to")
        kind = kind_of(node.args["to"])
        if kind is None or not isinstance(node, exp.Cast):
            raise self.refuse(node, "it is a cast to a type that is not plain")
        if is_string(node.this) and kind.is_time:
            return self._read_string(node, str(node.this.this), kind)
        said = self.say(node.this)
        if kind.is_time:
            if said.kind not in (Kind.DATE, Kind.TIMESTAMP, Kind.UNKNOWN, Kind.NULL):
                raise self.refuse(node, f"it is {said.kind.value}, and engines read times from it in ways of their own")
            return Said(self.convert(node, said, kind), kind)
        if kind is Kind.TEXT:
            return Said(self.spell(node.this), kind)
        if kind is Kind.BOOLEAN:
            if said.kind not in (Kind.INTEGER, Kind.BOOLEAN):
                raise self.refuse(node, f"it is {said.kind.value}, and engines do not take the same for true")
            return Said(self.condition(node.this), kind, False)
        if said.kind is Kind.BOOLEAN:
            said = Said(as_number(said), Kind.INTEGER)
        if said.kind is Kind.UNKNOWN and kind is not Kind.DOUBLE:
            raise self.refuse(node, f"it is {said.kind.value}, and engines round by the type")
        if kind in (Kind.DECIMAL, Kind.FINE) and said.kind is Kind.DOUBLE:
            raise self.refuse(node, "engines round a floating number to a decimal one in different ways")
        if said.kind.is_time or said.kind is Kind.INTERVAL:
            raise self.refuse(node, f"it is {said.kind.value}, and a number is asked for")
        return Said(self.convert(node, said, kind), kind)

    # Times.

    def _time(self, node: exp.Expr) -> Said:
        said = self.say(node)
        if not said.kind.is_time and said.kind not in (Kind.UNKNOWN, Kind.NULL):
            raise self.refuse(node, f"it is {said.kind.value}, and a time is asked for")
        return said

    def _truncate(self, node: exp.Expr) -> Said:
        if isinstance(node, exp.Anonymous):
            unit, moment = node.expressions
        else:
            self.require(node, "this", "unit")
            unit, moment = node.args["unit"], node.this
        grain = _GRAINS.get(unit.name.lower())
        if grain is None:
            raise self.refuse(node, f"engines do not truncate to '{unit.name.lower()}' alike")
        return Said(self.truncate(self._time(moment), grain), Kind.TIMESTAMP)

    def _extract(self, node: exp.Expr) -> Said:
        part = node.this.name.lower()
        if part not in _PARTS:
            raise self.refuse(node, f"engines do not number '{part}' alike")
        return Said(self.extract(part, self._time(node.expression)), Kind.INTEGER)

    def _at_zone(self, node: exp.Expr) -> Said:
        """The planner's own form, a time in UTC as clocks showed it elsewhere; of others the meaning hangs on types."""
        moment = node.this.unnest()
        if isinstance(moment, exp.AtTimeZone) and moment.args["zone"].name == "UTC":
            return Said(self.move_zone(self._time(moment.this), node.args["zone"].name), Kind.TIMESTAMP)
        raise self.refuse(node, "a time zone is that of the question, not of a definition")

    def _interval(self, node: exp.Expr) -> Said:
        count, unit = self.read_span(node)
        return Said(self.interval(count, unit), Kind.INTERVAL)

    def read_span(self, node: exp.Expr) -> tuple[int, Grain]:
        """Return the number and the unit of a span; quarters are months, and weeks days."""
        unit = node.args.get("unit")
        count = read_whole(node.this) if node.this is not None else None
        grain = _GRAINS.get(unit.name.lower().removesuffix("s")) if unit is not None else None
        if count is None or grain is None:
            raise self.refuse(node, "a span is a whole number of one unit")
        match grain:
            case Grain.YEAR:
                return count * 12, Grain.MONTH
            case Grain.QUARTER:
                return count * 3, Grain.MONTH
            case Grain.WEEK:
                return count * 7, Grain.DAY
        return count, grain

    # Aggregates.

    def _sum(self, node: exp.Expr) -> Said:
        said = self.say(node.this)
        if said.kind is Kind.BOOLEAN:
            return Said(call("SUM", as_number(said)), Kind.INTEGER)
        said = self.number(node.this)
        text = self.as_double(said.text) if said.kind is Kind.NULL else said.text
        return Said(call("SUM", text), said.kind)

    def _average(self, node: exp.Expr) -> Said:
        return Said(call("AVG", self.as_double(self.number(node.this).text)), Kind.DOUBLE)

    def _extreme(self, node: exp.Expr) -> Said:
        self.require(node, "this")
        said = self.say(node.this)
        return Said(self.extreme(node, said), said.kind)

    def _count(self, node: exp.Expr) -> Said:
        self.require(node, "this", "big_int")
        if isinstance(node.this, exp.Star):
            return Said("COUNT(*)", Kind.INTEGER)
        if isinstance(node.this, exp.Distinct):
            self.require(node.this, "expressions")
            if len(node.this.expressions) != 1:
                raise self.refuse(node, "engines do not count several columns together alike")
            return Said(f"COUNT(DISTINCT {self.say(node.this.expressions[0]).text})", Kind.INTEGER)
        return Said(call("COUNT", self.say(node.this).text), Kind.INTEGER)

    def _filter(self, node: exp.Expr) -> Said:
        said = self.say(node.this)
        return said._replace(text=f"{said.text} FILTER (WHERE {self.condition(node.expression.this, is_alone=True)})")

    def _within(self, node: exp.Expr) -> Said:
        if not isinstance(node.this, exp.PercentileCont | exp.PercentileDisc):
            raise self.refuse(node, "only percentiles are ordered")
        (ordered,) = node.expression.expressions
        said = self.say(ordered.this)
        if said.kind not in (Kind.INTEGER, Kind.DOUBLE):
            raise self.refuse(node, f"it is a percentile of {said.kind.value}, and engines round it by the type")
        is_discrete = isinstance(node.this, exp.PercentileDisc)
        function = "PERCENTILE_DISC" if is_discrete else "PERCENTILE_CONT"
        taken = said.text if is_discrete else self.as_double(said.text)
        fraction = self.say(node.this.this).text
        if is_discrete:
            fraction = self._round_in(node, fraction)
        kind = said.kind if is_discrete else Kind.DOUBLE
        return Said(f"{call(function, fraction)} WITHIN GROUP (ORDER BY {taken})", kind)

    def _round_in(self, node: exp.Expr, fraction: str) -> str:
        """Return a hair less than a fraction: 0.55 of 100 rows is row 55, and more than 55 in floating numbers."""
        if len(fraction.partition(".")[2]) > MOST_PLACES:
            raise self.refuse(node, f"a fraction of rows has {MOST_PLACES} places at the most")
        return repr(float(fraction) * (1 - _HAIR))

    def _anonymous(self, node: exp.Expr) -> Said:
        if str(node.this).upper() != "DATE_TRUNC" or len(node.expressions) != 2 or not is_string(node.expressions[0]):
            raise self.refuse(node, "it is a function that is not known here")
        return self._truncate(node)

    _speakers: ClassVar[Mapping[type[exp.Expr], Callable[[Any, Any], Said]]] = {
        **dict.fromkeys((exp.And, exp.Or), Values._connect),
        exp.Not: Values._negate,
        **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), Values._compare),
        **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), Values._compare_nulls),
        exp.Between: Values._between,
        exp.In: Values._is_in,
        exp.Is: Values._is,
        **dict.fromkeys((exp.Like, exp.ILike), Values._like),
        **dict.fromkeys((exp.Case, exp.If), Values._case),
        **dict.fromkeys((exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest), Values._choose),
        **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), Values._compute),
        exp.Div: Values._divide,
        exp.Mod: Values._modulo,
        exp.Neg: Values._negative,
        exp.Abs: Values._absolute,
        exp.Pow: Values._power,
        exp.Exp: Values._exponential,
        exp.Ln: Values._logarithm,
        exp.Round: Values._round,
        **dict.fromkeys((exp.Floor, exp.Ceil), Values._floor),
        exp.DPipe: Values._concatenate,
        exp.Lower: Values._lower,
        exp.Upper: Values._upper,
        exp.Trim: Values._trim,
        exp.Length: Values._length,
        exp.Literal: _literal,
        exp.Null: lambda self, node: Said("NULL", Kind.NULL),
        exp.Boolean: lambda self, node: Said("TRUE" if node.this else "FALSE", Kind.BOOLEAN),
        exp.Paren: _paren,
        exp.Cast: _cast,
        exp.Column: lambda self, node: self.find(node),
        exp.Subquery: lambda self, node: self.say_query(node),
        **dict.fromkeys((exp.TimestampTrunc, exp.DateTrunc), _truncate),
        exp.Anonymous: _anonymous,
        exp.Extract: _extract,
        exp.AtTimeZone: _at_zone,
        exp.Interval: _interval,
        exp.Sum: _sum,
        exp.Avg: _average,
        **dict.fromkeys((exp.Min, exp.Max), _extreme),
        exp.Count: _count,
        exp.Filter: _filter,
        exp.WithinGroup: _within,
        exp.Window: lambda self, node: self.say_window(node),
    }


def as_number(said: Said) -> str:
    """Return true as one and false as zero."""
    return f"CASE WHEN {said.inner} THEN 1 WHEN NOT {said.inner} THEN 0 END"
