"""Pass 6: a ratio over a probability sample gets a variance, from its replicate groups."""

from __future__ import annotations

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.planner.algebra import Answer, Column, Scan
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Expanded, Leaf, Resolved, SampledSum, Variance
from gnomon.semantic.model import Aggregation, Metric, MetricKind


def replicate_ratios(
    compiled: Compiled, resolved: Resolved, expanded: Expanded, answer: Answer
) -> tuple[Variance, ...]:
    """Return the variances of the asked metrics whose definition names a replicate group."""
    if not resolved.applies_floors:
        return ()
    estimates = [metric for metric in resolved.metrics if metric.documentation.replicate_group]
    return tuple(_replicate(compiled, expanded, answer, metric) for metric in estimates)


def _replicate(compiled: Compiled, expanded: Expanded, answer: Answer, metric: Metric) -> Variance:
    inputs = [compiled.manifest.metrics[used.name] for used in metric.inputs]
    is_plain = all(used.kind is MetricKind.SIMPLE and not used.documentation.minimum_units for used in inputs)
    if metric.kind is not MetricKind.RATIO or not is_plain:
        raise _refuse(metric)
    # The metric's own floor may stand around the ratio; the ratio itself is the only division in it.
    ratio = dict(expanded.formulas)[metric.name].find(exp.Div)
    assert ratio is not None
    numerator, denominator = (
        _read_sum(compiled, expanded, answer, metric, column.name)
        for column in (ratio.this.find(exp.Column), ratio.expression.find(exp.Column))
    )
    return Variance(metric.name, numerator, denominator, metric.documentation.replicates)


def _read_sum(compiled: Compiled, expanded: Expanded, answer: Answer, metric: Metric, column: str) -> SampledSum:
    leaf = next(leaf for leaf in expanded.leaves if leaf.column == column)
    block, value = next((block, value) for block, values in answer.blocks for value in values if value.column == column)
    if not isinstance(leaf, Leaf) or not isinstance(block.source, Scan) or block.window or block.steps:
        raise _refuse(metric)
    attribute = compiled.find(metric.name, leaf.measure, compiled.reference(metric.documentation.replicate_group or ""))
    if value.aggregation is not Aggregation.SUM or attribute.hops:
        raise _refuse(metric)
    group = Column(block.source.alias, attribute.expr)
    return SampledSum(block.source, block.groups, value.argument, group)


def _refuse(metric: Metric) -> DefinitionError:
    return DefinitionError(
        f"metric '{metric.name}': an interval from replicates needs a ratio of two sums over sampled rows, "
        "as simple metrics without a floor, the replicate group among their own columns."
    )
