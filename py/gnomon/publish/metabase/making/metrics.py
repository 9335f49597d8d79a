"""Metrics in Metabase's own form: over the copy's views of sums, each as exactly as there, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from sqlglot import exp

from gnomon.core.names import MetricName
from gnomon.dashboards.words import define, name_metric, name_unit
from gnomon.publish.metabase.wanted import (
    Card,
    FieldAddress,
    Floored,
    MetricQuery,
    Ratio,
    Sum,
    TableAddress,
)
from gnomon.publish.serving_copy.contents import SCHEMA
from gnomon.publish.views.model import Role, View, Views
from gnomon.semantic.model import Manifest, Metric

COLLECTION = "metrics"
_SHOWN_BY: Literal["week"] = "week"


def list_metrics(manifest: Manifest, views: Views) -> tuple[Card, ...]:
    """Return a card for each metric that a view has: a sum, a ratio of two, and one that has a floor."""
    cards: dict[str, Card] = {}
    # Of views that have the same metric the one by the most attributes is the most use.
    for view in sorted(views.views, key=lambda each: (-len(each.take(Role.ATTRIBUTE)), each.name)):
        for name, aggregate in _list_aggregates(view):
            cards.setdefault(name, _write_card(manifest.metrics[name], view, aggregate))
    return tuple(cards[name] for name in sorted(cards))


def _list_aggregates(view: View) -> Iterator[tuple[MetricName, Sum | Ratio | Floored]]:
    for column in view.take(Role.SUM):
        if column.metric is not None:
            yield column.metric, Sum(FieldAddress(SCHEMA, view.name, column.name))
    for ratio in view.ratios:
        aggregate = _read_formula(ratio.formula, view)
        if aggregate is not None:
            yield ratio.metric.name, aggregate


def _read_formula(formula: exp.Expr, view: View) -> Sum | Ratio | Floored | None:
    """Return a formula over sums as Metabase has it; None if it is more than that."""
    formula = formula.unnest()
    if isinstance(formula, exp.Case):
        [branch] = formula.args["ifs"] if len(formula.args["ifs"]) == 1 else [None]
        test = branch and branch.this.unnest()
        if formula.this is not None or formula.args.get("default") is not None or not isinstance(test, exp.GTE):
            return None
        value, units = _read_formula(branch.args["true"], view), _read_sum(test.this, view)
        if value is None or isinstance(value, Floored) or units is None or not test.expression.is_int:
            return None
        return Floored(value, units, int(test.expression.name))
    if isinstance(formula, exp.Div) and isinstance(formula.expression.unnest(), exp.Nullif):
        above, below = _read_sum(formula.this, view), _read_sum(formula.expression.unnest().this, view)
        return None if above is None or below is None else Ratio(above, below)
    return _read_sum(formula, view)


def _read_sum(node: exp.Expr, view: View) -> Sum | None:
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return _read_sum(node.this, view)
    # What is filled with 0 in the view's own rows has a sum wherever there is a row.
    if isinstance(node, exp.Coalesce) and [each.name for each in node.expressions] == ["0"]:
        filled = {column.name for column in view.columns if column.is_filled}
        return _read_sum(node.this, view) if node.this.name in filled else None
    return Sum(FieldAddress(SCHEMA, view.name, node.name)) if isinstance(node, exp.Column) else None


def _write_card(metric: Metric, view: View, aggregate: Sum | Ratio | Floored) -> Card:
    [period] = view.take(Role.PERIOD)
    days = metric.documentation.matures_after_days
    late = f"\n\nDays younger than {days} days can still change." if days else ""
    floor = f"\n\nEmpty on fewer than {aggregate.least}." if isinstance(aggregate, Floored) else ""
    grain = view.grain.value if view.grain.value in ("week", "month") else _SHOWN_BY
    return Card(
        key=f"metric/{metric.name}",
        kind="metric",
        name=name_metric(metric),
        description=f"{define(metric)}\n\n{name_unit(metric).capitalize()}.{floor}{late}",
        collection=COLLECTION,
        query=MetricQuery(
            table=TableAddress(SCHEMA, view.name),
            aggregate=aggregate,
            filters=(),
            time=FieldAddress(SCHEMA, view.name, period.name),
            grain=cast("Literal['day', 'week', 'month']", grain),
        ),
        display="line",
    )
