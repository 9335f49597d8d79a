"""Suites are made from the contract and the policy; the policy's errors point into its file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from gnomon.core.contract import Table, read_contract
from gnomon.core.errors import DefinitionError
from gnomon.ingest.expectations import DEFAULT_FILE, read_policy
from gnomon.ingest.sifting import list_row_rules, order_by_reference
from gnomon.ingest.suites import build_suite

TABLES = read_contract().tables
POLICY = read_policy()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_suite_covers_every_column_and_every_rule(table: Table) -> None:
    suite = build_suite(table, POLICY)
    items = {(item.rule, item.column) for item in suite}
    for column in table.columns:
        assert ("type", column.name) in items
        assert (("null", column.name) in items) is not column.is_nullable
        assert (("value_not_allowed", column.name) in items) is bool(column.values)
        assert (("out_of_range", column.name) in items) is (column.low is not None or column.high is not None)
        assert (("missing_reference", column.name) in items) is (column.reference is not None)
    assert ("duplicate_key", ", ".join(table.key)) in items
    assert items >= {(rule.name, rule.column) for rule in list_row_rules(table, POLICY)}
    assert len(items) == len(suite)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_two_items_of_a_suite_are_one_to_the_library(table: Table) -> None:
    # The library keeps one expectation of a kind per column.
    places = [
        (item.batch, item.kind, *(item.arguments.get(name) for name in ("column", "column_A", "column_B")))
        for item in build_suite(table, POLICY)
    ]
    assert len(set(places)) == len(places)


def test_a_suite_is_plain_data() -> None:
    for table in TABLES.values():
        suite = [asdict(item) for item in build_suite(table, POLICY)]
        assert json.loads(json.dumps(suite)) == suite


def test_parents_are_sifted_before_their_children() -> None:
    order = [table.name for table in order_by_reference(read_contract())]
    assert sorted(order) == sorted(TABLES)
    for name in order:
        for column in TABLES[name].columns:
            assert column.reference is None or order.index(column.reference.table) < order.index(name)


# Line 1 of what replaces the expectations of the file; the error names the line counted from there.
WRONG = {
    "an unknown key": ("limits:\n  defualt: 0.1", ":2: unknown key 'defualt'. Did you mean 'default'?"),
    "an unknown table": ("expectations:\n  - {name: a, table: order, column: x, why: y, at_most: 1}",
                         ":2: unknown table 'order'. Did you mean 'orders'"),
    "an unknown column": ("expectations:\n  - {name: a, table: orders, column: paid, why: y, at_most: 1}",
                          ":2: unknown column of 'orders' 'paid'. Did you mean 'paid_at'"),
    "a wrong type": ("expectations:\n  - {name: a, table: orders, column: paid_at, why: y, at_most: 1}",
                     ":2: 'orders.paid_at' is TIMESTAMP; this form takes BIGINT"),
    "no form": ("expectations:\n  - {name: a, table: orders, column: paid_at, why: y}",
                ":2: 'a' has 0 of the forms; write exactly one"),
    "a share above one": ("limits:\n  default: 7", ":2: 'default' must be a number from 0 to 1, not 7."),
    "a key twice": ("limits:\n  default: 0\n  default: 1", ":3: the key 'default' stands here twice."),
    "a rule of the contract": ("expectations:\n  - {name: 'null', table: orders, column: paid_at, why: y}",
                               ":2: 'null' is a rule of the contract."),
    "not YAML": ("limits: [", ": not YAML: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_policy_is_an_error_that_points_into_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yml"
    rest = {
        "limits": "limits: {default: 0.01}",
        "history": "history: {weeks: 8, minimum: 4, width: 5, settled_after_days: 1}",
        "expectations": "expectations: []",
    }
    others = [part for key, part in rest.items() if not text.startswith(key)]
    path.write_text("\n".join([text, *others]), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        read_policy(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_the_page_names_every_expectation_and_key(project: Path) -> None:
    page = (project / "docs" / "validate.md").read_text(encoding="utf-8")
    words = {expectation.name for expectation in POLICY.expectations}
    words |= {"weeks", "minimum", "width", "settled_after_days", "at_least", "at_most", "not_before", "not_below"}
    words |= {"at_most_by", "quarantined_reference", "quarantine_reason", "volume", "freshness", "null_share"}
    assert sorted(word for word in words if f"`{word}`" not in page) == []
    assert DEFAULT_FILE.name in page
