"""All views of a copy: one for each subject and grain, and why each metric that is in none is in none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from gnomon.core.names import MetricName
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.judgement import explain_absent, find_absent_tables
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import adds_up
from gnomon.publish.planned import Inexpressible, Limits, Planned, plan_metric
from gnomon.publish.views.model import LeftOut, Role, View, Views
from gnomon.publish.views.reading import GRAINS, Draft
from gnomon.publish.views.wording import describe_view, name_subject
from gnomon.semantic import Manifest
from gnomon.semantic.model import Metric, SemanticModel
from gnomon.warehouse import Warehouse

PREFIX = "bi_"
# What Postgres keeps of a name.
_MOST_BYTES = 63
_WHOLE = ("HUGEINT", "UHUGEINT")
_LIMITS = Limits(
    conversion="it pairs acts with the act that they follow, which no sum of rows tells",
    accumulation="it adds up over a window of time, so its values overlap and do not add up",
    inner_accumulation="it adds up over time, so its values overlap and do not add up",
    spine="it has a value in periods without rows, of which a view has none",
    shift="it looks back in time, and a row of a view knows its own period only",
    several_tables="and a view has the rows of one",
    several_times="and a view has one time for all",
    window="the rows of a view are added up over time, too",
    spine_join="and a row of a view knows its own period only",
    metric_filter="which no column of a rollup tells",
    custom_grain="which a rollup does not keep",
    has_running_totals=False,
)
_SAMPLED = "it is estimated from a sample, and sums do not tell its interval: ask Gnomon for both"


def build_views(
    compiled: Compiled, warehouse: Warehouse, record: BuildRecord, rollups: Collection[str], tables: Collection[str]
) -> Views:
    """Return the views over those rollups that a generation holds, joined to those tables that a copy holds."""
    planned, left_out = _plan_metrics(compiled, record)
    reasons: dict[MetricName, dict[str, None]] = {}
    views: list[View] = []
    unread: dict[str, str] = {}
    attributes: dict[str, Mapping[str, str]] = {}
    for model in compiled.manifest.models.values():
        own = [each for each in planned if each.model is model]
        drafts = []
        for rollup in model.rollups:
            if rollup.name not in rollups:
                continue
            if rollup.grain not in GRAINS:
                unread[rollup.name] = f"it is kept by {rollup.grain.value}, and views are by day or coarser"
                continue
            time = model.measures[rollup.measures[0]].time_dimension
            draft = _fill(Draft(compiled, model, rollup, time, record.as_of, tables), own, reasons)
            if not draft.ratios and not any(column.metric for column in draft.columns.values()):
                unread[rollup.name] = "none of its measures is a metric that adds up"
                continue
            drafts.append(draft)
        for called, draft in _choose(compiled.manifest, model, drafts, unread):
            views.append(_finish(draft, called, warehouse))
            attributes[called] = draft.left_out
    shown = {metric for view in views for metric in view.metrics}
    for each in planned:
        if each.metric.name not in shown:
            told = reasons.get(each.metric.name, {})
            left_out[each.metric.name] = "; ".join(told) or f"the copy has no rollup of '{each.model.name}'"
    return Views(
        tuple(sorted(views, key=lambda view: view.name)),
        LeftOut(
            metrics={str(name): left_out[name] for name in sorted(left_out)},
            rollups=dict(sorted(unread.items())),
            attributes={name: dict(sorted(found.items())) for name, found in sorted(attributes.items()) if found},
        ),
    )


def _plan_metrics(compiled: Compiled, record: BuildRecord) -> tuple[list[Planned], dict[MetricName, str]]:
    """Return the metrics that may be sums of rows or made of such, simple ones first, and why others are not."""
    manifest = compiled.manifest
    sampled = _find_sampled(manifest)
    planned: list[Planned] = []
    left_out: dict[MetricName, str] = {}
    for metric in sorted(manifest.metrics.values(), key=lambda each: (bool(each.inputs), each.name)):
        absent = find_absent_tables(manifest, record, metric)
        leaves = {leaf.name for leaf in manifest.leaves_of(metric)}
        if absent:
            left_out[metric.name] = explain_absent(record, absent)
        elif metric.documentation.replicates or leaves & sampled:
            left_out[metric.name] = _SAMPLED
        else:
            try:
                planned.append(plan_metric(compiled, metric, _LIMITS))
            except Inexpressible as reason:
                left_out[metric.name] = str(reason)
    return planned, left_out


def _find_sampled(manifest: Manifest) -> frozenset[MetricName]:
    """Return the metrics over rows that stand for others: those that an estimate with an interval is made of."""

    def list_leaves(metric: Metric) -> Iterator[MetricName]:
        return (leaf.name for leaf in manifest.leaves_of(metric))

    estimates = [metric for metric in manifest.metrics.values() if metric.documentation.replicates]
    return frozenset(name for metric in estimates for name in list_leaves(metric))


def _fill(draft: Draft, planned: list[Planned], reasons: dict[MetricName, dict[str, None]]) -> Draft:
    draft.add_attributes()
    rest = []
    for each in planned:
        if each.time != draft.time:
            continue
        try:
            if not draft.add_sum(each):
                rest.append(each)
        except Inexpressible as reason:
            reasons.setdefault(each.metric.name, {})[str(reason)] = None
    for each in rest:
        try:
            draft.add_ratio(each)
        except Inexpressible as reason:
            reasons.setdefault(each.metric.name, {})[str(reason)] = None
    draft.hide_outcomes()
    return draft


def _choose(
    manifest: Manifest, model: SemanticModel, drafts: list[Draft], unread: dict[str, str]
) -> Iterator[tuple[str, Draft]]:
    """Yield the views that are needed to have all that the rollups have, each with its name."""
    subject = name_subject(model)
    if sum(name_subject(each) == subject for each in manifest.models.values() if each.rollups) > 1:
        subject = str(model.name)
    times = {draft.time for draft in drafts}
    chosen: list[tuple[str, Draft]] = []
    for draft in sorted(drafts, key=_rank):
        holder = next((called for called, other in chosen if _covers(other, draft)), None)
        if holder is not None:
            unread[draft.rollup.name] = f"view {holder} has all of it"
            continue
        called = f"{PREFIX}{subject}_{draft.rollup.grain.value}"
        if len(times) > 1:
            called += f"__by_{draft.time}"
        if any(called == other for other, _ in chosen):
            called += f"__{draft.rollup.name}"
        if len(called.encode()) > _MOST_BYTES:
            unread[draft.rollup.name] = f"its view would be '{called}', a longer name than Postgres keeps"
            continue
        chosen.append((called, draft))
    yield from chosen


def _rank(draft: Draft) -> tuple[int, int, int, str]:
    """Order views so that those come first that have more: finer ones, of more metrics, by more attributes."""
    return (GRAINS.index(draft.rollup.grain), -len(_list_metrics(draft)), -len(draft.attributes), draft.rollup.name)


def _covers(other: Draft, draft: Draft) -> bool:
    return (
        other.time == draft.time
        and adds_up(other.rollup.grain, draft.rollup.grain)
        and _list_metrics(other) >= _list_metrics(draft)
        and set(other.attributes) >= set(draft.attributes)
    )


def _list_metrics(draft: Draft) -> set[MetricName]:
    sums = {column.metric for column in draft.columns.values() if column.metric is not None}
    return sums | {ratio.metric.name for ratio in draft.ratios}


def _finish(draft: Draft, called: str, warehouse: Warehouse) -> View:
    """Return the view with DuckDB's type of each column; sums of whole numbers as such that tools know."""
    kinds = _describe(warehouse, draft.write())
    for column in draft.in_order():
        if column.role is Role.SUM:
            # A decimal keeps its digits in Postgres only where they are said again.
            kind = exp.DataType.build(
                "BIGINT" if kinds[column.name] in _WHOLE else kinds[column.name], dialect="duckdb"
            )
            draft.columns[column.name] = replace(column, sql=exp.cast(column.sql, kind))
    query = draft.write()
    kinds = _describe(warehouse, query)
    columns = [replace(column, kind=kinds[column.name]) for column in draft.in_order()]
    comment = describe_view(draft.model, draft.rollup.grain, [*draft.attributes])
    return View(
        called, draft.model, draft.rollup.name, draft.rollup.grain, comment, tuple(columns), tuple(draft.ratios),
        dict(sorted(draft.matures.items())), query,
    )  # fmt: skip


def _describe(warehouse: Warehouse, query: exp.Select) -> dict[str, str]:
    described = f"select column_name, column_type from (describe {query.sql(dialect='duckdb')})"  # noqa: S608
    return {row["column_name"]: row["column_type"] for row in warehouse.query(described).to_pylist()}
