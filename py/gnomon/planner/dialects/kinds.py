"""Kinds of values, as far as engines differ by them, and what two kinds come to."""

from __future__ import annotations

import re
from enum import Enum

from sqlglot import exp


class Kind(Enum):
    """What a value is; its value is how a refusal calls it."""

    INTEGER = "a whole number"
    DECIMAL = "a decimal number"
    DOUBLE = "a floating number"
    TEXT = "a text"
    BOOLEAN = "true or false"
    DATE = "a date"
    TIMESTAMP = "a time"
    INTERVAL = "a span of time"
    FINE = "a decimal number of more than six places"
    ZONED = "a time with a zone"
    NULL = "null"
    UNKNOWN = "a value whose type the planner was not told"

    @property
    def is_number(self) -> bool:
        """Tell whether it can be added up."""
        return self in NUMBERS

    @property
    def is_time(self) -> bool:
        """Tell whether it is a day or a moment."""
        return self in (Kind.DATE, Kind.TIMESTAMP)


# Spark keeps no more places than these where a number grows too long for it.
MOST_PLACES = 6
_DECIMAL = re.compile(r"DECIMAL\(\d+,\s*(\d+)\)")
# From narrow to wide: of two the wider one is the kind of both.
NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_WORDS = {
    "BOOLEAN": Kind.BOOLEAN, "VARCHAR": Kind.TEXT, "DATE": Kind.DATE,
    "TIMESTAMP": Kind.TIMESTAMP, "TIMESTAMP_S": Kind.TIMESTAMP, "TIMESTAMP_MS": Kind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": Kind.ZONED, "TIMESTAMPTZ": Kind.ZONED, "INTERVAL": Kind.INTERVAL,
    "FLOAT": Kind.DOUBLE, "DOUBLE": Kind.DOUBLE, "DECIMAL": Kind.DECIMAL,
    "TINYINT": Kind.INTEGER, "SMALLINT": Kind.INTEGER, "INTEGER": Kind.INTEGER, "BIGINT": Kind.INTEGER,
    "HUGEINT": Kind.INTEGER, "UTINYINT": Kind.INTEGER, "USMALLINT": Kind.INTEGER, "UINTEGER": Kind.INTEGER,
    "UBIGINT": Kind.INTEGER,
}  # fmt: skip
_TYPES = {
    exp.DType.BOOLEAN: Kind.BOOLEAN, exp.DType.TINYINT: Kind.INTEGER, exp.DType.SMALLINT: Kind.INTEGER,
    exp.DType.INT: Kind.INTEGER, exp.DType.BIGINT: Kind.INTEGER, exp.DType.FLOAT: Kind.DOUBLE,
    exp.DType.DOUBLE: Kind.DOUBLE, exp.DType.DECIMAL: Kind.DECIMAL, exp.DType.VARCHAR: Kind.TEXT,
    exp.DType.TEXT: Kind.TEXT, exp.DType.DATE: Kind.DATE, exp.DType.TIMESTAMP: Kind.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: Kind.TIMESTAMP,
}  # fmt: skip


def read_kind(written: str) -> Kind:
    """Return the kind of a DuckDB type as the catalogue writes it; other types than those of metrics are unknown."""
    plain = written.upper()
    decimal = _DECIMAL.fullmatch(plain)
    if decimal is not None:
        return Kind.DECIMAL if int(decimal[1]) <= MOST_PLACES else Kind.FINE
    return _WORDS.get(plain, Kind.UNKNOWN)


def kind_of(written: exp.DataType) -> Kind | None:
    """Return the kind of a type in a CAST, or None if it is no plain type."""
    if written.this is exp.DType.DECIMAL and len(written.expressions) == 2:
        return read_kind(f"DECIMAL({written.expressions[0].name},{written.expressions[1].name})")
    return None if written.args.get("nested") else _TYPES.get(written.this)


def merge(left: Kind, right: Kind) -> Kind | None:
    """Return the kind that values of both are of, or None if there is none."""
    if left is right or right is Kind.NULL:
        return left
    if left is Kind.NULL:
        return right
    if Kind.UNKNOWN in (left, right):
        return Kind.UNKNOWN
    for order in (NUMBERS, _TIMES):
        if left in order and right in order:
            return max(left, right, key=order.index)
    return None
