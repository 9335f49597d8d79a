"""Every metric of this project, three groupings each, equals MetricFlow's answer on the same file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from gnomon import Engine
from gnomon.planner import Question, plan
from tests.journey.conftest import Built
from tests.oracle import Oracle, assert_equal_answers

METRIC_TIME = "metric_time__week"


@dataclass
class Pair:
    """Our engine and the oracle over one file."""

    engine: Engine
    oracle: Oracle
    connection: duckdb.DuckDBPyConnection

    def compare(self, metrics: tuple[str, ...], group_by: tuple[str, ...], where: tuple[str, ...] = ()) -> int:
        ours = plan(self.engine.manifest, Question(metrics, group_by, where, applies_floors=False)).sql
        return assert_equal_answers(self.connection, ours, self.oracle.sql(metrics, group_by, where))


@pytest.fixture(scope="module")
def pair(built_sample: Built) -> Iterator[Pair]:
    manifest = built_sample.target / "semantic_manifest.json"
    engine = Engine.from_manifest(manifest, built_sample.database)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{built_sample.database}' as gnomon (read_only)")
        yield Pair(engine, Oracle.read(manifest), connection)
    engine.close()


def metric_names() -> list[str]:
    """All names defined in metrics/, so that a new one is compared without being listed here."""
    import yaml

    folder = Path(__file__).resolve().parents[2] / "metrics"
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yml"))]
    return [metric["name"] for document in documents for metric in document.get("metrics") or ()]


def choose_groupings(engine: Engine, metric: str) -> list[tuple[str, ...]]:
    """Nothing; by week; by week and an attribute, joined where there is a join, or a second grain."""
    dimensions = engine.dimensions_of(metric)
    joined = [name for name in ("creator__tier", "content__category", "order__region") if name in dimensions]
    own = [name for name in dimensions if "__" in name and not name.startswith(("creator__", "content__"))]
    other = (joined + own + ["metric_time__month"])[0]
    return [(), (METRIC_TIME,), (METRIC_TIME, other)]


@pytest.mark.parametrize("metric", metric_names())
def test_metric_equals_metricflow_by_three_groupings(pair: Pair, metric: str) -> None:
    if pair.engine.manifest.metrics[metric].documentation.missing_inputs:
        pytest.skip(f"{metric} is refused: its inputs do not exist yet")
    rows = [pair.compare((metric,), grouping) for grouping in choose_groupings(pair.engine, metric)]
    assert rows[0] == 1
    assert min(rows) >= 1


def test_many_metrics_at_once_equal_metricflow(pair: Pair) -> None:
    metrics = ("impressions", "low_quality_content_rate", "creator_violation_rate", "appeal_rate", "complaint_rate")
    for grouping in ((), ("metric_time__month",), ("metric_time__week", "metric_time__quarter")):
        assert pair.compare(metrics, grouping) >= 1
    tiers = ("{{ Dimension('creator__tier') }} in ('gold', 'silver')",)
    assert pair.compare(metrics[:4], ("creator__region", "metric_time__month"), tiers) > 10


@pytest.mark.parametrize("grain", ["day", "week", "month", "quarter", "year"])
def test_every_grain_equals_metricflow(pair: Pair, grain: str) -> None:
    assert pair.compare(("views", "creator_violation_rate"), (f"metric_time__{grain}",)) >= 1


def test_saved_queries_are_answered(pair: Pair, built_sample: Built) -> None:
    document = json.loads((built_sample.target / "semantic_manifest.json").read_text(encoding="utf-8"))
    names = [saved["name"] for saved in document["saved_queries"]]
    assert names
    for name in names:
        assert pair.engine.query(saved_query=name).to_arrow().num_rows > 0
