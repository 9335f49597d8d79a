"""What is aggregated of a leaf's rows."""

from __future__ import annotations

from dataclasses import replace

from gnomon.planner.algebra import Argument, Column, Given, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Leaf
from gnomon.semantic.model import Aggregation


def value_of(compiled: Compiled, leaf: Leaf) -> Value:
    """Return the value that a leaf's measure comes to; counts and booleans are sums of ones, as in MetricFlow."""
    measure, model = leaf.measure, leaf.model
    if leaf.counts is not None:
        counted = value_of(compiled, replace(leaf, measure=leaf.counts.of, counts=None))
        key, *more_keys = (Column(str(model.name), key) for key in leaf.counts.keys)
        units = Argument(key, given=Given(counted, leaf.counts.is_rest, tuple(more_keys)))
        return Value(leaf.column, measure.name, Aggregation.COUNT_DISTINCT, units, None, None, leaf.is_asked)
    if leaf.converts is not None:
        measure = compiled.measure(leaf.converts.measure.name)
        model = compiled.manifest.model_of(measure.name)
    argument = Argument(Column(str(model.name), measure.expr))
    aggregation = measure.aggregation
    match aggregation:
        case Aggregation.SUM_BOOLEAN:
            argument, aggregation = argument._replace(counts_true=True), Aggregation.SUM
        case Aggregation.COUNT:
            argument, aggregation = argument._replace(counts_present=True), Aggregation.SUM
        case Aggregation.MEDIAN:
            aggregation = Aggregation.PERCENTILE
    return Value(leaf.column, measure.name, aggregation, argument, measure.percentile, leaf.fill, leaf.is_asked)
