"""The SQL that a definition writes: over its own table's columns, or over its inputs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeVar

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gnomon.core.errors import DefinitionError

E = TypeVar("E", bound=exp.Expr)
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def is_plain(expr: str) -> bool:
    """Tell whether a definition's SQL is no more than a column's name."""
    return _COLUMN_NAME.fullmatch(expr) is not None and expr.lower() not in ("true", "false", "null")


def parse_column(expr: str, alias: str) -> exp.Expr:
    """Return a definition's SQL with every column read from `alias`; a fresh tree each time."""
    return _parse(expr, alias).copy()


@lru_cache(maxsize=4096)
def _parse(expr: str, alias: str) -> exp.Expr:
    if is_plain(expr):
        # A column may be called what SQL calls something else: map, copy, current_user.
        return exp.column(expr, table=alias, quoted=True)
    return (
        parse_expression(expr)
        .copy()
        .transform(lambda node: _qualify(node, alias) if isinstance(node, exp.Column) else node)
    )


@lru_cache(maxsize=4096)
def parse_expression(expr: str) -> exp.Expr:
    """Return the tree of one expression, not to be changed; DefinitionError if it is not one, or holds a query."""
    try:
        statements = sqlglot.parse(expr, read="duckdb")
    except SqlglotError:
        raise _refuse(expr, "does not parse") from None
    if len(statements) != 1 or statements[0] is None:
        raise _refuse(expr, "is not one expression")
    tree = statements[0]
    if tree.find(exp.Query, exp.DDL, exp.Command) is not None:
        raise _refuse(expr, "holds a query of its own; put it into the model")
    return forget_text(tree)


def forget_text(tree: E) -> E:
    """Return the tree without its remarks, and without where its words stood: to copy those costs most of a copy."""
    for node in tree.walk():
        node.comments = None
        node._meta = None
    return tree


def _qualify(column: exp.Column, alias: str) -> exp.Expr:
    """Read the column from `alias`; payload.kind is the field kind of the column payload."""
    if isinstance(column.this, exp.Star):
        return column
    first, *fields = [part.name for part in column.parts]
    qualified: exp.Expr = exp.column(first, table=alias, quoted=True)
    for field in fields:
        qualified = exp.Dot(this=qualified, expression=exp.to_identifier(field, quoted=True))
    return qualified


def _refuse(expr: str, why: str) -> DefinitionError:
    return DefinitionError(f"the expr '{expr}' of a definition {why}.")
