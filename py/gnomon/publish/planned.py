"""A metric as the planner sees it, which is what other tools are told: a formula over values, each of rows under tests.

What a tool has no form for is refused with the reason, in words that say the tool's own limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.core.names import DimensionName, MetricName, ModelName
from gnomon.planner import Compiled, Question, plan
from gnomon.planner.algebra import HAS_PREFIX, Block, Scan, Value
from gnomon.planner.draft import Draft, Leaf
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.place_leaves import place_leaves
from gnomon.planner.resolve_names import resolve_names
from gnomon.semantic.model import Manifest, Metric, MetricKind, PeriodValue, SemanticModel


class Inexpressible(Exception):  # noqa: N818
    """Another tool cannot say this exactly; the text is the reason, as part of a sentence."""


@dataclass(frozen=True)
class Limits:
    """Why a tool cannot have each kind of metric, as parts of sentences; one without a reason it can have.

    `several_tables` and `several_times` go on after the names of the tables and times, `window` after the moment that
    is kept, and `metric_filter` and `custom_grain` after what a filter speaks of.
    """

    conversion: str
    accumulation: str
    inner_accumulation: str
    spine: str
    shift: str
    several_tables: str
    several_times: str
    window: str
    spine_join: str
    metric_filter: str
    custom_grain: str
    has_running_totals: bool


@dataclass(frozen=True)
class Summand:
    """One value of a metric's formula, of the simple metric `metric`: rows of a scan, and how they are aggregated."""

    metric: MetricName
    scan: Scan
    value: Value


@dataclass(frozen=True)
class Planned:
    """A metric over one table and by one time; columns of `formula` are names of summands, or ask if one has rows."""

    metric: Metric
    model: SemanticModel
    time: DimensionName
    formula: exp.Expr
    summands: dict[str, Summand]

    @property
    def is_running(self) -> bool:
        """Tell whether it adds up all rows to the end of each period."""
        return self.metric.accumulation is not None


def plan_metric(compiled: Compiled, metric: Metric, limits: Limits) -> Planned:
    """Return the metric; Inexpressible says why a tool of these limits cannot have it."""
    reason = _find_reason(compiled.manifest, metric, limits)
    if reason is not None:
        raise Inexpressible(reason)
    try:
        plan(compiled, Question((metric.name,)))
    except (DefinitionError, QueryError) as error:
        raise Inexpressible(f"Gnomon refuses it: {str(error).removesuffix('.')}") from None
    draft = draft_question(compiled, Question((metric.name,)))
    formula = dict(draft.expanded.formulas)[metric.name]
    read = {column.name.removeprefix(HAS_PREFIX) for column in formula.find_all(exp.Column)}
    summands: dict[str, Summand] = {}
    times: list[DimensionName] = []
    for leaf, (block, value) in zip(draft.expanded.leaves, draft.placed.values, strict=True):
        if value.column not in read:
            continue
        assert isinstance(leaf, Leaf)
        summands[value.column] = Summand(leaf.metric, _check_block(block, limits), value)
        times.append(leaf.measure.time_dimension)
    if read - set(summands):
        raise Inexpressible("one of its values is a total over other groups than those that are asked for")
    models = list(dict.fromkeys(each.scan.alias for each in summands.values()))
    if len(models) > 1:
        raise Inexpressible(f"it is made of rows of {_join(models)}, {limits.several_tables}")
    if len(set(times)) > 1:
        raise Inexpressible(f"its parts are dated by {_join(list(dict.fromkeys(times)))}, {limits.several_times}")
    if not summands:
        raise Inexpressible("its formula reads no rows")
    return Planned(metric, compiled.manifest.models[ModelName(models[0])], times[0], formula, summands)


def draft_question(compiled: Compiled, question: Question) -> Draft:
    """Return a question with its formulas, and each of their values in the relation that it is aggregated in."""
    return place_leaves(compiled, expand_metrics(compiled, resolve_names(compiled, Draft(question))))


def _find_reason(manifest: Manifest, metric: Metric, limits: Limits) -> str | None:
    """Return why a tool has no form for a metric, by its own definition or by that of what it is made of."""
    if metric.documentation.missing_inputs:
        return "it is refused until all its inputs exist"
    if metric.kind is MetricKind.CONVERSION:
        return limits.conversion
    if metric.accumulation is not None and not (limits.has_running_totals and _is_running_total(metric)):
        return limits.accumulation
    if any(used.joins_spine for used in metric.measures):
        return limits.spine
    if any(used.offset is not None for used in metric.inputs):
        return limits.shift
    inner = [used.name for used in metric.inputs]
    if metric.documentation.minimum_units and metric.documentation.units is not None:
        inner.append(metric.documentation.units)
    for name in inner:
        reason = _find_reason(manifest, manifest.metrics[name], limits)
        if reason is None and manifest.metrics[name].accumulation is not None:
            reason = limits.inner_accumulation
        if reason is not None:
            return reason if reason.startswith("through ") else f"through '{name}': {reason}"
    return None


def _is_running_total(metric: Metric) -> bool:
    """Tell whether a metric adds up all there was, of which the end of a period has the last value."""
    how = metric.accumulation
    return how is not None and (how.window, how.to_date, how.period_value) == (None, None, PeriodValue.LAST)


def _check_block(block: Block, limits: Limits) -> Scan:
    scan = block.source
    if block.window is not None:
        kept = "last" if block.window.takes_last else "first"
        raise Inexpressible(f"each group takes the {kept} moment of its period only; {limits.window}")
    if not isinstance(scan, Scan) or scan.spread is not None or block.steps:
        raise Inexpressible(f"it needs the time spine, {limits.spine_join}")
    for join in scan.joins:
        if not isinstance(join.target, str):
            raise Inexpressible(f"its filter asks for another metric, {limits.metric_filter}")
        if not join.hops:
            raise Inexpressible(f"its filter speaks of a grain of the project's own, {limits.custom_grain}")
    return scan


def _join(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
