"""A metric as the planner sees it, which is what is exported: a formula over values, each of rows under tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.core.names import DimensionName, MetricName, ModelName
from gnomon.planner import Compiled, Question, plan
from gnomon.planner.algebra import HAS_PREFIX, Block, Condition, Scan, Value
from gnomon.planner.draft import Draft, Leaf
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.place_leaves import place_leaves
from gnomon.planner.resolve_names import resolve_names
from gnomon.planner.restrict_rows import restrict_rows
from gnomon.planner.share_blocks import share_blocks
from gnomon.publish.cube.model import Inexpressible
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Metric, MetricKind, PeriodValue, SemanticModel


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


def plan_metric(compiled: Compiled, metric: Metric) -> Planned:
    """Return the metric; Inexpressible says why a Cube model cannot have it."""
    reason = _find_reason(compiled.manifest, metric)
    if reason is not None:
        raise Inexpressible(reason)
    try:
        plan(compiled, Question((metric.name,)))
    except (DefinitionError, QueryError) as error:
        raise Inexpressible(f"Gnomon refuses it: {str(error).removesuffix('.')}") from None
    draft = _draft(compiled, Question((metric.name,)))
    formula = dict(draft.expanded.formulas)[metric.name]
    read = {column.name.removeprefix(HAS_PREFIX) for column in formula.find_all(exp.Column)}
    summands: dict[str, Summand] = {}
    times: list[DimensionName] = []
    for leaf, (block, value) in zip(draft.expanded.leaves, draft.placed.values, strict=True):
        if value.column not in read:
            continue
        assert isinstance(leaf, Leaf)
        summands[value.column] = Summand(leaf.metric, _check_block(block), value)
        times.append(leaf.measure.time_dimension)
    models = list(dict.fromkeys(each.scan.alias for each in summands.values()))
    if len(models) > 1:
        raise Inexpressible(f"it is made of rows of {_join(models)}, and Cube would join the tables before it adds up")
    if len(set(times)) > 1:
        raise Inexpressible(
            f"its parts are dated by {_join(list(dict.fromkeys(times)))}, and a query of Cube has one time for all"
        )
    if not summands:
        raise Inexpressible("its formula reads no rows")
    model = compiled.manifest.models[ModelName(models[0])]
    grain = model.dimensions[times[0]].grain or Grain.DAY
    if grain.is_finer_than(Grain.SECOND):
        raise Inexpressible(f"its time '{times[0]}' is kept by {grain.value}, and Cube cuts times to milliseconds")
    planned = Planned(metric, model, times[0], formula, summands)
    if planned.is_running:
        _check_running(planned)
    return planned


def plan_restricted(compiled: Compiled, metric: MetricName, groups: Sequence[str], rows: Sequence[str]) -> list[Scan]:
    """Return the scans of a question under row filters; QueryError if it is refused."""
    draft = _draft(compiled, Question((metric,), tuple(groups), row_filters=tuple(rows)))
    answer = restrict_rows(compiled, share_blocks(compiled, draft)).answer
    return [block.source for block, _ in answer.blocks if isinstance(block.source, Scan)]


def _draft(compiled: Compiled, question: Question) -> Draft:
    return place_leaves(compiled, expand_metrics(compiled, resolve_names(compiled, Draft(question))))


def _find_reason(manifest: Manifest, metric: Metric) -> str | None:
    """Return why Cube has no form for a metric, by its own definition or by that of what it is made of."""
    if metric.documentation.missing_inputs:
        return "it is refused until all its inputs exist"
    if metric.kind is MetricKind.CONVERSION:
        return "it pairs acts with the act that they follow, for which Cube has no form"
    if metric.accumulation is not None and not _is_running_total(metric):
        return (
            "it adds up over a window: Cube's rolling_window takes it at the end of each period, where Gnomon takes "
            "the value of one of the period's days"
        )
    if any(used.joins_spine for used in metric.measures):
        return "it has a value in periods without rows, which Cube takes from no table"
    if any(used.offset is not None for used in metric.inputs):
        return "it looks back in time, which Cube does with its Tesseract planner only; equality was not shown"
    inner = [used.name for used in metric.inputs]
    if metric.documentation.minimum_units and metric.documentation.units is not None:
        inner.append(metric.documentation.units)
    for name in inner:
        reason = _find_reason(manifest, manifest.metrics[name])
        if reason is None and manifest.metrics[name].accumulation is not None:
            reason = "it adds up over time, which Cube does for a metric by itself only"
        if reason is not None:
            return reason if reason.startswith("through ") else f"through '{name}': {reason}"
    return None


def _is_running_total(metric: Metric) -> bool:
    """Tell whether a metric adds up all there was, of which the end of a period has the last value."""
    how = metric.accumulation
    return how is not None and (how.window, how.to_date, how.period_value) == (None, None, PeriodValue.LAST)


def _check_running(planned: Planned) -> None:
    """Refuse a running total that is more than one sum of rows, or of rows that are chosen by their time."""
    if not isinstance(planned.formula, exp.Column):
        raise Inexpressible("it is more than a sum that adds up over time, which Cube does for one sum only")
    time = planned.model.dimensions[planned.time].expr
    (summand,) = planned.summands.values()
    columns = [column for test in summand.scan.tests if isinstance(test, Condition) for column in test.columns]
    if any(column.table == summand.scan.alias and column.expr == time for column in columns):
        raise Inexpressible("its filter speaks of the time that it adds up over")


def _check_block(block: Block) -> Scan:
    scan = block.source
    if block.window is not None:
        kept = "last" if block.window.takes_last else "first"
        raise Inexpressible(f"each group takes the {kept} moment of its period only; Cube would add up all of them")
    if not isinstance(scan, Scan) or scan.spread is not None or block.steps:
        raise Inexpressible("it needs the time spine, which Cube does not join")
    for join in scan.joins:
        if not isinstance(join.target, str):
            raise Inexpressible("its filter asks for another metric, for which Cube has no form")
        if not join.hops:
            raise Inexpressible("its filter speaks of a grain of the project's own, for which Cube has no form")
    return scan


def _join(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
