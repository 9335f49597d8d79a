"""Pass 2: every metric becomes a formula over leaves, with the filters pushed down to them.

A leaf is a measure with all that is done to it; an input that is shifted in time and itself made of
other metrics becomes a nested expansion, computed as a whole. A formula that can give a value
without any of its inputs (a fill, a CASE) holds only where one of its leaves has the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import DefinitionError, QueryError, explain_unknown, shorten
from gnomon.planner.algebra import HAS_PREFIX
from gnomon.planner.compiled import Compiled, is_aggregation_time
from gnomon.planner.draft import Draft, Expanded, Leaf, Nested, TimeRange
from gnomon.planner.expressions import parse_expression
from gnomon.planner.filters import Filter
from gnomon.planner.references import Reference
from gnomon.planner.sql_parts import any_of, case, cast, name, number
from gnomon.semantic.model import Conversion, MeasureInput, Metric, MetricInput, MetricKind, Offset

_TOTAL_PREFIX = "__of_all"

# Over nothing but nulls these give null.
_STRICT = (exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Cast,
           exp.DataType, exp.Nullif, exp.Abs, exp.Round)  # fmt: skip


def expand_metrics(compiled: Compiled, draft: Draft) -> Draft:
    """Find the leaves of all metrics, equal ones once, and the formulas over their columns."""
    resolved = draft.resolved
    expansion = _Expansion(compiled, resolved.groups, resolved.time_range, resolved.applies_floors, "")
    formulas = {str(metric.name): expansion.expand(metric, resolved.filters, True) for metric in resolved.metrics}
    for metric in resolved.companions:
        if metric.name not in formulas:
            formulas[metric.name] = expansion.expand(metric, resolved.filters, False)
    return replace(draft, expanded=expansion.finish(formulas))


class _Expansion:
    """Collects leaves by identity: the same measure under the same filters and treatment is one leaf."""

    def __init__(
        self,
        compiled: Compiled,
        groups: tuple[Reference, ...],
        time_range: TimeRange | None,
        applies_floors: bool,
        prefix: str,
    ) -> None:
        self._compiled = compiled
        self._groups = groups
        self._time_range = time_range
        self._applies_floors = applies_floors
        self._prefix = prefix
        self._found: dict[object, Leaf | Nested] = {}
        self._totals: dict[object, tuple[_Expansion, dict[str, exp.Expr]]] = {}

    def finish(self, formulas: dict[str, exp.Expr]) -> Expanded:
        totals = tuple(total.finish(columns) for total, columns in self._totals.values())
        return Expanded(self._groups, tuple(self._found.values()), tuple(formulas.items()), totals)

    def expand(
        self, metric: Metric, outer: tuple[Filter, ...], is_asked: bool, offset: Offset | None = None
    ) -> exp.Expr:
        """Return the metric's formula, null where it or an input stands on too few units."""
        if offset is not None and offset.by_range:
            return self._move_range().expand(metric, outer, is_asked)
        if metric.inputs and offset is not None:
            return self._nest(metric, outer, is_asked, offset)
        formula = self._write_formula(metric, outer, is_asked, offset)
        documentation = metric.documentation
        if not self._applies_floors or documentation.units is None or documentation.minimum_units == 0:
            return formula
        units = self.expand(self._compiled.manifest.metrics[documentation.units], outer, False, offset)
        return case(exp.GTE(this=units, expression=number(documentation.minimum_units)), formula)

    def _write_formula(
        self, metric: Metric, outer: tuple[Filter, ...], is_asked: bool, offset: Offset | None
    ) -> exp.Expr:
        match metric.kind:
            case MetricKind.SIMPLE:
                assert metric.measure is not None
                own = self._parse(metric, metric.filters + metric.measure.filters)
                return self._leaf(metric, metric.measure, own, outer, is_asked, offset)
            case MetricKind.CUMULATIVE:
                assert metric.measure is not None
                outer += self._parse(metric, metric.filters)
                own = self._parse(metric, metric.measure.filters)
                return _guard(self._leaf(metric, metric.measure, own, outer, is_asked, offset))
            case MetricKind.CONVERSION:
                return self._convert(metric, outer, is_asked, offset)
        outer += self._parse(metric, metric.filters)
        inputs = [
            self._expand_input(used, outer + self._parse(metric, used.filters), is_asked) for used in metric.inputs
        ]
        if metric.kind is MetricKind.RATIO:
            formula: exp.Expr = _divide(*inputs)
        else:
            names = [used.alias or str(used.name) for used in metric.inputs]
            formula = _substitute(metric, dict(zip(names, inputs, strict=True)))
        return _guard(formula)

    def _expand_input(self, used: MetricInput, outer: tuple[Filter, ...], is_asked: bool) -> exp.Expr:
        metric = self._compiled.manifest.metrics[used.name]
        return self._total(metric, outer) if used.is_total else self.expand(metric, outer, is_asked, used.offset)

    def _move_range(self) -> _Expansion:
        """Return an expansion into the same leaves, over the time range before."""
        if self._time_range is None:
            raise QueryError(
                "a value is asked for of the time range before, and there is no time range. Give start and end, or add "
                "metric_time to the group-by."
            )
        moved = copy(self)
        moved._time_range = self._time_range.before
        return moved

    def _total(self, metric: Metric, outer: tuple[Filter, ...]) -> exp.Expr:
        """Return the metric over all groups of a time: an answer of its own, whose values each row takes."""
        times = tuple(group for group in self._groups if self._compiled.is_time_of(metric, group))
        if (times, self._time_range) not in self._totals:
            prefix = f"{self._prefix}__total_{len(self._totals) + 1}"
            expansion = _Expansion(self._compiled, times, self._time_range, self._applies_floors, prefix)
            self._totals[times, self._time_range] = expansion, {}
        expansion, columns = self._totals[times, self._time_range]
        formula = expansion.expand(metric, outer, True)
        column = next((name for name, same in columns.items() if same == formula), None)
        if column is None:
            column = f"{_TOTAL_PREFIX}{expansion._prefix}_{len(columns) + 1}"
            columns[column] = formula
        return name(column)

    def _leaf(
        self,
        metric: Metric,
        used: MeasureInput,
        own: tuple[Filter, ...],
        outer: tuple[Filter, ...],
        is_asked: bool,
        offset: Offset | None,
        converts: Conversion | None = None,
    ) -> exp.Expr:
        model = self._compiled.manifest.model_of(used.name)
        leaf = Leaf(
            column=f"{self._prefix}__{used.name}_{len(self._found) + 1}",
            metric=metric.name,
            model=model,
            measure=model.measures[used.name],
            own=own,
            outer=_once(outer, own),
            time_range=self._time_range,
            is_asked=is_asked,
            joins_spine=used.joins_spine,
            fill=used.fill,
            offset=offset,
            accumulation=metric.accumulation,
            converts=converts,
        )
        self._require_time(metric, leaf)
        identity = (
            used.name, frozenset(map(_filter_key, leaf.own)), frozenset(map(_filter_key, leaf.outer)),
            used.joins_spine, used.fill, offset, metric.accumulation, converts, self._time_range,
        )  # fmt: skip
        column = name(self._keep(identity, leaf))
        fill = converts.measure.fill if converts else used.fill
        if fill is None:
            return column
        return exp.Coalesce(this=column, expressions=[number(fill)])

    def _keep(self, identity: object, leaf: Leaf | Nested) -> str:
        found = self._found.get(identity)
        if found is None or (leaf.is_asked and not found.is_asked):
            self._found[identity] = leaf if found is None else replace(found, is_asked=True)
        return self._found[identity].column

    def _convert(self, metric: Metric, outer: tuple[Filter, ...], is_asked: bool, offset: Offset | None) -> exp.Expr:
        conversion, base = metric.conversion, metric.measure
        assert conversion is not None
        assert base is not None
        if offset is not None:
            raise QueryError(f"metric '{metric.name}': a conversion metric cannot be offset.")
        outer += self._parse(metric, metric.filters)
        own = self._parse(metric, base.filters)
        opportunities = self._leaf(metric, base, own, outer, is_asked, None)
        conversions = self._leaf(metric, base, own, outer, is_asked, None, converts=conversion)
        # The rows of both sides are there, whichever is asked for.
        both = exp.Tuple(expressions=[conversions, opportunities])
        formula = _divide(conversions, opportunities) if conversion.is_rate else conversions
        return formula if _is_strict(formula) else _only_where_present(formula, both)

    def _nest(self, metric: Metric, outer: tuple[Filter, ...], is_asked: bool, offset: Offset) -> exp.Expr:
        """Compute the metric at its own times, then shift it: filters on time hold after the shift."""
        if not any(self._compiled.is_time_of(metric, group) for group in self._groups):
            raise _refuse_timeless(metric, "is shifted in time")
        named = {group.name for group in self._groups}
        timed, kept = [], []
        for condition in outer:
            is_time = [self._compiled.is_time_of(metric, reference) for reference in condition.references]
            if is_time and all(is_time):
                timed.append(condition)
            elif any(is_time):
                kept.append(condition)
                if not all(r.name in named for r in condition.references):
                    said = shorten(condition.text)
                    raise QueryError(
                        f"metric '{metric.name}' is shifted in time, and the filter \"{said}\" speaks of "
                        "time and of something else at once. Split it into two, or group by all that it speaks of."
                    )
        column = f"{self._prefix}__{metric.name}_{len(self._found) + 1}"
        inner = _Expansion(self._compiled, self._groups, None, self._applies_floors, f"{column}_")
        formula = inner.expand(metric, tuple(each for each in outer if each not in (*timed, *kept)), is_asked)
        nested = Nested(
            column,
            metric.name,
            inner.finish({column: formula}),
            tuple(timed),
            tuple(kept),
            self._time_range,
            offset,
            is_asked,
        )
        identity = (metric.name, frozenset(map(_filter_key, outer)), offset, self._time_range)
        return name(self._keep(identity, nested))

    def _require_time(self, metric: Metric, leaf: Leaf) -> None:
        """Refuse a value that hangs on a time where the question has none."""
        needs = leaf.offset is not None
        if leaf.accumulation is not None:
            needs = needs or leaf.accumulation.window is not None or leaf.accumulation.to_date is not None
        if not needs:
            return
        for reference in self._groups:
            if is_aggregation_time(leaf.measure, self._compiled.find(metric.name, leaf.measure, reference), reference):
                return
        raise _refuse_timeless(metric, "is shifted in time" if leaf.offset else "adds up a window of time")

    def _parse(self, metric: Metric, texts: tuple[str, ...]) -> tuple[Filter, ...]:
        try:
            filters = tuple(self._compiled.filter(text) for text in texts)
        except QueryError as error:
            raise DefinitionError(f"metric '{metric.name}': {error}") from None
        if self._compiled.zone is not None:
            measure = self._compiled.first_measure(metric)
            for reference in (r for each in filters for r in each.references):
                if self._compiled.find(metric.name, measure, reference).grain is not None:
                    raise QueryError(
                        f"metric '{metric.name}' is defined by '{reference.name}' in UTC. Leave out the time zone."
                    )
        return filters


def _refuse_timeless(metric: Metric, what: str) -> QueryError:
    return QueryError(f"metric '{metric.name}' {what}, so it is asked by a time. Add metric_time to the group-by.")


def _filter_key(condition: Filter) -> tuple[str, tuple[Reference, ...]]:
    return condition.text, condition.references


def _once(filters: Iterable[Filter], besides: Iterable[Filter]) -> tuple[Filter, ...]:
    seen = {_filter_key(each) for each in besides}
    kept = []
    for each in filters:
        if _filter_key(each) not in seen:
            seen.add(_filter_key(each))
            kept.append(each)
    return tuple(kept)


def _divide(numerator: exp.Expr, denominator: exp.Expr) -> exp.Expr:
    return exp.Div(
        this=cast(numerator, exp.DType.DOUBLE),
        expression=cast(exp.Nullif(this=denominator, expression=number(0)), exp.DType.DOUBLE),
    )


def _is_strict(formula: exp.Expr) -> bool:
    return all(isinstance(node, _STRICT) for node in formula.walk())


def _guard(formula: exp.Expr) -> exp.Expr:
    """Return a formula that is null where none of its leaves has the row."""
    return formula if _is_strict(formula) else _only_where_present(formula, formula)


def _only_where_present(formula: exp.Expr, parts: exp.Expr) -> exp.Expr:
    columns = dict.fromkeys(
        column.name for column in parts.find_all(exp.Column) if not column.name.startswith((HAS_PREFIX, _TOTAL_PREFIX))
    )
    present = [name(f"{HAS_PREFIX}{column}") for column in columns]
    if not present:
        return formula
    return case(any_of(present), formula)


def _substitute(metric: Metric, inputs: dict[str, exp.Expr]) -> exp.Expr:
    """Put each input's formula in the place of its name in a derived metric's expr."""
    try:
        tree = parse_expression(metric.expr or "").copy()
    except DefinitionError as error:
        raise DefinitionError(f"metric '{metric.name}': {error}") from None
    for column in list(tree.find_all(exp.Column)):
        # SQL folds case; the names of inputs are lower case by MetricFlow's law.
        name = column.name.lower()
        if name not in inputs:
            raise DefinitionError(f"metric '{metric.name}', expr: {explain_unknown('input', name, inputs)}")
        formula = inputs[name].copy()
        formula = formula if isinstance(formula, exp.Column) else exp.Paren(this=formula)
        if column is tree:
            return formula
        column.replace(formula)
    return tree
