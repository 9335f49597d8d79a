"""What hand-written SQL may be: one SELECT that reads allowed tables and nothing else.

The text is parsed and judged, never rewritten: what was judged is what runs. Only dbt's
{{ ref('…') }} is replaced, by the quoted name of an allowed table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gnomon.core.errors import QueryError, explain_unknown, suggest_nearest

DATABASE = "gnomon"
SCHEMA = "main"

# Functions that tell of the machine or of the session, not of the data.
_TELL_OF_THE_MACHINE = frozenset({"current_setting", "currval", "getenv", "getvariable", "nextval", "write_log"})

_REF = re.compile(r"\{\{ ?ref\('(?P<name>[a-z][a-z0-9_]*)'\) ?\}\}")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_LAYERS = {"stg": "a staging table", "int": "an intermediate table"}
_ALLOWED = "`gnomon sql` reads marts (fct_, dim_), features (feat_), scores (score_) and seeds"


@dataclass(frozen=True)
class Selection:
    """A judged SELECT: the text to run and the names of the tables that it reads, sorted."""

    sql: str
    tables: tuple[str, ...]


def check_select(text: str, allowed: Collection[str], origin: str = "sql") -> Selection:
    """Return `text` as a selection over `allowed` tables; QueryError names what else it holds.

    `origin` says in errors where the text stands: a file's name, or "sql".
    """
    sql = _resolve_refs(text, allowed, origin)
    _refuse_end_of_text(sql, origin)
    try:
        tree = _parse(sql, origin)
        for node in tree.walk():
            _refuse_node(node, origin)
        tables = {_check_table(table, allowed, origin) for table in _find_tables(tree)}
    except RecursionError:
        raise QueryError(f"{origin}: is nested too deep to be read. Give its inner parts names, by WITH.") from None
    return Selection(sql=sql, tables=tuple(sorted(tables)))


def _refuse_end_of_text(sql: str, origin: str) -> None:
    """DuckDB takes the character of code 0 for the end: what follows would be judged, but not run."""
    place = sql.find("\0")
    if place >= 0:
        raise QueryError(f"{origin}:{_line_of(sql, place)}: there is the character of code 0. Remove it.")


def _resolve_refs(text: str, allowed: Collection[str], origin: str) -> str:
    def name_table(match: re.Match[str]) -> str:
        place = f"{origin}:{_line_of(text, match.start())}"
        name = _require_allowed(match["name"], allowed, place)
        # With its schema, so that a CTE may have the name of the table that it imports.
        return exp.table_(name, db=SCHEMA, catalog=DATABASE, quoted=True).sql(dialect="duckdb")

    sql = _REF.sub(name_table, text)
    left = _TEMPLATE.search(sql)
    if left is not None:
        raise QueryError(
            f"{origin}:{_line_of(sql, left.start())}: '{left[0]}' opens a template, and templates are not rendered "
            "here. The one form that is read is {{ ref('fct_orders') }}, with the name of a table."
        )
    return sql


def _parse(sql: str, origin: str) -> exp.Expr:
    try:
        words = sqlglot.tokenize(sql, read="duckdb")
        if not words:
            raise QueryError(f"{origin}: there is no statement. Write one SELECT.")
        # Judged by its first word, so that a statement is refused by name before it is parsed.
        if words[0].text.upper() not in {"SELECT", "WITH", "FROM", "("}:
            raise QueryError(
                f"{origin}:{words[0].line}: a statement that begins with '{words[0].text.upper()}' is refused: "
                "`gnomon sql` runs exactly one SELECT. Nothing can be written through it."
            )
        statements = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except SqlglotError as error:
        raise QueryError(f"{origin}: {_explain_syntax(error)}") from None
    if len(statements) != 1:
        raise QueryError(f"{origin}: {len(statements)} statements; `gnomon sql` runs exactly one SELECT.")
    if not isinstance(statements[0], exp.Query):
        raise QueryError(f"{origin}: a statement of the kind {statements[0].key.upper()} is refused; write one SELECT.")
    return statements[0]


def _explain_syntax(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return f"cannot be read as SQL: {str(error).splitlines()[0]}. Write one SELECT in DuckDB's SQL."
    first = details[0]
    # The parser's own words, up to where it speaks of its tokens.
    reason = str(first["description"]).splitlines()[0].split(" but got", 1)[0].rstrip(".")
    return f"line {first['line']}, column {first['col']}: {reason} near '{first['highlight']}'."


def _refuse_node(node: exp.Expr, origin: str) -> None:
    if isinstance(node, (exp.DML, exp.DDL, exp.Command)):
        raise QueryError(f"{origin}: {node.key.upper()} is refused: `gnomon sql` runs exactly one SELECT.")
    if isinstance(node, exp.Anonymous) and node.name.lower() in _TELL_OF_THE_MACHINE:
        raise QueryError(
            f"{origin}: the function '{node.name.lower()}' is refused: it tells of the machine, not of the data."
        )


def _find_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the references that are not to a CTE."""
    for table in tree.find_all(exp.Table):
        # A series is made of its arguments and reads nothing; DuckDB's range is one to the parser.
        if not isinstance(table.this, exp.GenerateSeries) and not _is_cte(table):
            yield table


def _is_cte(table: exp.Table) -> bool:
    """Return whether a CTE in scope hides the table of that name.

    A CTE is seen by the CTEs after it, by the query that it stands before with all inside
    it, and by itself if the WITH is recursive. A name with a schema is never a CTE.
    """
    if table.db or not isinstance(table.this, exp.Identifier):
        return False
    child: exp.Expr = table
    while (parent := child.parent) is not None:
        if any(cte.alias.lower() == table.name.lower() for cte in _list_ctes_seen(parent, child)):
            return True
        child = parent
    return False


def _list_ctes_seen(parent: exp.Expr, child: exp.Expr) -> list[exp.Expr]:
    """Return the CTEs that `parent` lets its part `child` see."""
    if isinstance(parent, exp.With):
        places = [place for place, cte in enumerate(parent.expressions) if cte is child]
        own = 1 if parent.args.get("recursive") else 0
        return list(parent.expressions[: places[0] + own]) if places else []
    ctes = parent.args.get("with_")
    return list(ctes.expressions) if ctes is not None and ctes is not child else []


def _check_table(table: exp.Table, allowed: Collection[str], origin: str) -> str:
    source = table.this
    place = f"{origin}:{source.meta['line']}" if "line" in source.meta else origin
    if not isinstance(source, exp.Identifier):
        name = (
            source.sql_name() if isinstance(source, exp.Func) and not isinstance(source, exp.Anonymous) else source.name
        )
        raise QueryError(
            f"{place}: the table function '{name.lower()}' is refused: it does not read the working file's tables. "
            f"{_ALLOWED}; range, generate_series and unnest make rows."
        )
    if table.catalog.lower() not in {"", DATABASE} or table.db.lower() not in {"", SCHEMA, DATABASE}:
        full = ".".join(part for part in (table.catalog, table.db, table.name) if part)
        raise QueryError(f"{place}: '{full}' is outside '{DATABASE}.{SCHEMA}'. {_ALLOWED}.")
    return _require_allowed(table.name, allowed, place)


def _require_allowed(name: str, allowed: Collection[str], place: str) -> str:
    if name.lower() in allowed:
        return name.lower()
    layer = _LAYERS.get(name.lower().split("_")[0])
    if layer is not None:
        raise QueryError(f"{place}: '{name}' is {layer}. {_ALLOWED}.{_suggest(name, allowed)}")
    raise QueryError(f"{place}: {explain_unknown('table', name, allowed)} {_ALLOWED}.")


def _suggest(name: str, allowed: Collection[str]) -> str:
    """Return " Nearest: 'x'." for the table about the same things, else for one of a similar name."""
    things = name.lower().split("__")[-1]
    same = sorted(each for each in allowed if each.partition("_")[2] == things)
    near = same or suggest_nearest(name.lower(), allowed, limit=1)
    return f" Nearest: '{near[0]}'." if near else ""


def _line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
