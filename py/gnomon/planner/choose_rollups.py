"""Pass 10: a relation is read from the smallest rollup that holds all of it; every miss has a reason.

A rollup is used where each column that is read from the fact's own rows is one of its columns, at a
grain that its periods add up to, and each value is a measure of it that can be added up further. Attributes
of other tables are columns of the rollup, or stay joined by a key that it has. The answer is the same to the
last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace

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
from gnomon.planner.copy import Copy
from gnomon.planner.count_units import is_indicator
from gnomon.planner.draft import Draft
from gnomon.planner.filters import Filter
from gnomon.planner.join_entities import Rows, read_attribute
from gnomon.planner.sql_parts import alias, argument, combine, read, select, table
from gnomon.planner.write_scan import write_joins
from gnomon.semantic.grain import CustomGrain, DatePart, Grain
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
    choice = _Choice(compiled.in_zone(None), draft.sizes, draft.copy)
    answer = choice.read(draft.answer)
    return replace(draft, answer=answer, rollups=tuple(choice.used), why=(*draft.why, *choice.why))


class _Choice:
    """Chooses what each relation is read from, and remembers why."""

    def __init__(self, compiled: Compiled, sizes: Mapping[str, int], copy: Copy | None) -> None:
        self._compiled = compiled
        self._sizes = sizes
        self._copy = copy
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
                self._check_joins(chosen[0])
            except MissError as miss:
                self._say(scan.alias, f"not rollup {rollup.name}: {miss}")
                continue
            self.used[rollup.name] = None
            self._say(scan.alias, f"rollup {rollup.name}, {self._sizes[rollup.name]:,} rows")
            return chosen
        return block, values

    def _check_joins(self, block: Block) -> None:
        """MissError if a copy does not hold what is joined to its rollup: a larger one may hold the attributes."""
        assert isinstance(block.source, Scan)
        for target in (join.target for join in block.source.joins):
            if self._copy is not None and isinstance(target, str) and self._copy.find(target) is None:
                raise MissError(f"the copy does not hold {target.rpartition('.')[2]}, which would be joined to it")

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
    joins = list(write_joins(reading.joins, _refuse_answer))
    return select([*columns, *totals], table(model.relation, str(model.name)), joins=joins, group=len(columns))


def _refuse_answer(_: object) -> exp.Select:
    raise AssertionError("a rollup joins tables only")


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
        # Columns of the fact and of what is joined to it, and what they are called in the rollup.
        self.columns: dict[Column, str] = {
            Column(str(model.name), time.expr, rollup.grain): f"{TIME}__{rollup.grain.value}"
        }
        rows = Rows()
        for word in rollup.dimensions:
            column = self._read_dimension(compiled, word, rows)
            self.columns[column._replace(is_date=False, is_key=False)] = compiled.reference(word).name
        self.joins = rows.in_order

    def _read_dimension(self, compiled: Compiled, word: str, rows: Rows) -> Column:
        model, rollup, reference = self._model, self._rollup, compiled.reference(word)
        attribute = compiled.find(rollup.name, model.measures[rollup.measures[0]], reference)
        column = read_attribute(compiled, model, attribute, reference, rows, None)
        why = ""
        if any(compiled.manifest.models[hop.model].validity is not None for hop in attribute.hops):
            why = "stands in rows that count for a period only, and a rollup has one row for all moments of its period"
        elif column.is_marked:
            why = "is computed in another table, where rows that are not there would have a value"
        elif isinstance(reference.grain, CustomGrain):
            why = "is a period of the project's own, which a rollup does not keep"
        if why:
            raise DefinitionError(
                f"semantic model '{model.name}', rollup '{rollup.name}': '{word}' {why}. Name the entity that leads "
                f"there: '{reference.links[0]}'."
            )
        return column

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
        self._known = {str(self._model.name), *(join.alias for join in scan.joins if self._holds(join))}
        moved = replace(
            scan,
            relation=self._rollup.relation,
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
        values = tuple(map(self._value, values))
        rest = Block(replace(moved, joins=()), groups, window)
        moved = replace(moved, joins=self._keep_joins(scan.joins, _read_tables((rest, values))))
        return replace(block, source=moved, groups=groups, window=window), values

    def _holds(self, join: Join) -> bool:
        """Tell whether it is a join of which the rollup holds attributes: of whole rows, found by the same keys."""
        return any(join == replace(own, marks=join.marks) for own in self.joins)

    def _keep_joins(self, joins: tuple[Join, ...], read: set[str]) -> tuple[Join, ...]:
        """Return the joins without those of which the rollup holds all that is read, each over the rollup."""
        kept: list[Join] = []
        for join in reversed(joins):
            if join.alias in self._known and join.alias not in read:
                continue
            kept.append(self._join(join))
            read = read | _read_tables((kept[-1].equal, kept[-1].validity))
        return tuple(reversed(kept))

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
        if column.table not in self._known:
            return column
        is_own = column.table == self._model.name
        if column.zone is not None:
            raise MissError("its periods are of UTC")
        # What else is known of the column makes it no other one.
        asked, column = column, column._replace(is_date=False, is_key=False)
        here = str(self._model.name)
        name = self.columns.get(column)
        if name is not None:
            return Column(here, name)
        for kept, name in self.columns.items():
            if (kept.table, kept.expr) == (column.table, column.expr) and kept.grain is not None:
                if column.part is not None and _knows_part(kept.grain, column.part):
                    return Column(here, name, part=column.part)
                if column.grain is not None and adds_up(kept.grain, column.grain):
                    return Column(here, name, column.grain)
        if not is_own:
            return asked
        if column.expr == self._time_expr:
            wanted = column.grain.value if column.grain else "moment" if column.part is None else column.part.value
            raise MissError(f"its {self._rollup.grain.value} does not say the {wanted}")
        raise MissError(f"it does not have '{column.expr}'")


def _read_tables(node: object) -> set[str]:
    """Return the names of the tables whose columns stand anywhere in a relation."""
    if isinstance(node, Column):
        return {node.table}
    if isinstance(node, tuple):
        return set().union(*map(_read_tables, node))
    if is_dataclass(node) and not isinstance(node, type | Filter):
        return set().union(*(_read_tables(getattr(node, each.name)) for each in fields(node)))
    return set()


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
