"""Rates of reviews over a handful of labels, worked out by hand and answered through MetricFlow's own SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.definitions import Definition, read_json
from tests.oracle import Oracle

# content_id, is_aigc, is_positive, weight. i3 says nothing of its declaration; i4 is not AIGC.
LABELS = [("i1", True, True, 10.0), ("i2", True, False, 30.0), ("i3", True, False, 60.0), ("i4", False, False, 100.0)]
DECLARED = {"i1": True, "i2": False, "i3": None, "i4": True}
# The policy changed after i1 and i2; the positive label names the policy, as positive labels do.
REGIMES = {"i1": "first", "i2": "first", "i3": "second", "i4": "second"}


@pytest.fixture(scope="module")
def oracle(semantic_manifest_path: Path) -> Oracle:
    return Oracle.read(semantic_manifest_path)


@pytest.fixture(scope="module")
def marts(semantic_manifest_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    nodes = read_json(semantic_manifest_path.with_name("manifest.json"))["nodes"]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as gnomon")
        for name in ("fct_quality_reviews", "fct_content", "dim_accounts"):
            create_mart(connection, nodes[f"model.gnomon.{name}"])
        for name, is_declared in DECLARED.items():
            add_row(connection, "fct_content", content_id=name, is_aigc_declared=is_declared, upload_date="2026-03-02")
        for name, is_aigc, is_positive, weight in LABELS:
            add_row(
                connection,
                "fct_quality_reviews",
                quality_review_id=name,
                content_id=name,
                frame="upload",
                policy_id="spam" if is_positive else None,
                policy_regime=REGIMES[name],
                review_weight=weight,
                positive_weight=weight if is_positive else 0.0,
                is_aigc=is_aigc,
                is_positive=is_positive,
                is_mature=True,
                item_date="2026-03-02",
            )
        for name, channel, is_positive in (("a1", "ads", True), ("a2", "ads", False), ("a3", "organic", False)):
            add_row(connection, "dim_accounts", account_id=name, signup_channel=channel)
            add_row(
                connection,
                "fct_quality_reviews",
                quality_review_id=name,
                account_id=name,
                frame="registration",
                review_weight=2.0,
                positive_weight=2.0 if is_positive else 0.0,
                item_date="2026-03-02",
            )
        yield connection


def test_an_upload_of_unknown_declaration_is_not_taken_for_undisclosed(
    oracle: Oracle, marts: duckdb.DuckDBPyConnection
) -> None:
    """10 declared of 10 + 30 known; with i3 counted as not declared it would be 0.1."""
    names = ["aigc_disclosure_rate", "reviewed_aigc_uploads_of_known_declaration", "aigc_share"]
    assert marts.execute(oracle.sql(names)).fetchall() == [(0.25, 2, 0.5)]


def test_a_rate_can_be_read_on_either_side_of_a_policy_change(oracle: Oracle, marts: duckdb.DuckDBPyConnection) -> None:
    asked = oracle.sql(
        ["pre_enforcement_low_quality_rate"],
        ["quality_review__policy_regime"],
        order_by=["quality_review__policy_regime"],
    )
    assert marts.execute(asked).fetchall() == [("first", 0.25), ("second", 0.0)]


def test_fake_registrations_can_be_read_by_the_channel_of_the_sign_up(
    oracle: Oracle, marts: duckdb.DuckDBPyConnection
) -> None:
    asked = oracle.sql(["fake_registration_rate"], ["account__signup_channel"], order_by=["account__signup_channel"])
    assert marts.execute(asked).fetchall() == [("ads", 0.5), ("organic", 0.0)]


def create_mart(connection: duckdb.DuckDBPyConnection, node: Definition) -> None:
    columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in node["columns"].values())
    connection.execute(f"create table gnomon.main.{node['name']} ({columns})")


def add_row(connection: duckdb.DuckDBPyConnection, mart: str, **values: object) -> None:
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    connection.execute(f"insert into gnomon.main.{mart} ({columns}) values ({marks})", list(values.values()))
