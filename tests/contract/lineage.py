"""Which raw tables decide a column of a mart, read from the models' own SQL."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

KNOWN_ROWS = re.compile(
    r"\{\{ (?:known_rows|known_rows_of|first_known_rows|known_versions)\(\s*ref\('(\w+)'\)[^{}]*\}\}"
)
# What these let through is a matter of what is there already, not of what is read.
ONLY_NEW = re.compile(r"\{\{ (?:is_touched|is_touched_key|is_backfilled|first_day_made_again)\('[^{}]*\) \}\}")
MIDNIGHT = re.compile(r"\{\{ midnight_from\('([^']*)'\) \}\}")
AGE = re.compile(r"\{\{ first_age\(.*?\) \}\}", re.DOTALL)
PREVIOUS = re.compile(r"\{\{ previous_as_of\(\) \}\}")
REF = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")
CONFIG = re.compile(r"\{\{ config\(.*?\n?\) \}\}\n", re.DOTALL)
# Of a build of the whole and of a day, the whole: both read the same.
WHOLE = re.compile(r"\{% if adds_to_itself\(\) %\}.*?\{% else %\}(.*?)\{% endif %\}", re.DOTALL)
STAGING = "stg_raw__"
# Stands before a model, so that a CTE of the same name is not taken for it.
MODELS = "models"
# It is of the raw set as a whole and joins every row.
CLOCK = "int_build__clock"


class Lineage:
    """Follows columns down to raw tables.

    A relation in `from` or an inner or cross join decides which rows there are, so it always counts; a
    left join counts if a column of it is used. So do the columns of `where`, `group by` and join keys.
    """

    def __init__(self, project: Path) -> None:
        self._paths = {path.stem: path for path in (project / "models").rglob("*.sql")}

    def raw_tables(self, model: str, columns: frozenset[str]) -> frozenset[str]:
        """The raw tables behind these columns of a model."""
        if model.startswith(STAGING):
            return frozenset({model.removeprefix(STAGING)})
        if model == CLOCK or model not in self._paths:
            return frozenset()
        query = _read_query(self._paths[model])
        found: set[str] = set()
        for source, used in _trace(query.without_ctes, query.ctes, columns):
            found |= self.raw_tables(source, used)
        return frozenset(found)


class _Query:
    def __init__(self, tree: exp.Expression) -> None:
        clause = tree.args.get("with_")
        self.ctes: dict[str, exp.Expression] = {cte.alias: cte.this for cte in (clause.expressions if clause else ())}
        self.without_ctes = tree.copy()
        self.without_ctes.set("with_", None)


@cache
def _read_query(path: Path) -> _Query:
    text = WHOLE.sub(r"\1", CONFIG.sub("", path.read_text(encoding="utf-8")))
    text = PREVIOUS.sub("timestamp '1970-01-01'", ONLY_NEW.sub("true", text))
    text = AGE.sub("1", MIDNIGHT.sub(r"\1", text))
    text = REF.sub(rf"{MODELS}.\1", KNOWN_ROWS.sub(rf"select * from {MODELS}.\1", text))
    assert "{" not in text, f"{path.name}: a macro that the lineage does not know"
    return _Query(sqlglot.parse_one(text, dialect="duckdb"))


Used = list[tuple[str, frozenset[str]]]


def _trace(query: exp.Expression, ctes: dict[str, exp.Expression], wanted: frozenset[str]) -> Used:
    """The models that a query reads for the wanted columns, each with the columns used of it."""
    if isinstance(query, exp.Union):
        places = [place for place, name in enumerate(query.named_selects) if name in wanted]
        right = frozenset(query.expression.named_selects[place] for place in places)
        return _trace(query.this, ctes, wanted) + _trace(query.expression, ctes, right)
    assert isinstance(query, exp.Select)
    found: Used = []
    for relation, columns in _used_relations(query, wanted):
        if relation in ctes:
            found += _trace(ctes[relation], ctes, columns)
        elif relation.startswith(f"{MODELS}."):
            found.append((relation.removeprefix(f"{MODELS}."), columns))
    return found


def _used_relations(query: exp.Select, wanted: frozenset[str]) -> Used:
    joins = query.args.get("joins") or []
    first = query.args["from_"].this
    names = {_alias(table): _full_name(table) for table in (first, *(join.this for join in joins))}
    used: dict[str, set[str]] = {_alias(first): set()}
    kept: list[exp.Expression] = [part for part in query.expressions if part.is_star or part.alias_or_name in wanted]
    kept += [query.args[name] for name in ("where", "group", "having", "qualify") if query.args.get(name)]
    for join in joins:
        if join.side != "LEFT":
            used[_alias(join.this)] = set()
            kept.append(join)
    while kept:
        part = kept.pop()
        if isinstance(part, exp.Star):
            used[_alias(first)] |= wanted
        for column in part.find_all(exp.Column):
            relation = column.table or _alias(first)
            if relation not in used and relation in names:
                used[relation] = set()
                kept += [join for join in joins if _alias(join.this) == relation]
            used.setdefault(relation, set()).add(column.name)
    return [(names[relation], frozenset(columns)) for relation, columns in used.items() if relation in names]


def _full_name(table: exp.Expression) -> str:
    return f"{table.db}.{table.name}" if isinstance(table, exp.Table) and table.db else str(table.name)


def _alias(table: exp.Expression) -> str:
    return str(table.alias or table.name)
