"""Metrics that Cube can answer exactly."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from gnomon.core.names import MetricName
from gnomon.planner import Compiled, Question
from gnomon.planner.algebra import Condition, Scan
from gnomon.planner.restrict_rows import restrict_rows
from gnomon.planner.share_blocks import share_blocks
from gnomon.publish.planned import Inexpressible, Limits, Planned, draft_question, plan_metric
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric

_NO_FORM = "for which Cube has no form"
_LIMITS = Limits(
    conversion=f"it pairs acts with the act that they follow, {_NO_FORM}",
    accumulation=(
        "it adds up over a window: Cube's rolling_window takes it at the end of each period, where Gnomon takes "
        "the value of one of the period's days"
    ),
    inner_accumulation="it adds up over time, which Cube does for a metric by itself only",
    spine="it has a value in periods without rows, which Cube takes from no table",
    shift="it looks back in time, which Cube does with its Tesseract planner only; equality was not shown",
    several_tables="and Cube would join the tables before it adds up",
    several_times="and a query of Cube has one time for all",
    window="Cube would add up all of them",
    spine_join="which Cube does not join",
    metric_filter=_NO_FORM,
    custom_grain=_NO_FORM,
    has_running_totals=True,
)


def plan_for_cube(compiled: Compiled, metric: Metric) -> Planned:
    """Return the metric; Inexpressible says why a Cube model cannot have it."""
    planned = plan_metric(compiled, metric, _LIMITS)
    grain = planned.model.dimensions[planned.time].grain or Grain.DAY
    if grain.is_finer_than(Grain.SECOND):
        raise Inexpressible(f"its time '{planned.time}' is kept by {grain.value}, and Cube cuts times to milliseconds")
    if planned.is_running:
        _check_running(planned)
    return planned


def plan_restricted(compiled: Compiled, metric: MetricName, groups: Sequence[str], rows: Sequence[str]) -> list[Scan]:
    """Return the scans of a question under row filters; QueryError if it is refused."""
    draft = draft_question(compiled, Question((metric,), tuple(groups), row_filters=tuple(rows)))
    answer = restrict_rows(compiled, share_blocks(compiled, draft)).answer
    return [block.source for block, _ in answer.blocks if isinstance(block.source, Scan)]


def _check_running(planned: Planned) -> None:
    """Refuse a running total that is more than one sum of rows, or of rows that are chosen by their time."""
    if not isinstance(planned.formula, exp.Column):
        raise Inexpressible("it is more than a sum that adds up over time, which Cube does for one sum only")
    time = planned.model.dimensions[planned.time].expr
    (summand,) = planned.summands.values()
    columns = [column for test in summand.scan.tests if isinstance(test, Condition) for column in test.columns]
    if any(column.table == summand.scan.alias and column.expr == time for column in columns):
        raise Inexpressible("its filter speaks of the time that it adds up over")
