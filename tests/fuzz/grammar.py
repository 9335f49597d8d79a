"""What planned SQL may be, as DuckDB's own parser reads it: one SELECT over the manifest's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from gnomon.semantic.model import Manifest

Json = dict[str, Any]
FUNCTIONS = frozenset({
    "+", "-", "*", "/", "%", "||", "~~", "!~~", "~~*", "!~~*", "not", "abs", "avg", "coalesce", "count", "count_star",
    "date_part", "date_trunc", "first_value", "last_value", "lead", "length", "lower", "max", "min", "nullif",
    "percentile_cont", "percentile_disc", "quantile_cont", "quantile_disc", "round", "row_number", "sum", "timezone",
    "trim", "trunc", "upper", "floor",
    # Intervals.
    *(f"to_{unit}" for unit in (
        "microseconds", "milliseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "quarters", "years",
        "decades", "centuries", "millennia",
    )),
    # What ESCAPE makes of LIKE, and the fields that a definition's own SQL may read.
    "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape",
})  # fmt: skip
CLASSES = frozenset({
    "BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR", "STAR",
    "SUBQUERY", "WINDOW",
})  # fmt: skip
# Only the planner writes these, in the forms that it writes.
_TABLES, _FUNCTIONS, _QUERIES = "BASE_TABLE", "FUNCTION", ("SELECT_NODE", "SET_OPERATION_NODE")


class Reader:
    """Reads SQL as DuckDB does, without running it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
        self._connection = connection
        self._relations = {
            *(model.relation for model in manifest.models.values()),
            *(spine.relation for spine in manifest.spines),
        }

    def find_fault(self, sql: str) -> str | None:
        """Return the first thing that may not be in planned SQL, or None."""
        (text,) = self._connection.execute("select json_serialize_sql(?)", [sql]).fetchone() or ("{}",)
        tree = json.loads(text)
        if tree["error"]:
            return f"it is not one SELECT: {tree['error_message']}"
        if len(tree["statements"]) != 1:
            return f"it is {len(tree['statements'])} statements"
        names = {entry["key"] for node in _walk(tree) for entry in (node.get("cte_map") or {}).get("map", ())}
        return next((fault for node in _walk(tree) if (fault := self._judge(node, names))), None)

    def _judge(self, node: Json, ctes: set[str]) -> str | None:
        kind, group = node.get("type"), node.get("class")
        if kind == _TABLES:
            relation = f'"{node["catalog_name"]}"."{node["schema_name"]}"."{node["table_name"]}"'
            is_cte = not node["schema_name"] and node["table_name"] in ctes
            return None if is_cte or relation in self._relations else f"it reads {relation}"
        if kind in ("TABLE_FUNCTION", "EXPRESSION_LIST", "SHOW_REF", "PIVOT", "COLUMN_DATA", "DELIM_GET"):
            return f"it reads a {kind}"
        if group is not None and group not in CLASSES:
            return f"it says {group}"
        if "function_name" in node and node["function_name"] not in FUNCTIONS:
            return f"it calls {node['function_name']}"
        return None


def _walk(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)
