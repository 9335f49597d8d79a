"""Pass 4: a ratio over a probability sample gets a variance, from its replicate groups."""

from __future__ import annotations

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.planner.draft import Joined, Replicated, SampledSum, Variance
from gnomon.planner.expressions import parse_column
from gnomon.planner.reach import find_attribute
from gnomon.planner.references import parse_reference
from gnomon.semantic.model import Aggregation, Manifest, Metric, MetricKind


def replicate_ratios(manifest: Manifest, joined: Joined) -> Replicated:
    """Return the variances of the asked metrics whose definition names a replicate group."""
    resolved = joined.expanded.resolved
    estimates = [m for m in resolved.metrics if m.documentation.replicate_group] if resolved.applies_floors else []
    return Replicated(joined=joined, variances=tuple(_replicate(manifest, joined, metric) for metric in estimates))


def _replicate(manifest: Manifest, joined: Joined, metric: Metric) -> Variance:
    inputs = [manifest.metrics[used.name] for used in metric.inputs]
    is_plain = all(used.kind is MetricKind.SIMPLE and not used.documentation.minimum_units for used in inputs)
    if metric.kind is not MetricKind.RATIO or not is_plain:
        raise _refuse(metric)
    # The metric's own floor may stand around the ratio; the ratio itself is the only division in it.
    ratio = joined.expanded.formulas[metric.name].find(exp.Div)
    assert ratio is not None
    numerator, denominator = (
        _read_sum(manifest, joined, metric, column.name)
        for column in (ratio.this.find(exp.Column), ratio.expression.find(exp.Column))
    )
    return Variance(metric.name, numerator, denominator, metric.documentation.replicates)


def _read_sum(manifest: Manifest, joined: Joined, metric: Metric, column: str) -> SampledSum:
    leaf = next(leaf for leaf in joined.expanded.leaves if leaf.column == column)
    source, value = next((source, value) for source, value in joined.values if value.column == column)
    reference = parse_reference(metric.documentation.replicate_group or "")
    attribute = find_attribute(manifest, metric.name, leaf.measure, reference)
    if value.aggregation is not Aggregation.SUM or source.window is not None or attribute.via is not None:
        raise _refuse(metric)
    return SampledSum(source, value.rows, parse_column(attribute.expr, leaf.model.name))


def _refuse(metric: Metric) -> DefinitionError:
    return DefinitionError(
        f"metric '{metric.name}': an interval from replicates needs a ratio of two sums over sampled rows, "
        "as simple metrics without a floor, the replicate group among their own columns."
    )
