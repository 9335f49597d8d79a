"""Pass 10: a relation is read from the smallest rollup that holds all of it; every miss has a reason.

A rollup is used where each column that is read from the fact's own rows is one of its columns, at a
grain that its periods add up to, and each value is a measure of it that can be added up further. Joined
attributes stay joined: the rollup has the key. The answer is the same to the last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.core.names import ModelName
from gnomon.planner.algebra import (
    Answer,
    Argument,
    Block,
    Bound,
    Column,
    Condition,
    Conversions,
    Given,
    Join,
    Part,
    Scan,
    Spread,
    Test,
    Top,
    Value,
)
from gnomon.planner.compiled import Compiled
from gnomon.planner.count_units import is_indicator
from gnomon.planner.draft import Draft
from gnomon.planner.sql_parts import alias, argument, combine, read, select, table
from gnomon.semantic.grain import DatePart, Grain
from gnomon.semantic.model import Aggregation, Measure, Rollup, SemanticModel

TIME = "metric_time"
_ADDED_UP = {Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.AVERAGE}
# An average is kept as the sum and the number of its values.
_SUM, _COUNT = "__sum", "__count"


class MissError(Exception):
    """Why a rollup does not fit."""


def choose_rollups(compiled: Compiled, draft: Draft) -> Draft:
    """Read the answer, and every answer inside it, from the rollups that exist."""
    # Rollups are kept in UTC.
    choice = _Choice(compiled.in_zone(None), draft.sizes)
    answer = choice.read(draft.answer)
    return replace(draft, answer=answer, rollups=tuple(choice.used), why=(*draft.why, *choice.why))


class _Choice:
    """Chooses what each relation is read from, and remembers why."""

    def __init__(self, compiled: Compiled, sizes: Mapping[str, int]) -> None:
        self._compiled = compiled
        self._sizes = sizes
        # Each once, in the order in which they were found.
        self.used: dict[str, None] = {}
        self.why: dict[str, None] = {}

    def read(self, answer: Answer) -> Answer:
        return replace(
            answer,
            blocks=tuple(self._read_block(block, values) for block, values in answer.blocks),
            totals=tuple(map(self.read, answer.totals)),
            variances=tuple(
                replace(each, parts=tuple(self._read_block(block, values) for block, values in each.parts))
                for each in answer.variances
            ),
        )

    def _read_block(self, block: Block, values: tuple[Value, ...]) -> Part:
        match block.source:
            case Answer():
                return replace(block, source=self.read(block.source)), values
            case Conversions(base):
                self._say(base.scan.alias, "its own table, as conversions are paired row by row")
                return block, values
        scan = replace(block.source, joins=tuple(map(self._read_joined, block.source.joins)))
        block = replace(block, source=scan)
        if not values:
            self._say(scan.alias, "its own table, as its values are listed and not added up")
            return block, values
        model = self._compiled.manifest.models[ModelName(scan.alias)]
        candidates = [each for each in model.rollups if each.name in self._sizes]
        if not candidates:
            self._say(scan.alias, "its own table, as it has no rollup")
        for rollup in sorted(candidates, key=lambda each: (self._sizes[each.name], len(each.dimensions), each.name)):
            try:
                chosen = Reading(self._compiled, model, rollup).move(block, values)
            except MissError as miss:
                self._say(scan.alias, f"not rollup {rollup.name}: {miss}")
                continue
            self.used[rollup.name] = None
            self._say(scan.alias, f"rollup {rollup.name}, {self._sizes[rollup.name]:,} rows")
            return chosen
        return block, values

    def _read_joined(self, join: Join) -> Join:
        match join.target:
            case Answer():
                return replace(join, target=self.read(join.target))
            case Top():
                return replace(join, target=replace(join.target, answer=self.read(join.target.answer)))
        return join

    def _say(self, table_name: str, what: str) -> None:
        self.why[f"{table_name}: {what}"] = None


def write_rollup(compiled: Compiled, model: SemanticModel, rollup: Rollup) -> exp.Select:
    """Return the SELECT that makes a rollup's table; DefinitionError if it names what is not there."""
    reading = Reading(compiled, model, rollup)
    columns = [alias(read(column), name) for column, name in reading.columns.items()]
    totals = []
    for name in rollup.measures:
        for value in reading.keep(model.measures[name]):
            totals.append(alias(combine(value, argument(value.argument)), value.column))
    return select([*columns, *totals], table(model.relation, str(model.name)), group=len(columns))


class Reading:
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
        """Return the block and its values over the rollup; MissError if it does not hold all of it."""
        scan = block.source
        assert isinstance(scan, Scan)
        if not isinstance(scan.relation, str):
            raise MissError("its rows are filtered before they are joined")
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
                raise MissError("an average at the edge of a window is of single rows")
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
            given = value.argument.given
            given = None if given is None else self._given(given)
            return replace(value, argument=Argument(self._column(value.argument.column), given=given))
        if value.aggregation not in _ADDED_UP:
            raise MissError(f"'{value.measure}' cannot be added up")
        if value.measure not in self._rollup.measures:
            raise MissError(f"it does not have '{value.measure}'")
        here = str(self._model.name)
        if value.aggregation is not Aggregation.AVERAGE:
            return replace(value, argument=Argument(Column(here, value.measure)))
        total, count = Column(here, value.measure + _SUM), Column(here, value.measure + _COUNT)
        return replace(value, argument=Argument(total, weight=count))

    def _given(self, given: Given) -> Given:
        """Return the same rows of the rollup: one of its rows contributes if one of those behind it does."""
        value = given.value
        if given.is_rest:
            raise MissError(f"it does not say whose rows '{value.measure}' leaves out")
        is_count = value.argument.is_count or is_indicator(value.argument.column.expr)
        if value.aggregation is Aggregation.SUM and not is_count:
            raise MissError(f"a sum of '{value.measure}' that is zero does not say that all of its rows are")
        return Given(self._value(value), more_keys=tuple(map(self._column, given.more_keys)))

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
            # A period lies between the bounds if its start does, as they are ends of whole periods.
            return replace(test, column=self._column(test.column._replace(grain=test.grain))._replace(grain=None))
        assert isinstance(test, Condition)
        return replace(test, columns=tuple(map(self._column, test.columns)))

    def _exactly(self, column: Column) -> Column:
        """A moment must be the very one: an earlier or a later row of its period may be another one."""
        if column.table == self._model.name and column.grain is not self._rollup.grain:
            raise MissError(f"it does not keep each {self._base_grain.value}")
        return self._column(column)

    def _column(self, column: Column) -> Column:
        if column.table != self._model.name:
            return column
        if column.zone is not None:
            raise MissError("its periods are of UTC")
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
                if column.grain is not None and adds_up(kept.grain, column.grain):
                    return Column(here, name, column.grain)
        if column.expr == self._time_expr:
            wanted = column.grain.value if column.grain else "moment" if column.part is None else column.part.value
            raise MissError(f"its {self._rollup.grain.value} does not say the {wanted}")
        raise MissError(f"it does not have '{column.expr}'")


def adds_up(kept: Grain, asked: Grain) -> bool:
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
