"""MetricFlow as the oracle: the same manifest and file, asked the same question.

MetricFlow only writes SQL here; the caller runs it, so that both sides run on one DuckDB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest, OutputColumnOrderMode
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup


class _RenderOnlyClient:
    """The least client that lets MetricFlow write DuckDB's SQL; it runs nothing."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()

    def query(self, *_: Any) -> NoReturn:
        raise NotImplementedError

    execute = dry_run = query

    def close(self) -> None:
        """Nothing is open."""

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        return f"${bind_parameter_key}"


@dataclass
class Oracle:
    """MetricFlow over one semantic manifest."""

    engine: MetricFlowEngine

    @classmethod
    def read(cls, manifest_path: Path) -> Oracle:
        manifest = parse_manifest_from_dbt_generated_manifest(manifest_path.read_text(encoding="utf-8"))
        return cls(MetricFlowEngine(SemanticManifestLookup(manifest), _RenderOnlyClient()))

    def sql(
        self,
        metrics: Sequence[str],
        group_by: Sequence[str] = (),
        where: Sequence[str] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> str:
        """Return the SQL that MetricFlow answers the question with."""
        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics),
            group_by_names=list(group_by) or None,
            where_constraints=list(where) or None,
            order_by_names=list(order_by) or None,
            limit=limit,
            time_constraint_start=start,
            time_constraint_end=end,
            output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
        )
        return self.engine.explain(request).sql_statement.sql


def assert_equal_answers(connection: Any, ours: str, theirs: str, *, is_ordered: bool = False) -> int:
    """Hold two queries' answers equal: columns, rows, floats to 1e-6 relative; return the rows' number."""
    left, right = connection.execute(ours), None
    left_columns = [column[0] for column in left.description]
    left_rows = left.fetchall()
    right = connection.execute(theirs)
    assert left_columns == [column[0] for column in right.description]
    right_rows = right.fetchall()
    if not is_ordered:
        left_rows, right_rows = sorted(left_rows, key=_row_key), sorted(right_rows, key=_row_key)
    assert len(left_rows) == len(right_rows)
    for mine, other in zip(left_rows, right_rows, strict=True):
        for a, b in zip(mine, other, strict=True):
            assert _is_equal(a, b), f"{mine} differs from {other}"
    return len(left_rows)


def _is_equal(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, (str, bool, datetime)):
        return bool(a == b)
    if isinstance(a, (int, float, Decimal)):
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-12)
    return bool(a == b)


def _row_key(row: Sequence[Any]) -> tuple[str, ...]:
    # Floats come last in rows and may differ in the last digits: round them for the order only.
    return tuple(f"{value:.6g}" if isinstance(value, (float, Decimal)) else str(value) for value in row)
