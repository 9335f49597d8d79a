"""Words after a metric's name: `gmv__previous`, `gmv__change_year`, `gmv__growth`, `gmv__total`, `gmv__share`.

Each makes a derived metric of the question's own, so that it is planned like any other one. Without a
time among the groups, the period before is the time range as long as the one asked for, right before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.core.names import MetricName
from gnomon.planner.compiled import Compiled
from gnomon.planner.expressions import parse_expression
from gnomon.planner.filters import Filter
from gnomon.planner.references import Reference, order_of_times
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Aggregation, Metric, MetricInput, MetricKind, Offset, Span

# What a word computes, of the value itself, of the value before, or of the value over all groups.
_FORMULAS = {
    "previous": "before",
    "change": "value - before",
    "growth": "CAST(value - before AS DOUBLE) / NULLIF(ABS(before), 0)",
    "total": "whole",
    "share": "CAST(value AS DOUBLE) / NULLIF(whole, 0)",
}
_IN_TIME = ("previous", "change", "growth")
_OF_PARTS = {Aggregation.SUM, Aggregation.SUM_BOOLEAN, Aggregation.COUNT, Aggregation.COUNT_DISTINCT}
_PARTS = (exp.Column, exp.Identifier, exp.Paren, exp.Add, exp.Sub, exp.Neg)


@dataclass(frozen=True)
class Comparison:
    """A word after a metric's name; `by` is the grain that it goes back by, if it names one."""

    word: str
    by: Grain | None


def split_word(compiled: Compiled, asked: str) -> tuple[str, Comparison | None]:
    """Return the metric's name, and the comparison asked of it; QueryError if there is none of that name."""
    base, _, suffix = asked.rpartition("__")
    if not base or MetricName(base) not in compiled.manifest.metrics:
        return asked, None
    word, _, grain = suffix.partition("_")
    if word not in _FORMULAS or (grain and word not in _IN_TIME):
        raise QueryError(f"'{asked}': {explain_unknown('word after a metric', suffix, _FORMULAS)}")
    if not grain:
        return base, Comparison(word, None)
    grains = {each.value: each for each in Grain}
    if grain not in grains:
        raise QueryError(f"'{asked}': {explain_unknown('grain', grain, grains)}")
    return base, Comparison(word, grains[grain])


def compare(
    compiled: Compiled,
    metric: Metric,
    asked: str,
    comparison: Comparison,
    groups: tuple[Reference, ...],
    filters: tuple[Filter, ...],
) -> Metric:
    """Return the derived metric called `asked`; QueryError where the comparison has no meaning."""
    word = comparison.word
    if word in _IN_TIME:
        other = MetricInput(metric.name, "before", (), _go_back(compiled, metric, asked, comparison, groups, filters))
    else:
        if word == "share":
            _require_parts(compiled, metric, asked)
        other = MetricInput(metric.name, "whole", (), None, is_total=True)
    # The value itself is an input even where the formula does not name it: its rows are the answer's.
    value = MetricInput(metric.name, "value", (), None)
    # The value has its floor, and so have the other one and what is made of both.
    kept = replace(metric.documentation, units=None, minimum_units=0, target=None)
    return Metric(
        name=MetricName(asked),
        kind=MetricKind.DERIVED,
        description=f"{word} of {metric.name}",
        filters=(),
        measure=None,
        inputs=(value, other),
        expr=_FORMULAS[word],
        time_grain=None,
        documentation=replace(kept, unit=_unit_of(word, kept.unit)),
    )


def _unit_of(word: str, unit: str) -> str:
    if word in ("growth", "share"):
        return "rate"
    return "points" if (word, unit) == ("change", "rate") else unit


def _go_back(
    compiled: Compiled,
    metric: Metric,
    asked: str,
    comparison: Comparison,
    groups: tuple[Reference, ...],
    filters: tuple[Filter, ...],
) -> Offset:
    times = tuple(group for group in groups if compiled.is_time_of(metric, group))
    by = comparison.by
    if not times:
        if by is not None:
            raise QueryError(f"'{asked}' goes back by a {by.value} from each period. Add metric_time to the group-by.")
        if any(compiled.is_time_of(metric, r) for each in filters for r in each.references):
            raise QueryError(
                f"'{asked}' goes back by the time range, and a filter speaks of time too. Say the time with start and "
                "end, or add metric_time to the group-by."
            )
        return Offset(by_range=True)
    periods = [group.grain for group in sorted(times, key=order_of_times) if group.grain is not None]
    if not periods:
        raise QueryError(f"'{asked}' goes back by a period, and the group-by has parts of time only. Add metric_time.")
    period = periods[0]
    if by is None:
        return Offset(back=Span(1, period), by_period=True)
    is_whole = isinstance(period, Grain) and not by.is_finer_than(period) and (period is not Grain.WEEK or by is period)
    if not is_whole:
        raise QueryError(
            f"'{asked}' goes back by a {by.value}, which is not a number of whole periods by {period.value}. "
            f"Ask by {by.value}, or by day."
        )
    return Offset(back=Span(1, by), by_period=True)


def _require_parts(compiled: Compiled, metric: Metric, asked: str) -> None:
    """Refuse a share of what is not a whole of parts: a rate, an average, a greatest value."""
    if not _has_parts(compiled, metric):
        raise QueryError(
            f"'{asked}': '{metric.name}' is not an amount of which a group can have a share. "
            f"Ask for '{metric.name}__total', its value over all groups, beside it."
        )


def _has_parts(compiled: Compiled, metric: Metric) -> bool:
    match metric.kind:
        case MetricKind.SIMPLE | MetricKind.CUMULATIVE:
            assert metric.measure is not None
            measure = compiled.measure(metric.measure.name)
            return measure.aggregation in _OF_PARTS
        case MetricKind.CONVERSION:
            assert metric.conversion is not None
            return not metric.conversion.is_rate
        case MetricKind.RATIO:
            return False
    is_sum = all(isinstance(node, _PARTS) for node in parse_expression(metric.expr or "").walk())
    return is_sum and all(_has_parts(compiled, compiled.manifest.metrics[used.name]) for used in metric.inputs)
