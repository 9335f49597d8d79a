"""A metric names every raw table without which its number would be wrong: held against the SQL of its marts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.lineage import Lineage
from tests.definitions import (
    Definition,
    columns_in,
    filters_of,
    measure_of,
    meta_of,
    model_of,
    primary_entity_of,
    read_json,
)

# What a mart reads and can do without, with the reason. Nothing else may be left out of `needs`.
OPTIONAL = {
    "fct_actions": {"violations": "an action of unknown policy matures by the longest of all policies"},
    "fct_creator_days": {"live_sessions": "a source without LIVE has active creators by their posts"},
}

FILTER = re.compile(r"Dimension\('(\w+?)__(\w+)'\)")


@pytest.fixture(scope="module")
def manifest(semantic_manifest_path: Path) -> Definition:
    return read_json(semantic_manifest_path)


@pytest.fixture(scope="module")
def lineage(project: Path) -> Lineage:
    return Lineage(project)


def test_every_raw_table_that_decides_a_metric_is_needed_or_stated_to_be_optional(
    manifest: Definition, lineage: Lineage
) -> None:
    faults = []
    for metric in manifest["metrics"]:
        if metric["type"] != "simple":
            continue
        for mart, columns in columns_read(manifest, metric):
            missing = lineage.raw_tables(mart, columns) - set(meta_of(metric)["needs"]) - OPTIONAL.get(mart, {}).keys()
            if missing:
                faults.append(f"{metric['name']}: {sorted(missing)}, through {sorted(columns)} of {mart}")
    assert faults == []


@pytest.mark.parametrize(
    ("mart", "column", "tables"),
    [
        # A left join counts only where one of its columns is used.
        ("fct_orders", "order_id", {"orders"}),
        ("fct_orders", "has_complaint_60d", {"orders", "complaints"}),
        ("fct_orders", "has_promise_7d", {"orders", "fulfilment_events"}),
        # An inner join decides which rows there are.
        ("fct_content_days", "impression_count", {"engagement", "content"}),
        # A condition on rows counts like a column: upheld rests on appeals and restorations.
        ("fct_user_reports", "is_confirmed", {"user_reports", "content", "violations", "appeals", "enforcements"}),
        # Both sides of a union.
        ("fct_creator_days", "post_count_28d", {"content", "live_sessions"}),
    ],
)
def test_the_lineage_of_a_column_is_what_its_sql_reads(
    lineage: Lineage, mart: str, column: str, tables: set[str]
) -> None:
    assert lineage.raw_tables(mart, frozenset({column})) == tables


def columns_read(manifest: Definition, metric: Definition) -> Iterator[tuple[str, frozenset[str]]]:
    """Each mart that a simple metric reads, with the columns: its measure's, its date's and its filters'."""
    model = model_of(manifest, metric)
    measure = next(item for item in model["measures"] if item["name"] == measure_of(metric))
    dated_by = measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
    columns = columns_in(measure["expr"] or measure["name"]) | columns_of(model, dated_by)
    for entity, dimension in FILTER.findall(" ".join(filters_of(metric))):
        if entity == primary_entity_of(model):
            columns |= columns_of(model, dimension)
            continue
        (reached,) = (
            other
            for other in manifest["semantic_models"]
            if primary_entity_of(other) == entity and any(part["name"] == dimension for part in other["dimensions"])
        )
        yield str(reached["node_relation"]["alias"]), frozenset(columns_of(reached, dimension))
    yield str(model["node_relation"]["alias"]), frozenset(columns)


def columns_of(model: Definition, dimension: str) -> set[str]:
    found = next(part for part in model["dimensions"] if part["name"] == dimension)
    return columns_in(found["expr"] or found["name"])
