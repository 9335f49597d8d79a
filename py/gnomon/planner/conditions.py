"""The structured form of a filter, for clients that speak JSON: a field, an operator, a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.planner.compiled import Compiled
from gnomon.planner.references import Reference

Value = str | int | float | bool
_SINGLE = {
    "=": "=",
    "!=": "<>",
    "<>": "<>",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "like": "LIKE",
    "not like": "NOT LIKE",
    "ilike": "ILIKE",
}
_SEVERAL = {"in": "IN", "not in": "NOT IN"}
_NONE = {"is null": "IS NULL", "is not null": "IS NOT NULL"}
OPERATORS = (*_SINGLE, *_SEVERAL, "between", *_NONE)


@dataclass(frozen=True)
class Condition:
    """A filter in parts: `creator__tier`, `in`, `["gold", "silver"]`. A time's field has its grain."""

    field: str
    operator: str
    value: Value | Sequence[Value] | None = None


def write_filters(compiled: Compiled, where: Sequence[str | Condition]) -> Sequence[str]:
    """Return filters as texts; what is neither a text nor a Condition is left as it is, for others to judge."""
    given = (where,) if isinstance(where, (str, Condition)) else where
    return [
        write_condition(compiled.reference(each.field), each) if isinstance(each, Condition) else each for each in given
    ]


def write_condition(reference: Reference, condition: Condition) -> str:
    """Return the filter's text, values quoted; QueryError for an unknown operator or a value that it does not take."""
    operator, value = condition.operator.lower(), condition.value
    several = None if value is None or isinstance(value, Value) else list(value)
    name = _write_reference(reference)
    if operator in _SINGLE:
        if value is None or several is not None:
            raise QueryError(f"'{operator}' takes one value. `in` takes a list, and `is null` none.")
        return f"{name} {_SINGLE[operator]} {_write(value)}"  # type: ignore[arg-type]
    if operator in _SEVERAL:
        if not several:
            raise QueryError(f"'{operator}' takes a list of one value or more.")
        return f"{name} {_SEVERAL[operator]} ({', '.join(map(_write, several))})"
    if operator == "between":
        if several is None or len(several) != 2:
            raise QueryError("'between' takes a list of two values, the least and the greatest.")
        return f"{name} BETWEEN {_write(several[0])} AND {_write(several[1])}"
    if operator in _NONE:
        if value is not None:
            raise QueryError(f"'{operator}' takes no value. Leave it out.")
        return f"{name} {_NONE[operator]}"
    raise QueryError(explain_unknown("operator", condition.operator, OPERATORS))


def _write_reference(reference: Reference) -> str:
    if reference.grain is not None:
        return f"{{{{ TimeDimension('{reference.plain}', '{reference.grain.value}') }}}}"
    part = "" if reference.part is None else f".date_part('{reference.part.value}')"
    return f"{{{{ Dimension('{reference.plain}'){part} }}}}"


def _write(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        # A whole number may be greater than any fraction.
        if isinstance(value, float) and not math.isfinite(value):
            raise QueryError(f"{value} is not a number that anything can be compared with.")
        return repr(value)
    if "{" in value or "\x00" in value:
        raise QueryError("a value cannot hold '{' or a null character.")
    return "'" + value.replace("'", "''") + "'"
