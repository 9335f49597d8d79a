"""Pass 8: a relation is read from the smallest rollup that holds all of it; every miss has a reason.

A rollup is used where each column that is read from the fact's own rows is one of its columns, at a
grain that its periods add up to, and each value is a measure of it that can be added up further. Joined
attributes stay joined: the rollup has the key. The answer is the same to the last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.planner.algebra import Answer, Argument, Block, Bound, Column, Condition, Join, Scan, Spread, Test, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.sql_parts import alias, argument, combine, read, select, table
from gnomon.semantic.grain import DatePart, Grain
from gnomon.semantic.model import Aggregation, Measure, Rollup, SemanticModel

TIME = "metric_time"
_ADDED_UP = {Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.AVERAGE}
# An average is kept as the sum and the number of its values.
_SUM, _COUNT = "__sum", "__count"


@dataclass(frozen=True)
class Chosen:
    """An answer over rollups where they fit, their names, and why each block reads what it reads."""

    answer: Answer
    rollups: tuple[str, ...]
    why: tuple[str, ...]


class _MissError(Exception):
    """Why a rollup does not fit."""


def choose_rollups(compiled: Compiled, answer: Answer, rows: Mapping[str, int]) -> Chosen:
    """Return the answer read from rollups; `rows` are the sizes of those that exist, by name."""
    blocks, used, why = [], [], []
    totals = tuple(choose_rollups(compiled, total, rows) for total in answer.totals)
    for block, values in answer.blocks:
        model = _model_of(compiled, block, values)
        candidates = [each for each in model.rollups if each.name in rows] if model is not None else []
        table_name = model.name if model is not None else "an answer"
        chosen = (block, values)
        if not candidates:
            why.append(f"{table_name}: its own table, as it has no rollup")
        for rollup in sorted(candidates, key=lambda each: (rows[each.name], len(each.dimensions), each.name)):
            assert model is not None
            try:
                chosen = _Reading(compiled, model, rollup).move(block, values)
            except _MissError as miss:
                why.append(f"{table_name}: not rollup {rollup.name}: {miss}")
                continue
            used.append(rollup.name)
            why.append(f"{table_name}: rollup {rollup.name}, {rows[rollup.name]:,} rows")
            break
        blocks.append(chosen)
    for total in totals:
        used += total.rollups
        why += total.why
    chosen_answer = replace(answer, blocks=tuple(blocks), totals=tuple(total.answer for total in totals))
    return Chosen(chosen_answer, tuple(dict.fromkeys(used)), tuple(dict.fromkeys(why)))


def write_rollup(compiled: Compiled, model: SemanticModel, rollup: Rollup) -> exp.Select:
    """Return the SELECT that makes a rollup's table; DefinitionError if it names what is not there."""
    reading = _Reading(compiled, model, rollup)
    columns = [alias(read(column), name) for column, name in reading.columns.items()]
    totals = []
    for name in rollup.measures:
        for value in reading.keep(model.measures[name]):
            totals.append(alias(combine(value, argument(value.argument)), value.column))
    return select([*columns, *totals], table(model.relation, str(model.name)), group=len(columns))


def _model_of(compiled: Compiled, block: Block, values: tuple[Value, ...]) -> SemanticModel | None:
    if not isinstance(block.source, Scan) or not values:
        return None
    return next(model for model in compiled.manifest.models.values() if model.name == block.source.alias)


class _Reading:
    """Reads a model's columns from a rollup."""

    def __init__(self, compiled: Compiled, model: SemanticModel, rollup: Rollup) -> None:
        self._model = model
        self._rollup = rollup
        times = {model.measures[name].time_dimension for name in rollup.measures}
        if len(times) != 1:
            raise DefinitionError(
                f"semantic model '{model.name}', rollup '{rollup.name}': its measures are counted at {len(times)} "
                "different times. Make a rollup for each."
            )
        time = model.dimensions[times.pop()]
        self._time_expr = time.expr
        if time.grain is None or rollup.grain.is_finer_than(time.grain):
            raise DefinitionError(
                f"semantic model '{model.name}', rollup '{rollup.name}': its table is not kept by {rollup.grain.value}."
            )
        self._base_grain = time.grain
        # Columns of the fact, and what they are called in the rollup.
        self.columns: dict[Column, str] = {
            Column(str(model.name), time.expr, rollup.grain): f"{TIME}__{rollup.grain.value}"
        }
        for word in rollup.dimensions:
            reference = compiled.reference(word)
            attribute = compiled.find(rollup.name, model.measures[rollup.measures[0]], reference)
            if attribute.hops:
                raise DefinitionError(
                    f"semantic model '{model.name}', rollup '{rollup.name}': '{word}' stands in another table. "
                    f"Name the entity that leads there: '{reference.links[0]}'."
                )
            grain = reference.grain or attribute.grain
            assert grain is None or isinstance(grain, Grain)
            self.columns[Column(str(model.name), attribute.expr, grain)] = reference.name

    def keep(self, measure: Measure) -> Iterator[Value]:
        """Yield what a rollup keeps of a measure: nothing if it can be had from a column, or not at all."""
        column = Column(str(self._model.name), measure.expr)
        present = Argument(column, counts_present=True)
        match measure.aggregation:
            case Aggregation.SUM_BOOLEAN:
                kept = [(str(measure.name), Aggregation.SUM, Argument(column, counts_true=True))]
            case Aggregation.COUNT:
                kept = [(str(measure.name), Aggregation.SUM, present)]
            case Aggregation.SUM | Aggregation.MIN | Aggregation.MAX:
                kept = [(str(measure.name), measure.aggregation, Argument(column))]
            case Aggregation.AVERAGE:
                total = (measure.name + _SUM, Aggregation.SUM, Argument(column))
                kept = [total, (measure.name + _COUNT, Aggregation.SUM, present)]
            case _:
                kept = []
        for called, aggregation, taken in kept:
            yield Value(called, measure.name, aggregation, taken, None, None, True)

    def move(self, block: Block, values: tuple[Value, ...]) -> tuple[Block, tuple[Value, ...]]:
        """Return the block and its values over the rollup; _MissError if it does not hold all of it."""
        scan = block.source
        assert isinstance(scan, Scan)
        if not isinstance(scan.relation, str):
            raise _MissError("its rows are filtered before they are joined")
        moved = replace(
            scan,
            relation=self._rollup.relation,
            joins=tuple(map(self._join, scan.joins)),
            tests=tuple(map(self._test, scan.tests)),
            spread=None if scan.spread is None else self._spread(scan.spread),
        )
        window = block.window
        if window is not None:
            if any(value.aggregation is Aggregation.AVERAGE for value in values):
                raise _MissError("an average at the edge of a window is of single rows")
            window = replace(
                window,
                moment=self._exactly(window.moment),
                partitions=tuple(map(self._column, window.partitions)),
                groupings=tuple(map(self._column, window.groupings)),
            )
        groups = tuple((name, self._column(column)) for name, column in block.groups)
        return replace(block, source=moved, groups=groups, window=window), tuple(map(self._value, values))

    def _value(self, value: Value) -> Value:
        if value.aggregation is Aggregation.COUNT_DISTINCT:
            # Distinct keys that are a column of the rollup can be counted in it.
            return replace(value, argument=Argument(self._column(value.argument.column)))
        if value.aggregation not in _ADDED_UP:
            raise _MissError(f"'{value.measure}' cannot be added up")
        if value.measure not in self._rollup.measures:
            raise _MissError(f"it does not have '{value.measure}'")
        here = str(self._model.name)
        if value.aggregation is not Aggregation.AVERAGE:
            return replace(value, argument=Argument(Column(here, value.measure)))
        total, count = Column(here, value.measure + _SUM), Column(here, value.measure + _COUNT)
        return replace(value, argument=Argument(total, weight=count))

    def _spread(self, spread: Spread) -> Spread:
        # The moment keeps its grain: by it the rows are joined.
        return replace(spread, moment=self._column(spread.moment)._replace(grain=spread.moment.grain))

    def _join(self, join: Join) -> Join:
        equal = tuple((self._column(left), right) for left, right in join.equal)
        validity = join.validity
        if validity is not None:
            validity = replace(validity, moment=self._exactly(validity.moment))
        return replace(join, equal=equal, validity=validity)

    def _test(self, test: Test) -> Test:
        if isinstance(test, Bound):
            return replace(test, column=self._column(test.column))
        assert isinstance(test, Condition)
        return replace(test, columns=tuple(map(self._column, test.columns)))

    def _exactly(self, column: Column) -> Column:
        """A moment must be the very one: an earlier or a later row of its period may be another one."""
        if column.table == self._model.name and column.grain is not self._rollup.grain:
            raise _MissError(f"it does not keep each {self._base_grain.value}")
        return self._column(column)

    def _column(self, column: Column) -> Column:
        if column.table != self._model.name:
            return column
        if column.zone is not None:
            raise _MissError("its periods are of UTC")
        # What else is known of the column makes it no other one.
        column = column._replace(is_date=False, is_key=False)
        here = str(self._model.name)
        name = self.columns.get(column)
        if name is not None:
            return Column(here, name)
        for kept, name in self.columns.items():
            if kept.expr == column.expr and kept.grain is not None:
                if column.part is not None and _knows_part(kept.grain, column.part):
                    return Column(here, name, part=column.part)
                if column.grain is not None and _adds_up(kept.grain, column.grain):
                    return Column(here, name, column.grain)
        if column.expr == self._time_expr:
            wanted = column.grain.value if column.grain else "moment" if column.part is None else column.part.value
            raise _MissError(f"its {self._rollup.grain.value} does not say the {wanted}")
        raise _MissError(f"it does not have '{column.expr}'")


def _adds_up(kept: Grain, asked: Grain) -> bool:
    """Tell whether periods of `kept` make whole periods of `asked`."""
    if kept is Grain.WEEK:
        return asked is Grain.WEEK
    return not asked.is_finer_than(kept)


def _knows_part(kept: Grain, part: DatePart) -> bool:
    return kept is not Grain.WEEK and not part.coarsest_grain.is_finer_than(kept)


def list_rollups(compiled: Compiled) -> Iterator[tuple[SemanticModel, Rollup]]:
    """Yield every rollup with its semantic model."""
    for model in compiled.manifest.models.values():
        for rollup in model.rollups:
            yield model, rollup
