"""Columns of DuckDB as Postgres keeps them: to the same values, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gnomon.core.errors import DefinitionError

# A longer name is cut by Postgres without a word.
MOST_BYTES = 63
TEXT, HUGE, HUGE_DIGITS = "VARCHAR", ("HUGEINT", "UHUGEINT"), 38
TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE")
_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "smallint", "SMALLINT": "smallint", "INTEGER": "integer", "BIGINT": "bigint",
    "UTINYINT": "smallint", "USMALLINT": "integer", "UINTEGER": "bigint", "UBIGINT": "numeric(20, 0)",
    "HUGEINT": "numeric(38, 0)", "UHUGEINT": "numeric(38, 0)", "FLOAT": "real", "DOUBLE": "double precision",
    # By bytes, as the engine orders texts, so that an index serves that order.
    "VARCHAR": 'text collate "C"', "UUID": "uuid",
    "DATE": "date", "TIME": "time", "TIMESTAMP": "timestamp", "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_NESTED = re.compile(r".*\[\d*\]|(STRUCT|MAP|UNION)\(.*", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column with DuckDB's type, Postgres's, and what is said of it."""

    name: str
    kind: str
    written: str
    comment: str


def read_column(place: str, name: str, kind: str, comment: str) -> Column:
    """Return a column as Postgres keeps it; DefinitionError says why it cannot be kept exactly.

    `place` is the table, and the file that defines it, as an error names them.
    """
    check_name(f"{place}: column", name)
    decimal = _DECIMAL.fullmatch(kind)
    written = f"numeric({decimal[1]}, {decimal[2]})" if decimal else _TYPES.get(kind)
    if written is None:
        raise DefinitionError(f"{place}: column '{name}' is of DuckDB's type {kind}, and {_explain(kind)}.")
    if written == "timestamp" and "UTC" not in comment:
        comment = f"{comment} UTC.".strip()
    return Column(name, kind, written, comment)


def check_name(place: str, name: str) -> None:
    """Refuse a name that Postgres would cut; DefinitionError."""
    size = len(name.encode())
    if size > MOST_BYTES:
        raise DefinitionError(
            f"{place} '{name}' has a name of {size} bytes, and Postgres keeps {MOST_BYTES}. Give it a shorter one."
        )


def _explain(kind: str) -> str:
    if _NESTED.fullmatch(kind):
        return "no SQL of the planner's reads a list or a struct. Give each part a column or a row of its own"
    if kind == "TIMESTAMP_NS":
        return "Postgres keeps microseconds. Cast it to timestamp in the model"
    return "Postgres has no type of the very same values. Cast it in the model, to varchar for example"
