"""Random questions that a rollup should answer: over its own measures, dimensions and what its keys lead to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.core.names import MetricName
from gnomon.planner import Compiled, Plan, Question, plan
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Documentation, Manifest, MeasureInput, Metric, MetricKind, Rollup, SemanticModel
from gnomon.warehouse import Warehouse

QUESTIONS = 5  # for each rollup
_DRAWS = 60  # of which so many are hits, or the rollup is of no use
_VALUES = 20
_COARSER = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)


class Asker:
    """Draws questions about one rollup; the same seed draws the same ones."""

    def __init__(self, compiled: Compiled, model: SemanticModel, rollup: Rollup, rows: int, seed: str) -> None:
        self.compiled = compiled
        self._model = model
        self._rollup = rollup
        self._rows = {rollup.name: rows}
        self._rng = random.Random(f"{seed} {rollup.name}")
        self._names = tuple(_list_names(compiled, model, rollup))
        self._times = tuple(
            f"metric_time__{grain.value}" for grain in _COARSER if not grain.is_finer_than(rollup.grain)
        )

    def ask(self, warehouse: Warehouse) -> Iterator[tuple[Question, Plan, Plan]]:
        """Yield questions that the rollup answers, each with its plan and the one over the table itself.

        The first asks for the total of every measure in each period, so that no changed sum goes unseen.
        """
        found = 0
        kept = [name for name in self._rollup.measures if self._plan(Question((name,))) is not None]
        if not kept:
            return
        draws = [Question(tuple(kept), (f"metric_time__{self._rollup.grain.value}",), applies_floors=False)]
        for _ in range(_DRAWS):
            question = draws.pop() if draws else self._draw(warehouse, kept)
            planned = self._plan(question)
            if planned is not None:
                yield question, *planned
                found += 1
            if found == QUESTIONS:
                return

    def _plan(self, question: Question) -> tuple[Plan, Plan] | None:
        try:
            rolled = plan(self.compiled, question, self._rows)
            return (rolled, plan(self.compiled, question)) if rolled.rollups else None
        except QueryError:
            return None

    def _draw(self, warehouse: Warehouse, kept: list[Any]) -> Question:
        rng = self._rng
        measures = rng.sample(kept, rng.randint(1, min(3, len(kept))))
        groups = rng.sample(self._names, rng.randint(0, min(2, len(self._names))))
        if rng.random() < 0.7:
            groups.insert(0, rng.choice(self._times))
        where: tuple[str, ...] = ()
        if rng.random() < 0.5 and self._rollup.dimensions:
            where = tuple(self._draw_filter(warehouse, rng.choice(self._rollup.dimensions)))
        start = end = None
        if rng.random() < 0.4:
            start, end = self._draw_range(warehouse)
        return Question(
            tuple(measures), tuple(dict.fromkeys(groups)), where, start=start, end=end, applies_floors=False
        )

    def _draw_filter(self, warehouse: Warehouse, word: str) -> Iterator[str]:
        reference = self.compiled.reference(word)
        if reference.grain is not None:
            return
        column = exp.column(reference.name, quoted=True)
        query = exp.select(column.as_("value")).distinct().from_(_table(self._rollup)).order_by(column).limit(_VALUES)
        values = warehouse.query(query.sql(dialect="duckdb")).column("value").to_pylist()
        kind = "Dimension" if reference.links else "Entity"
        if values:
            yield f"{{{{ {kind}('{word}') }}}} {_write_condition(self._rng.choice(values))}"

    def _draw_range(self, warehouse: Warehouse) -> tuple[datetime | None, datetime | None]:
        column = exp.column(f"metric_time__{self._rollup.grain.value}", quoted=True)
        query = exp.select(exp.Min(this=column).as_("first"), exp.Max(this=column.copy()).as_("last"))
        (row,) = warehouse.query(query.from_(_table(self._rollup)).sql(dialect="duckdb")).to_pylist()
        if row["first"] is None:
            return None, None
        first, last = _as_moment(row["first"]), _as_moment(row["last"])
        start, end = sorted(first + (last - first) * self._rng.random() for _ in range(2))
        return _begin_day(start), _begin_day(end)


def name_measures(manifest: Manifest) -> Manifest:
    """Return the manifest with one plain metric for each measure, of its name, and no other."""
    metrics = {
        MetricName(measure): Metric(
            name=MetricName(measure),
            kind=MetricKind.SIMPLE,
            description="",
            filters=(),
            measure=MeasureInput(measure, (), None, False),
            inputs=(),
            expr=None,
            time_grain=None,
            documentation=Documentation(),
        )
        for measure in manifest.measure_models
    }
    return replace(manifest, metrics=metrics, saved_queries={})


def describe(question: Question) -> str:
    """Return a question in words, as a refusal names it."""
    text = ", ".join(question.metrics)
    text += f" by {', '.join(question.group_by)}" if question.group_by else " in all"
    text += f" where {' and '.join(question.where)}" if question.where else ""
    return text + (f" from {question.start} to {question.end}" if question.start else "")


def _list_names(compiled: Compiled, model: SemanticModel, rollup: Rollup) -> Iterator[str]:
    yield from rollup.dimensions
    for name, found in sorted(compiled.closure(model).items()):
        if len(found) == 1 and found[0].hops and found[0].hops[0].link in rollup.dimensions:
            grain = found[0].grain
            yield name if grain is None else f"{name}__{grain.value}"


def _table(rollup: Rollup) -> exp.Table:
    return exp.to_table(rollup.relation, dialect="duckdb")


def _write_condition(value: object) -> str:
    if value is None:
        return "is null"
    if isinstance(value, bool):
        return f"= {'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"= {value}"
    return "= " + exp.Literal.string(str(value)).sql(dialect="duckdb")


def _as_moment(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def _begin_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
