"""Pass 1: every name of the question is found, once, or refused with the nearest ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from gnomon.core.errors import QueryError, explain_unknown, join_names
from gnomon.core.names import MetricName
from gnomon.planner.comparisons import compare, split_word
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import ANY_END, ANY_START, Draft, Ordering, Resolved, TimeRange
from gnomon.planner.filters import Filter
from gnomon.planner.references import METRIC_TIME, Reference, parse_order
from gnomon.semantic.grain import Grain, base_of
from gnomon.semantic.model import Manifest, Metric


def resolve_names(compiled: Compiled, draft: Draft) -> Draft:
    """Put metrics, references and grains in the place of the question's words; one without metrics waits."""
    question = draft.question
    if not question.metrics:
        return draft
    manifest = compiled.manifest
    asked = tuple(split_word(compiled, word) for word in question.metrics)
    metrics = tuple(_find_metric(manifest, name) for name, _ in asked)
    groups = tuple(_settle(compiled, metrics, compiled.reference(word)) for word in question.group_by)
    refuse_repeats([*(group.name for group in groups), *question.metrics])
    filters = tuple(_settle_filter(compiled, metrics, compiled.filter(text)) for text in question.where)
    everything = (*filters, *map(compiled.filter, question.row_filters))
    for metric in metrics:
        spoken = (*groups, *(reference for each in everything for reference in each.references))
        _refuse_own_outcome(manifest, metric.name, metric, spoken)
    metrics = tuple(
        metric if comparison is None else compare(compiled, metric, word, comparison, groups, filters)
        for word, metric, (_, comparison) in zip(question.metrics, metrics, asked, strict=True)
    )
    companions = _find_companions(manifest, metrics) if question.applies_floors else ()
    resolved = Resolved(
        metrics=metrics,
        companions=companions,
        groups=groups,
        filters=filters,
        order_by=tuple(resolve_ordering(compiled, metrics, groups, word) for word in question.order_by),
        limit=question.limit,
        time_range=_widen_range(compiled, metrics, groups, question.start, question.end),
        applies_floors=question.applies_floors,
        top=question.top,
    )
    return replace(draft, resolved=resolved)


def _find_metric(manifest: Manifest, name: str) -> Metric:
    metric = manifest.metrics.get(MetricName(name))
    if metric is None:
        raise QueryError(explain_unknown("metric", name, manifest.metrics))
    _refuse_without_inputs(manifest, metric, asked=name)
    return metric


def _refuse_without_inputs(manifest: Manifest, metric: Metric, asked: str) -> None:
    """Refuse a metric of which an input is said to be missing, in itself or in what it is made of."""
    through = "" if metric.name == asked else f" (through '{metric.name}')"
    if metric.documentation.missing_inputs:
        missing = "\n".join(f"  - {item}" for item in metric.documentation.missing_inputs)
        raise QueryError(f"metric '{asked}'{through} is refused until all its inputs exist. Missing:\n{missing}")
    for used in metric.inputs:
        _refuse_without_inputs(manifest, manifest.metrics[used.name], asked)


def _refuse_own_outcome(manifest: Manifest, asked: str, metric: Metric, references: tuple[Reference, ...]) -> None:
    """Refuse a dimension that is the metric's own outcome, or an input's: by it every value is 0 or 1."""
    for reference in references:
        plain = reference.plain
        if plain in metric.documentation.never_by:
            raise QueryError(
                f"metric '{asked}' says nothing by '{plain}', which is its own outcome: every value would "
                f"be all or none. `gnomon metrics {asked}` lists what it can be grouped by."
            )
    for used in metric.inputs:
        _refuse_own_outcome(manifest, asked, manifest.metrics[used.name], references)


def _find_companions(manifest: Manifest, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """The metrics that count the units behind those asked for, each once."""
    names = dict.fromkeys(metric.documentation.units for metric in metrics if metric.documentation.units)
    return tuple(_find_metric(manifest, name) for name in names if name is not None)


def _settle(compiled: Compiled, metrics: tuple[Metric, ...], reference: Reference) -> Reference:
    """Return the reference with its grain: a time asked without one gets the finest that all can give."""
    grains: list[Grain] = []
    for metric in metrics:
        for leaf in compiled.manifest.leaves_of(metric):
            assert leaf.measure is not None
            measure = compiled.measure(leaf.measure.name)
            attribute = compiled.find(metric.name, measure, reference)
            if attribute.grain is not None:
                grains.append(attribute.grain)
            if reference.element == METRIC_TIME:
                # As MetricFlow: by day, or coarser where the metric or its data is.
                grains.append(leaf.time_grain or Grain.DAY)
    if reference.grain is None and reference.part is None and grains:
        return replace(reference, grain=Grain.coarsest(tuple(grains)))
    return reference


def _settle_filter(compiled: Compiled, metrics: tuple[Metric, ...], condition: Filter) -> Filter:
    return replace(
        condition,
        references=tuple(_settle(compiled, metrics, reference) for reference in condition.references),
    )


def resolve_ordering(
    compiled: Compiled, metrics: tuple[Metric, ...], groups: tuple[Reference, ...], word: str
) -> Ordering:
    """Return the column of the answer that `word` orders by."""
    name, is_descending = parse_order(word, compiled.manifest.custom_grains)
    columns = [*(str(metric.name) for metric in metrics), *(group.name for group in groups)]
    if name in columns:
        return Ordering(column=name, is_descending=is_descending)
    # metric_time stands for metric_time__day where that is what metric_time came to.
    meant = [group.name for group in groups if group.plain == name]
    if len(meant) > 1:
        raise QueryError(f"order by: '{name}' may mean {join_names(meant, 'or')}. Say which.")
    if not meant:
        raise QueryError(f"order by: {explain_unknown('column of this answer', name, columns)}")
    return Ordering(column=meant[0], is_descending=is_descending)


def refuse_repeats(names: Iterable[str]) -> None:
    """Refuse a name that is asked for twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise QueryError(f"'{name}' is asked for twice. Leave one out.")
        seen.add(name)


def _widen_range(
    compiled: Compiled,
    metrics: tuple[Metric, ...],
    groups: tuple[Reference, ...],
    start: datetime | None,
    end: datetime | None,
) -> TimeRange | None:
    if start is None and end is None:
        return None
    default = _settle(compiled, metrics, Reference((), METRIC_TIME)).grain
    assert isinstance(default, Grain)
    return widen(groups, default, start, end)


def widen(
    groups: tuple[Reference, ...], default: Grain, start: datetime | None, end: datetime | None
) -> TimeRange | None:
    """Widen the bounds to whole periods of the finest metric_time grain, so that no period is cut."""
    if start is None and end is None:
        return None
    # As MetricFlow: a grain of the project's own does not widen, so beside no other one its base does.
    asked = [group.grain for group in groups if group.element == METRIC_TIME and group.grain is not None]
    asked = [grain for grain in asked if isinstance(grain, Grain)] or [base_of(grain) for grain in asked]
    grain = Grain.finest(tuple(map(base_of, asked))) if asked else default
    return TimeRange(*read_bounds(grain, start, end), grain)


def read_bounds(
    grain: Grain | None, start: datetime | None, end: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Return the bounds widened to whole periods of `grain`; QueryError if they are the wrong way round."""
    if grain is None:
        return start, end
    if start is not None and end is not None and end < start:
        raise QueryError(f"the end {end:%Y-%m-%d %H:%M} is before the start {start:%Y-%m-%d %H:%M}.")
    low = start if start is None or start == ANY_START else _floor(start, grain)
    high = end if end is None or end == ANY_END else _end_of(_floor(end, grain), grain)
    return low, high


def _floor(moment: datetime, grain: Grain) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match grain:
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case Grain.QUARTER:
            return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.DAY:
            return day
        case Grain.HOUR:
            return moment.replace(minute=0, second=0, microsecond=0)
        case Grain.MINUTE:
            return moment.replace(second=0, microsecond=0)
        case Grain.SECOND:
            return moment.replace(microsecond=0)
        case _:
            return moment


def _end_of(period: datetime, grain: Grain) -> datetime:
    try:
        return _next(period, grain) - timedelta(microseconds=1)
    except (OverflowError, ValueError):
        # 9999-12-31 stands for no end; the calendar ends there too.
        return datetime.max


def _next(moment: datetime, grain: Grain) -> datetime:
    months = {Grain.YEAR: 12, Grain.QUARTER: 3, Grain.MONTH: 1}.get(grain)
    if months is not None:
        total = moment.year * 12 + moment.month - 1 + months
        return moment.replace(year=total // 12, month=total % 12 + 1)
    step = {
        Grain.WEEK: timedelta(days=7),
        Grain.DAY: timedelta(days=1),
        Grain.HOUR: timedelta(hours=1),
        Grain.MINUTE: timedelta(minutes=1),
        Grain.SECOND: timedelta(seconds=1),
    }
    return moment + step.get(grain, timedelta(microseconds=1))
