"""What the values of a view's columns are, in the words of BI tools."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from gnomon.publish.views import View


class Kind(Enum):
    """Kinds of values that the tools know; whole numbers have 64 bits, other numbers are floating ones."""

    WHOLE = "whole"
    REAL = "real"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"


_KINDS = {
    "BOOLEAN": Kind.BOOLEAN, "TINYINT": Kind.WHOLE, "SMALLINT": Kind.WHOLE, "INTEGER": Kind.WHOLE,
    "BIGINT": Kind.WHOLE, "UTINYINT": Kind.WHOLE, "USMALLINT": Kind.WHOLE, "UINTEGER": Kind.WHOLE,
    "FLOAT": Kind.REAL, "DOUBLE": Kind.REAL, "VARCHAR": Kind.TEXT, "UUID": Kind.TEXT, "DATE": Kind.DATE,
    "TIMESTAMP": Kind.MOMENT, "TIMESTAMP_S": Kind.MOMENT, "TIMESTAMP_MS": Kind.MOMENT,
}  # fmt: skip


def find_kind(kind: str) -> Kind | None:
    """Return what DuckDB's type is to a tool; None if it has no values of that kind."""
    return Kind.REAL if kind.startswith("DECIMAL") else _KINDS.get(kind)


def list_untyped(view: View) -> Iterator[tuple[str, str]]:
    """Yield the columns of which the tools have no type, with the reason."""
    for column in view.columns:
        if find_kind(column.kind) is None:
            yield f"{view.name}.{column.name}", f"the tools have no type for {column.kind}"
