"""Filters: SQL conditions over {{ … }} references, parsed into a tree and never rendered.

Only what `filter_words` lists can be said; everything else is refused with the word. A
reference becomes a column named by its place; values stay literals of the tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gnomon.core.errors import QueryError, shorten
from gnomon.planner.expressions import forget_text
from gnomon.planner.filter_words import ALLOWED, find_unsayable
from gnomon.planner.references import CustomGrains, Reference, parse_call

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PLACE = "gnomon_reference_"

_PLACE_NAME = re.compile(rf"{_PLACE}(\d+)")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
MOST_CHARACTERS = 10_000
# Deeper trees may parse and yet be too deep to be written. A chain such as a OR b OR c is flat.
_DEEPEST = 100
# The compiled parser falls over some texts that are no SQL, such as a lone ->, with errors of Python's own.
_PARSER_ERRORS = (SqlglotError, TypeError, ValueError, AttributeError)
# Under these a comparison with null must be null, and not false.
_MINDS_NULLS = (exp.NEQ, exp.Not, exp.Is, exp.Case, exp.If, exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ)


@dataclass(frozen=True)
class Filter:
    """One condition; column gnomon_reference_N of `condition` stands for references[N].

    In the places of `minds_nulls` it matters whether a comparison with null is null or false.
    """

    text: str
    condition: exp.Expr
    references: tuple[Reference, ...]
    minds_nulls: frozenset[int] = frozenset()

    def bind(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        """Return the condition with columns[N] itself in the place of references[N], of which there is one."""
        condition = self.condition.copy()
        for column in list(condition.find_all(exp.Column)):
            replaced = columns[_place_of(column)]
            if column is condition:
                return replaced
            column.replace(replaced)
        return condition


def split(condition: Filter) -> tuple[Filter, ...]:
    """Return the conditions that the filter joins by AND, each a filter of its own."""
    tree = condition.condition.unnest()
    if not isinstance(tree, exp.And):
        return (condition,)
    return tuple(part for side in (tree.this, tree.expression) for part in split(_cut_out(condition, side)))


def _cut_out(condition: Filter, part: exp.Expr) -> Filter:
    places = sorted({_place_of(column) for column in part.find_all(exp.Column)})
    moved = {place: f"{_PLACE}{number}" for number, place in enumerate(places)}
    return Filter(
        text=part.sql(dialect="duckdb"),
        condition=_rename(part, lambda place: moved[place]),
        references=tuple(condition.references[place] for place in places),
        minds_nulls=frozenset(places.index(place) for place in condition.minds_nulls if place in moved),
    )


def negate(filters: Sequence[Filter]) -> Filter:
    """Return the filter of the rows that not all of these let through, be it for a null."""
    conditions: list[exp.Expr] = []
    references: list[Reference] = []
    for each in filters:
        first = len(references)
        moved = _rename(each.condition, lambda place, first=first: f"{_PLACE}{first + place}")  # type: ignore[misc]
        conditions.append(exp.Paren(this=moved))
        references += each.references
    passes = reduce(lambda left, right: exp.And(this=left, expression=right), conditions)
    return Filter(
        text=f"not all of: {'; '.join(each.text for each in filters)}",
        condition=exp.Not(this=exp.Coalesce(this=passes, expressions=[exp.false()])),
        references=tuple(references),
        minds_nulls=frozenset(range(len(references))),
    )


def _rename(condition: exp.Expr, called: Callable[[int], str]) -> exp.Expr:
    """Return a condition whose references have other places."""
    copied = condition.copy()
    for column in list(copied.find_all(exp.Column)):
        column.set("this", exp.to_identifier(called(_place_of(column))))
    return copied


def parse_filter(text: str, grains: CustomGrains) -> Filter:
    """Return the filter that `text` says; QueryError names the word that it cannot say."""
    references: list[Reference] = []

    def stand_in(match: re.Match[str]) -> str:
        references.append(_parse_template(match.group(1).strip(), text, grains))
        return f"{_PLACE}{len(references) - 1}"

    if _PLACE in text:
        raise _refuse(text, f"the word '{_PLACE}' is reserved")
    if len(text) > MOST_CHARACTERS:
        raise _refuse(text, f"it has {len(text):,} characters; {MOST_CHARACTERS:,} are allowed")
    sql = _TEMPLATE.sub(stand_in, text)
    outside = _QUOTED.sub("", sql)
    if "{" in outside or "}" in outside:
        raise _refuse(text, "a brace stands alone; a reference reads {{ Dimension('creator__tier') }}")
    try:
        condition = _parse_condition(sql, text)
    except RecursionError:
        raise _refuse(text, f"it is nested too deeply; {_DEEPEST} levels are allowed") from None
    if _measure_depth(condition) > _DEEPEST:
        raise _refuse(text, f"it is nested too deeply; {_DEEPEST} levels are allowed")
    standing = sorted(_place_of(column) for column in condition.find_all(exp.Column))
    if standing != list(range(len(references))):
        raise _refuse(text, "a reference stands inside quotes or inside another word")
    minds_nulls = frozenset(
        _place_of(column) for column in condition.find_all(exp.Column) if column.find_ancestor(*_MINDS_NULLS)
    )
    return Filter(text=text, condition=condition, references=tuple(references), minds_nulls=minds_nulls)


def _parse_condition(sql: str, text: str) -> exp.Expr:
    try:
        statements = sqlglot.parse(sql, read="duckdb")
    except _PARSER_ERRORS as error:
        raise _refuse(text, f"it does not parse{_describe(error)}") from None
    if len(statements) != 1 or statements[0] is None:
        raise _refuse(text, "it must be one condition")
    condition = statements[0]
    for part in find_unsayable(condition):
        raise _refuse(text, f"'{_first_words(part)}' may not stand in a filter. Allowed: {ALLOWED}")
    # Without a list DuckDB refuses, or looks for one text within another.
    if any(not each.expressions for each in condition.find_all(exp.In)):
        raise _refuse(text, "IN takes a list of one value or more, in parentheses")
    for column in condition.find_all(exp.Column):
        if column.table or not _PLACE_NAME.fullmatch(column.name):
            name = _first_words(column)
            raise _refuse(
                text, f"'{name}' is a bare column; write {{{{ Dimension('entity__{shorten(column.name)}') }}}}"
            )
    return forget_text(condition)


def _measure_depth(condition: exp.Expr) -> int:
    deepest = 0
    waiting = [(condition, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        below = depth + (not isinstance(node, exp.Binary))
        waiting += [(child, below) for child in node.iter_expressions()]
    return deepest


def _place_of(column: exp.Column) -> int:
    return int(column.name.removeprefix(_PLACE))


def _parse_template(call: str, text: str, grains: CustomGrains) -> Reference:
    try:
        return parse_call(call, grains)
    except QueryError as error:
        raise _refuse(text, str(error).removesuffix(".")) from None


def _first_words(node: exp.Expr) -> str:
    words = re.sub(rf"{_PLACE}\d+", "{{ … }}", node.sql(dialect="duckdb"))
    return words if len(words) <= 60 else f"{words[:57]}…"


def _describe(error: Exception) -> str:
    details = getattr(error, "errors", None) or [{}]
    highlight, column = details[0].get("highlight"), details[0].get("col")
    return f" at '{shorten(highlight)}' (column {column} after references)" if highlight else ""


def _refuse(text: str, why: str) -> QueryError:
    return QueryError(f'filter "{shorten(text)}": {why}.')
