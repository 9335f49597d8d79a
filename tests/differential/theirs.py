"""MetricFlow's answer to a question, in the forms that tests/oracle.py does not need."""

from __future__ import annotations

from metricflow.engine.metricflow_engine import MetricFlowQueryRequest, OutputColumnOrderMode

from tests.differential.questions import Asked
from tests.oracle import Oracle


def answer_theirs(oracle: Oracle, asked: Asked) -> str:
    """Return MetricFlow's SQL for the question."""
    request = MetricFlowQueryRequest.create(
        saved_query_name=asked.saved_query,
        metric_names=list(asked.metrics) or None,
        group_by_names=list(asked.group_by) or None,
        where_constraints=list(asked.where) or None,
        order_by_names=list(asked.order_by) or None,
        limit=asked.limit,
        time_constraint_start=asked.start,
        time_constraint_end=asked.end,
        min_max_only=asked.is_min_max,
        output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
    )
    return oracle.engine.explain(request).sql_statement.sql
