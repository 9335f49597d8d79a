"""Filters: SQL conditions over {{ … }} references, parsed into a tree and never rendered.

Only what the node types below allow can be said; everything else is refused with the
word. A reference becomes a column named by its place; values stay literals of the tree,
so nothing that a caller writes is ever pasted into SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gnomon.core.errors import QueryError
from gnomon.planner.references import Reference, parse_call

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PLACE = "gnomon_reference_"

# The nodes a filter is made of: conditions, values, and functions without side effects.
_ALLOWED_NODES: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Like, exp.ILike,
    exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Tuple, exp.Interval, exp.Var,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Case, exp.If, exp.Coalesce, exp.Nullif,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Abs, exp.Round, exp.TimestampTrunc, exp.DateTrunc,
    exp.Column, exp.Identifier,
)  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """One condition; column gnomon_reference_N of `condition` stands for references[N]."""

    text: str
    condition: exp.Expr
    references: tuple[Reference, ...]

    def bind(self, columns: tuple[exp.Expr, ...]) -> exp.Expr:
        """Return the condition with columns[N] in the place of references[N]."""

        def replace(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column):
                return columns[int(node.name.removeprefix(_PLACE))].copy()
            return node

        return self.condition.transform(replace)


@lru_cache(maxsize=4096)
def parse_filter(text: str) -> Filter:
    """Return the filter that `text` says; QueryError names the word that it cannot say."""
    references: list[Reference] = []

    def stand_in(match: re.Match[str]) -> str:
        references.append(_parse_template(match.group(1).strip(), text))
        return f"{_PLACE}{len(references) - 1}"

    if _PLACE in text:
        raise _refuse(text, f"the word '{_PLACE}' is reserved")
    sql = _TEMPLATE.sub(stand_in, text)
    if "{" in sql or "}" in sql:
        raise _refuse(text, "a brace stands alone; a reference reads {{ Dimension('creator__tier') }}")
    try:
        statements = sqlglot.parse(sql, read="duckdb")
    except SqlglotError as error:
        raise _refuse(text, f"it does not parse{_describe(error)}") from None
    if len(statements) != 1 or statements[0] is None:
        raise _refuse(text, "it must be one condition")
    condition = statements[0]
    _check_nodes(condition, text)
    standing = sorted(int(column.name.removeprefix(_PLACE)) for column in condition.find_all(exp.Column))
    if standing != list(range(len(references))):
        raise _refuse(text, "a reference stands inside quotes or inside another word")
    return Filter(text=text, condition=condition, references=tuple(references))


def _parse_template(call: str, text: str) -> Reference:
    try:
        return parse_call(call)
    except QueryError as error:
        raise _refuse(text, str(error).removesuffix(".")) from None


def _check_nodes(condition: exp.Expr, text: str) -> None:
    for node in condition.walk():
        node.comments = None
        if not isinstance(node, _ALLOWED_NODES):
            raise _refuse(text, f"'{_first_words(node)}' may not stand in a filter")
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            raise _refuse(text, "a subquery may not stand in a filter")
        if isinstance(node, exp.Column) and (node.table or not node.name.startswith(_PLACE)):
            name = node.sql(dialect="duckdb")
            raise _refuse(text, f"'{name}' is a bare column; write {{{{ Dimension('entity__{node.name}') }}}}")


def _first_words(node: exp.Expr) -> str:
    words = re.sub(rf"{_PLACE}\d+", "{{ … }}", node.sql(dialect="duckdb"))
    return words if len(words) <= 60 else f"{words[:57]}…"


def _describe(error: SqlglotError) -> str:
    details = getattr(error, "errors", None) or [{}]
    highlight, column = details[0].get("highlight"), details[0].get("col")
    return f" at '{highlight}' (column {column} after references)" if highlight else ""


def _refuse(text: str, why: str) -> QueryError:
    return QueryError(f'filter "{text}": {why}.')
