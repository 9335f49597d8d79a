"""What may be said in a filter: a closed list of conditions, values, types and functions.

sqlglot writes some parts of a tree as the text they came in (the name of a type it does not
know, the unit of an interval). Every such part is held against a list here, so that no text
of a caller's reaches SQL except as a quoted literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

ALLOWED = (
    "comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, ILIKE, IS NULL, + - * / % ||, CASE, CAST to a plain type, "
    "INTERVAL, COALESCE, NULLIF, LOWER, UPPER, TRIM, LENGTH, ABS, ROUND and DATE_TRUNC"
)

_NODES: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Like, exp.ILike,
    exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe,
    exp.Interval, exp.Var, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Case, exp.If, exp.Coalesce, exp.Nullif,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Abs, exp.Round, exp.TimestampTrunc, exp.DateTrunc,
    exp.Column, exp.Identifier,
)  # fmt: skip
_TYPES = {
    exp.DType.BOOLEAN, exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.FLOAT,
    exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.DATE, exp.DType.TIMESTAMP,
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]+")
# Nodes whose text is a quoted value, a checked name, or a word that _WORD holds.
_TEXT_NODES = (exp.Literal, exp.Identifier, exp.Var)


def find_unsayable(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield every part of the condition that may not stand in a filter."""
    for node in condition.walk():
        if not isinstance(node, _NODES) or not _is_plain(node):
            yield node


def _is_plain(node: exp.Expr) -> bool:
    if isinstance(node, exp.DataType):
        return node.this in _TYPES and not node.args.get("nested") and not node.args.get("kind")
    if isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        return False
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return False
    raw = [value for value in node.args.values() if isinstance(value, str)]
    return not raw or isinstance(node, _TEXT_NODES)
