"""Filters that somebody else puts into the SQL, such as Metabase's field filters: where they go, and on which column.

A field filter becomes a condition over "schema"."table"."column", which is not there where the table has another
name or stands in a query. So each is planned as a filter of the question, which leads it to every scan that it
holds for; there the table keeps its full name, and the filter's place is the last of the WHERE: [[AND {{name}}]].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.compiled import Compiled
from gnomon.planner.question import Question
from gnomon.planner.resolve_names import refuse_repeats
from gnomon.planner.sql_parts import all_of, identifier, name
from gnomon.semantic.grain import Grain

# Stands around a filter's name while it is planned; no text of a caller's has it.
_MARK = "\x02"
_SHOWN = re.compile(r"\[\[AND \{\{(\w+)\}\}\]\]")
_HIDDEN = re.compile(rf'AND ["`]{_MARK}(\w+)["`]')
_COMPUTED = "it would hold for what is computed, not for rows of a table"
IsDate = Callable[[str, str], bool]


@dataclass(frozen=True)
class OuterFilter:
    """A filter's name and the column that it is to be put over; `schema` is empty where the table has none."""

    name: str
    schema: str
    table: str
    column: str


def ask_outer_filters(compiled: Compiled, question: Question) -> Question:
    """Return the question with a stand-in for each outer filter among its own."""
    if not question.outer_filters:
        return question
    if any(_MARK in text for text in (*question.where, *question.row_filters)):
        raise QueryError("a filter has a character of the number 2, which no value of a filter from outside may have.")
    refuse_repeats(compiled.reference(word).name for word in question.outer_filters)
    return replace(question, where=(*question.where, *(_stand_in(compiled, each) for each in question.outer_filters)))


def _stand_in(compiled: Compiled, word: str) -> str:
    reference = compiled.reference(word)
    if reference.part is not None or reference.metric is not None:
        raise _refuse(word, "a filter from outside is over a column, and this is computed")
    call = f"Dimension('{reference.plain}')"
    if reference.grain is not None:
        call = f"TimeDimension('{reference.plain}', '{reference.grain.value}')"
    return f"{{{{ {call} }}}} = '{_MARK}{reference.name}{_MARK}'"


def place_outer_filters(query: exp.Select, question: Question, is_date: IsDate) -> tuple[OuterFilter, ...]:
    """Put each filter's place into the scans that it holds for; QueryError says why it can be nowhere."""
    if not question.outer_filters:
        return ()
    found: dict[str, OuterFilter] = {}
    for select in list(query.find_all(exp.Select)):
        for placed in _place(select, is_date):
            if found.setdefault(placed.name, placed) != placed:
                tables = " and ".join(sorted(f"{each.table}.{each.column}" for each in (placed, found[placed.name])))
                raise _refuse(placed.name, f"it would be over {tables}, and one filter is over one column")
    for literal in query.find_all(exp.Literal):
        if _read_mark(literal) is not None:
            raise _refuse(literal.name.strip(_MARK), _COMPUTED)
    if len(found) != len(question.outer_filters):
        raise QueryError("a filter from outside has no place in this SQL, as no rows are read that it could hold for.")
    return tuple(found.values())


def _place(select: exp.Select, is_date: IsDate) -> Iterator[OuterFilter]:
    where = select.args.get("where")
    joined = [] if where is None else [where.this]
    # Each condition keeps its parentheses: an OR in it would reach further without them.
    conditions = joined[0].flatten(unnest=False) if joined and isinstance(joined[0], exp.And) else joined
    kept: list[exp.Expr] = []
    marked: list[str] = []
    for condition in list(conditions):
        called = _read_condition(condition)
        if called is None:
            kept.append(condition)
            continue
        yield _unalias(select, called, condition.unnest().this, is_date)
        marked.append(called)
    if marked:
        places = [name(_MARK + called) for called in marked]
        select.set("where", exp.Where(this=all_of([*(kept or [exp.true()]), *places])))


def _read_condition(condition: exp.Expr) -> str | None:
    inner = condition.unnest()
    return _read_mark(inner.expression) if isinstance(inner, exp.EQ) else None


def _read_mark(node: exp.Expr) -> str | None:
    is_mark = isinstance(node, exp.Literal) and node.is_string and node.name.startswith(_MARK)
    return node.name.strip(_MARK) if is_mark else None


def _unalias(select: exp.Select, called: str, value: exp.Expr, is_date: IsDate) -> OuterFilter:
    """Give the table of the filtered column its full name back, in all of this SELECT."""
    column = value.expressions[1] if _is_day(value) else value
    if isinstance(column, exp.Column) and not column.table:
        raise _refuse(called, _COMPUTED)
    if not isinstance(column, exp.Column):
        raise _refuse(called, "it is computed or truncated, and a filter from outside is over a column as it is")
    joins = select.args.get("joins") or []
    sources = {each.alias_or_name: each for each in (select.args["from_"].this, *(join.this for join in joins))}
    table = sources[column.table]
    if not isinstance(table, exp.Table):
        raise _refuse(called, "its table is filtered or computed before it is joined, so it has no full name there")
    relation = ".".join(f'"{part.name}"' for part in table.parts)
    if column is not value and not is_date(relation, column.name):
        raise _refuse(called, "its column has a time of day, and the days of it are computed")
    others = [each for each in sources.values() if each is not table]
    if any(_is_called(each, table) for each in others):
        raise _refuse(called, f"'{table.name}' stands twice in one scan, and its full name would mean either")
    alias, schema = column.table, table.db
    table.set("alias", None)
    for each in _columns_of(select):
        if each.table == alias:
            each.set("table", identifier(table.name))
            each.set("db", identifier(schema) if schema else None)
    return OuterFilter(called, schema, table.name, column.name)


def _is_day(value: exp.Expr) -> bool:
    return (
        isinstance(value, exp.Anonymous) and value.name == "DATE_TRUNC" and value.expressions[0].name == Grain.DAY.value
    )


def _is_called(other: exp.Expr, table: exp.Table) -> bool:
    """Tell whether another source of the scan could be meant by the table's name."""
    is_bare = isinstance(other, exp.Table) and not other.alias
    return other.alias == table.name or (is_bare and other.name == table.name)


def _columns_of(select: exp.Select) -> Iterator[exp.Column]:
    """Yield the columns that a SELECT itself reads, not those of queries inside."""
    waiting = [each for key, each in _parts(select) if key != "with_"]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Column):
            yield node
        elif not isinstance(node, exp.Query):
            waiting += [each for _, each in _parts(node)]


def _parts(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    for key, value in node.args.items():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, exp.Expr):
                yield key, each


def show_places(sql: str, filters: tuple[OuterFilter, ...]) -> str:
    """Return the SQL with the places of filters as they are read from outside; QueryError if a text looks like one."""
    if not filters:
        return sql
    shown, places = _HIDDEN.subn(r"[[AND {{\1}}]]", sql)
    if shown.count("[[") != places or shown.count("{{") != places:
        raise QueryError("a text in this SQL has [[ or {{ in it, which would be read as the place of a filter.")
    return shown


def hide_places(sql: str) -> str:
    """Return SQL that an engine's parser can read, for `show_places` to undo."""
    return _SHOWN.sub(rf'AND "{_MARK}\1"', sql)


def _refuse(called: str, why: str) -> QueryError:
    return QueryError(f"no filter from outside can be put over '{called}' here: {why}.")
