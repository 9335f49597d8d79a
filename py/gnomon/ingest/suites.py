"""Great Expectations suites as plain values, made from the contract and the policy.

The library itself is not imported here: the process that runs the suites is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gnomon.core.contract import Table
from gnomon.ingest.content_rules import Rule
from gnomon.ingest.expectations import Expectation, Policy
from gnomon.ingest.sifting import list_row_rules, name_flag

STRUCTURE, ROWS = "structure", "rows"


@dataclass(frozen=True)
class SuiteItem:
    """One expectation of a suite.

    `batch` says what it looks at: STRUCTURE, one row with the DuckDB type of each column of the
    files; or ROWS, the rows and, for rules that need other rows or tables, their flags.
    """

    rule: str
    column: str
    batch: str
    kind: str
    arguments: Mapping[str, object]
    why: str = ""


def build_suite(table: Table, policy: Policy) -> tuple[SuiteItem, ...]:
    """Return the suite of `table`: its structure, then one item for each rule on its rows."""
    business = {(item.name, item.column): item for item in policy.list_expectations(table.name)}
    taken: set[tuple[object, ...]] = set()
    rows = []
    for rule in list_row_rules(table, policy):
        item = _read_rule(table, rule, business.get((rule.name, rule.column)))
        # A suite keeps one expectation of a kind per column, and drops the other without a word.
        place = (item.kind, *(item.arguments.get(name) for name in ("column", "column_A", "column_B")))
        rows.append(_read_flag(rule, item.why) if place in taken else item)
        taken.add(place)
    return (*_list_structure(table), *rows)


def list_flags(suite: tuple[SuiteItem, ...]) -> tuple[str, ...]:
    """Return the flag columns that the rows of the suite must carry."""
    return tuple(
        str(item.arguments["column"])
        for item in suite
        if item.batch == ROWS and str(item.arguments.get("column")) == f"{item.rule}: {item.column}"
    )


def _list_structure(table: Table) -> Iterator[SuiteItem]:
    names = [column.name for column in table.columns]
    arguments: dict[str, object] = {"column_set": names, "exact_match": True}
    yield SuiteItem("columns", "", STRUCTURE, "expect_table_columns_to_match_set", arguments)
    for column in table.columns:
        arguments = {"column": column.name, "value_set": [column.duckdb_type]}
        yield SuiteItem("type", column.name, STRUCTURE, "expect_column_values_to_be_in_set", arguments)


def _read_rule(table: Table, rule: Rule, business: Expectation | None) -> SuiteItem:
    """Return the rule as an expectation of its own where there is one of the same meaning, else on its flag."""
    native = _read_business(table, business) if business else _read_contract_rule(table, rule)
    why = business.why if business else ""
    if native is None:
        return _read_flag(rule, why)
    kind, arguments = native
    return SuiteItem(rule.name, rule.column, ROWS, kind, arguments, why)


def _read_flag(rule: Rule, why: str) -> SuiteItem:
    arguments: dict[str, object] = {"column": name_flag(rule), "value_set": [False]}
    return SuiteItem(rule.name, rule.column, ROWS, "expect_column_values_to_be_in_set", arguments, why)


def _read_contract_rule(table: Table, rule: Rule) -> tuple[str, dict[str, object]] | None:
    if rule.name == "null":
        return "expect_column_values_to_not_be_null", {"column": rule.column}
    if rule.name == "value_not_allowed":
        values = list(table.column(rule.column).values)
        return "expect_column_values_to_be_in_set", {"column": rule.column, "value_set": values}
    if rule.name == "out_of_range":
        column = table.column(rule.column)
        return _write_between(table, rule.column, column.low, column.high)
    if rule.name == "ingested_before_occurred":
        return _write_pair("ingested_at", "occurred_at")
    return None


def _read_business(table: Table, expectation: Expectation) -> tuple[str, dict[str, object]] | None:
    if expectation.at_least is not None or expectation.at_most is not None:
        return _write_between(table, expectation.column, expectation.at_least, expectation.at_most)
    types = {table.column(name).duckdb_type for name in (expectation.column, expectation.other_column) if name}
    if expectation.other_column and "DOUBLE" not in types:
        return _write_pair(expectation.column, expectation.other_column)
    return None


def _write_between(
    table: Table, column: str, low: float | None, high: float | None
) -> tuple[str, dict[str, object]] | None:
    # DuckDB has NaN above every number, pandas has it outside of all comparison: read the flag instead.
    if table.column(column).duckdb_type == "DOUBLE":
        return None
    bounds = {name: value for name, value in (("min_value", low), ("max_value", high)) if value is not None}
    return "expect_column_values_to_be_between", {"column": column, **bounds}


def _write_pair(later: str, earlier: str) -> tuple[str, dict[str, object]]:
    return "expect_column_pair_values_a_to_be_greater_than_b", {
        "column_A": later,
        "column_B": earlier,
        "or_equal": True,
        "ignore_row_if": "either_value_is_missing",
    }
