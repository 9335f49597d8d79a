"""Statements that make and move a copy: fixed words around names in quotes and texts in quotes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlglot import exp


class Words(str):
    """Words of SQL that were written here, and so need no quotes."""

    __slots__ = ()


class Text(str):
    """A text to stand in quotes; all other words are names."""

    __slots__ = ()


def write(template: str, **parts: str | Iterable[str] | None) -> str:
    """Return a statement with the parts in its places: names quoted, several of them with commas between."""
    return template.format(**{place: _quote(part) for place, part in parts.items()})


def name_relation(schema: str, *tables: str) -> Words:
    """Return tables of a schema, quoted, with commas between."""
    return Words(", ".join(f"{_quote(schema)}.{_quote(table)}" for table in tables))


def write_moment(moment: datetime | None) -> Words:
    """Return a moment, UTC, or null."""
    return Words("null") if moment is None else Words(f"timestamp {_quote(Text(moment.isoformat(sep=' ')))}")


def _quote(part: str | Iterable[str] | None) -> str:
    if part is None:
        return "null"
    if isinstance(part, Words):
        return part
    if isinstance(part, Text):
        # Said so that a backslash is itself whatever the server's settings are.
        doubled = part.replace("\\", "\\\\").replace("'", "''")
        return f"E'{doubled}'"
    if isinstance(part, str):
        return exp.to_identifier(part, quoted=True).sql(dialect="postgres")
    return ", ".join(map(_quote, part))
