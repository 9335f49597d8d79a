"""Pass 4: a ratio over a probability sample gets a variance, from its replicate groups."""

from __future__ import annotations

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.planner.draft import Joined, Replicated, Variance
from gnomon.planner.join_entities import parse_column
from gnomon.planner.reach import find_attribute
from gnomon.planner.references import parse_reference
from gnomon.semantic.model import Aggregation, Manifest, Metric


def replicate_ratios(manifest: Manifest, joined: Joined) -> Replicated:
    """Return the variances of the asked metrics whose definition names a replicate group."""
    resolved = joined.expanded.resolved
    estimates = [m for m in resolved.metrics if m.documentation.replicate_group] if resolved.applies_floors else []
    return Replicated(joined=joined, variances=tuple(_replicate(manifest, joined, metric) for metric in estimates))


def _replicate(manifest: Manifest, joined: Joined, metric: Metric) -> Variance:
    leaves = {leaf.column: leaf for leaf in joined.expanded.leaves}
    places = {value.column: (source, value) for source, value in joined.values}
    # A floor may stand around the ratio; the ratio itself is the division in it.
    ratio = joined.expanded.formulas[metric.name].find(exp.Div)
    columns = [column.name for column in ratio.find_all(exp.Column)] if ratio is not None else []
    sources = {places[column][0] for column in columns}
    values = [places[column][1] for column in columns]
    are_sums = all(value.aggregation is Aggregation.SUM for value in values)
    if len(values) != 2 or len(sources) != 1 or not are_sums:
        raise DefinitionError(
            f"metric '{metric.name}': an interval from replicates needs a ratio of two sums over the same rows "
            "under the same filters."
        )
    leaf = leaves[columns[0]]
    reference = parse_reference(metric.documentation.replicate_group or "")
    attribute = find_attribute(manifest, metric.name, leaf.measure, reference)
    if attribute.via is not None:
        raise DefinitionError(f"metric '{metric.name}': the replicate group must stand on the sampled rows.")
    return Variance(
        metric=metric.name,
        source=sources.pop(),
        group=parse_column(attribute.expr, leaf.model.name),
        replicates=metric.documentation.replicates,
        numerator=values[0].rows,
        denominator=values[1].rows,
    )
