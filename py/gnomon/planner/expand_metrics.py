"""Pass 2: every metric becomes a formula over leaves, with the filters pushed down to them."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import DefinitionError, QueryError, explain_unknown
from gnomon.core.names import MeasureName
from gnomon.planner.draft import Expanded, Leaf, Resolved
from gnomon.planner.expressions import parse_expression
from gnomon.planner.filters import Filter, parse_filter
from gnomon.planner.references import Reference
from gnomon.semantic.model import Manifest, Metric, MetricKind


def expand_metrics(manifest: Manifest, resolved: Resolved) -> Expanded:
    """Return the leaves of all metrics, equal ones once, and the formulas over their columns."""
    leaves = _Leaves(manifest, resolved.applies_floors)
    formulas = {str(metric.name): leaves.expand(metric, resolved.filters, True) for metric in resolved.metrics}
    for metric in resolved.companions:
        formulas.setdefault(str(metric.name), leaves.expand(metric, resolved.filters, False))
    return Expanded(resolved=resolved, leaves=leaves.found, formulas=formulas)


_Identity = tuple[MeasureName, frozenset[tuple[str, tuple[Reference, ...]]]]


class _Leaves:
    """Collects leaves by identity: the same measure under the same filters is one leaf."""

    def __init__(self, manifest: Manifest, applies_floors: bool) -> None:
        self._manifest = manifest
        self._applies_floors = applies_floors
        self._by_identity: dict[_Identity, Leaf] = {}

    @property
    def found(self) -> tuple[Leaf, ...]:
        return tuple(self._by_identity.values())

    def expand(self, metric: Metric, filters: tuple[Filter, ...], is_asked: bool) -> exp.Expr:
        """Return the metric's formula, null where it or an input stands on too few units."""
        formula = self._write_formula(metric, filters + _parse_all(metric, metric.filters), is_asked)
        documentation = metric.documentation
        if not self._applies_floors or documentation.units is None or documentation.minimum_units == 0:
            return formula
        units = self.expand(self._manifest.metrics[documentation.units], filters, False)
        enough = exp.GTE(this=units, expression=exp.Literal.number(documentation.minimum_units))
        return exp.Case().when(enough, formula)

    def _write_formula(self, metric: Metric, filters: tuple[Filter, ...], is_asked: bool) -> exp.Expr:
        if metric.kind is MetricKind.SIMPLE:
            return self._leaf(metric, filters, is_asked)
        inputs = [
            self.expand(self._manifest.metrics[used.name], filters + _parse_all(metric, used.filters), is_asked)
            for used in metric.inputs
        ]
        if metric.kind is MetricKind.DERIVED:
            names = [used.alias or str(used.name) for used in metric.inputs]
            return _substitute(metric, dict(zip(names, inputs, strict=True)))
        numerator, denominator = inputs
        return exp.Div(
            this=exp.cast(numerator, "double"),
            expression=exp.cast(exp.Nullif(this=denominator, expression=exp.Literal.number(0)), "double"),
        )

    def _leaf(self, metric: Metric, filters: tuple[Filter, ...], is_asked: bool) -> exp.Expr:
        assert metric.measure is not None
        filters += _parse_all(metric, metric.measure.filters)
        unique = {(condition.text, condition.references): condition for condition in filters}
        identity = (metric.measure.name, frozenset(unique))
        leaf = self._by_identity.get(identity)
        if leaf is None:
            model = self._manifest.model_of(metric.measure.name)
            leaf = Leaf(
                # No group can be called this: names of dimensions and entities begin with a letter.
                column=f"__{metric.measure.name}_{len(self._by_identity) + 1}",
                model=model,
                measure=model.measures[metric.measure.name],
                filters=tuple(unique.values()),
                is_asked=is_asked,
            )
            self._by_identity[identity] = leaf
        elif is_asked and not leaf.is_asked:
            self._by_identity[identity] = replace(leaf, is_asked=True)
        column = exp.column(leaf.column, quoted=True)
        if metric.measure.fill is None:
            return column
        return exp.Coalesce(this=column, expressions=[exp.Literal.number(metric.measure.fill)])


def _parse_all(metric: Metric, texts: tuple[str, ...]) -> tuple[Filter, ...]:
    try:
        return tuple(parse_filter(text) for text in texts)
    except QueryError as error:
        raise DefinitionError(f"metric '{metric.name}': {error}") from None


def _substitute(metric: Metric, inputs: dict[str, exp.Expr]) -> exp.Expr:
    """Put each input's formula in the place of its name in a derived metric's expr."""

    def replace_name(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        # SQL folds case; the names of inputs are lower case by MetricFlow's law.
        name = node.name.lower()
        if name not in inputs:
            raise DefinitionError(f"metric '{metric.name}', expr: {explain_unknown('input', name, inputs)}")
        formula = inputs[name].copy()
        return formula if isinstance(formula, exp.Column) else exp.Paren(this=formula)

    try:
        tree = parse_expression(metric.expr or "")
    except DefinitionError as error:
        raise DefinitionError(f"metric '{metric.name}': {error}") from None
    return tree.transform(replace_name)
