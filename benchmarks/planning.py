"""A question from words to SQL, beside MetricFlow on the same manifest, and to rows, beside bare SQL.

Reads the working file of the last `dbt build`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from tests.oracle import Oracle

from benchmarks.measure import Comparison, compare
from gnomon import Engine
from gnomon.core.settings import Settings
from gnomon.engine.build_record import BuildRecord
from gnomon.planner import Question, plan
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse

QUESTIONS = {
    "one rate by week": Question(("low_quality_content_rate",), ("metric_time__week",), applies_floors=False),
    "two North Stars by week and tier, filtered": Question(
        ("low_quality_content_rate", "creator_violation_rate"),
        ("metric_time__week", "creator__tier"),
        where=("{{ Dimension('creator__region') }} = 'ID'",),
        applies_floors=False,
    ),
    "a score of four rates": Question(("safety_score",), ("metric_time__month",), applies_floors=False),
}


def run() -> Iterator[Comparison]:
    """Yield the comparisons."""
    database = Settings.read().database
    warehouse = Warehouse.attach(database, "gnomon")
    text = BuildRecord.read(warehouse).semantic_manifest
    warehouse.close()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "semantic_manifest.json"
        path.write_text(text, encoding="utf-8")
        yield from _compare_planning(path)
    yield from _compare_running(database)


def _compare_planning(path: Path) -> Iterator[Comparison]:
    manifest, oracle = read_manifest(path), Oracle.read(path)
    for name, question in QUESTIONS.items():
        yield compare(
            f"plan: {name}",
            lambda question=question: plan(manifest, question),
            "MetricFlow, warm",
            lambda question=question: oracle.sql(question.metrics, question.group_by, question.where),
        )


def _compare_running(database: Path) -> Iterator[Comparison]:
    engine = Engine.open()
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{database}' as gnomon (read_only)")
        for name, question in QUESTIONS.items():
            result = engine.query(question.metrics, question.group_by, question.where)
            yield compare(
                f"query: {name}",
                lambda question=question: engine.query(question.metrics, question.group_by, question.where),
                "the same SQL, bare DuckDB",
                lambda sql=result.sql: connection.execute(sql).to_arrow_table(),
            )
    engine.close()
