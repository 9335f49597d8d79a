"""Pass 3: every leaf gets the rows it is aggregated from: table, joins, conditions, window."""

from __future__ import annotations

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.draft import Expanded, Join, Joined, Leaf, Source, TimeRange, Value, Window
from gnomon.planner.expressions import parse_column
from gnomon.planner.reach import Attribute, find_attribute
from gnomon.planner.references import METRIC_TIME, Reference
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Aggregation, Manifest


def join_entities(manifest: Manifest, expanded: Expanded) -> Joined:
    """Return each leaf's value with its source."""
    values = tuple(_place_leaf(manifest, expanded, leaf) for leaf in expanded.leaves)
    return Joined(expanded=expanded, values=values)


def _place_leaf(manifest: Manifest, expanded: Expanded, leaf: Leaf) -> tuple[Source, Value]:
    resolved = expanded.resolved
    joins: dict[str, Join] = {}

    def place(reference: Reference) -> exp.Expr:
        attribute = find_attribute(manifest, leaf.measure.name, leaf.measure, reference)
        return _truncate(_read(leaf, attribute, joins), reference.grain or attribute.grain)

    groups = tuple(place(reference) for reference in resolved.groups)
    conditions = [
        condition.bind(tuple(place(reference) for reference in condition.references)) for condition in leaf.filters
    ]
    if resolved.time_range is not None:
        conditions += _bound_time(place(Reference((), METRIC_TIME)), resolved.time_range)
    source = Source(
        model=leaf.model.name,
        relation=leaf.model.relation,
        joins=tuple(joins[alias] for alias in sorted(joins)),
        conditions=tuple(conditions),
        groups=groups,
        window=_read_window(manifest, leaf, resolved.groups, groups),
    )
    return source, _read_value(leaf)


def _read(leaf: Leaf, attribute: Attribute, joins: dict[str, Join]) -> exp.Expr:
    """Return the attribute's column, adding the join that leads to it."""
    if attribute.via is None or attribute.target is None:
        return parse_column(attribute.expr, leaf.model.name)
    # No semantic model can be called this: names begin with a letter.
    alias = f"__{attribute.via.name}__{attribute.model.name}"
    joins[alias] = Join(
        alias=alias,
        relation=attribute.model.relation,
        condition=exp.EQ(
            this=parse_column(attribute.via.expr, leaf.model.name),
            expression=parse_column(attribute.target.expr, alias),
        ),
    )
    return parse_column(attribute.expr, alias)


def _truncate(column: exp.Expr, grain: Grain | None) -> exp.Expr:
    if grain is None:
        return column
    return exp.Anonymous(this="DATE_TRUNC", expressions=[exp.Literal.string(grain.value), column])


def _bound_time(moment: exp.Expr, bounds: TimeRange) -> list[exp.Expr]:
    conditions: list[exp.Expr] = []
    if bounds.start is not None:
        low = exp.cast(exp.Literal.string(bounds.start.isoformat(sep=" ")), "timestamp")
        conditions.append(exp.GTE(this=moment.copy(), expression=low))
    if bounds.end is not None:
        high = exp.cast(exp.Literal.string(bounds.end.isoformat(sep=" ")), "timestamp")
        conditions.append(exp.LTE(this=moment.copy(), expression=high))
    return conditions


def _read_window(
    manifest: Manifest, leaf: Leaf, references: tuple[Reference, ...], groups: tuple[exp.Expr, ...]
) -> Window | None:
    rule = leaf.measure.non_additive
    if rule is None:
        return None
    dimension = leaf.model.dimensions[rule.dimension]
    partitions = []
    for reference, group in zip(references, groups, strict=True):
        attribute = find_attribute(manifest, leaf.measure.name, leaf.measure, reference)
        if attribute.via is None and attribute.time_dimension == rule.dimension:
            partitions.append(group)
    return Window(
        moment=_truncate(parse_column(dimension.expr, leaf.model.name), dimension.grain),
        takes_last=rule.takes_last,
        # As MetricFlow: of several grains of the window's time, the first asked for decides.
        partitions=tuple(partitions[:1]),
        groupings=tuple(parse_column(leaf.model.entities[name].expr, leaf.model.name) for name in rule.groupings),
    )


def _read_value(leaf: Leaf) -> Value:
    """Return what is aggregated; counts and booleans are sums of ones, as in MetricFlow."""
    measure = leaf.measure
    rows = parse_column(measure.expr, leaf.model.name)
    match measure.aggregation:
        case Aggregation.SUM_BOOLEAN:
            return Value(leaf.column, Aggregation.SUM, _one_if(rows), leaf.is_asked)
        case Aggregation.COUNT:
            is_there = exp.Not(this=exp.Is(this=rows, expression=exp.Null()))
            return Value(leaf.column, Aggregation.SUM, _one_if(is_there), leaf.is_asked)
        case Aggregation.MEDIAN | Aggregation.PERCENTILE:
            raise QueryError(f"measure '{measure.name}': the aggregation {measure.aggregation.value} is not there yet.")
        case _:
            return Value(leaf.column, measure.aggregation, rows, leaf.is_asked)


def _one_if(condition: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, exp.Literal.number(1)).else_(exp.Literal.number(0))
