"""The cubes of one semantic model: its own, and one for each way from its rows to another table's.

No cube is joined from two sides, so no attribute can be reached by two ways, no join repeats rows, and two tables
of facts are never joined: a question that would need it finds no path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import QueryError, join_names
from gnomon.core.names import DimensionName, MeasureName, ModelName
from gnomon.planner import Compiled
from gnomon.planner import algebra as plan
from gnomon.planner.compiled import Attribute
from gnomon.planner.join_entities import Rows, read_attribute
from gnomon.planner.sql_parts import (
    aggregate,
    all_of,
    any_of,
    argument,
    case,
    cast,
    equals,
    is_null,
    is_there,
    name,
    read,
    word,
    write_tests,
)
from gnomon.publish.cube.model import Cube, Dimension, Join, Kind, Measure, Segment
from gnomon.publish.cube.sql import escape, write_sql
from gnomon.publish.planned import Inexpressible, Planned, Summand
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Aggregation, EntityKind, SemanticModel

# What the values of each piece of SQL over a model's own table are; None where Cube has no word for them.
Kinds = Mapping[tuple[ModelName, str], Kind | None]

TIME_PREFIX = "metric_time__by_"
SEGMENT_PREFIX = "only__"
_ROW_KEY = "row_key"
_ADDITIVE = (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX)
_AGGREGATES = {
    Aggregation.SUM: "sum",
    Aggregation.MIN: "min",
    Aggregation.MAX: "max",
    Aggregation.AVERAGE: "avg",
    Aggregation.COUNT_DISTINCT: "count_distinct",
    # Cube has none of its own, so the whole aggregate is the formula.
    Aggregation.PERCENTILE: "number",
}


class Root:
    """One semantic model with metrics, as cubes; `left_out` are the names that Cube cannot have, with the reason."""

    def __init__(self, compiled: Compiled, model: SemanticModel, kinds: Kinds) -> None:
        self._compiled = compiled
        self._kinds = kinds
        self._measures: dict[object, str] = {}
        self._additive: dict[str, MeasureName | None] = {}
        self.model = model
        self._alias = called = str(model.name)
        # Cube takes a name for a member before it takes it for a cube.
        while called in compiled.manifest.metrics or called in compiled.closure(model):
            called += "_rows"
        self.own = Cube(called, model.relation, escape(model.description.strip()))
        self.cubes = {self._alias: self.own}
        self.paths = {self._alias: called}
        self.left_out: dict[str, str] = {}
        for called, found in sorted(compiled.closure(model).items()):
            try:
                self._add_attribute(called, found)
            except (Inexpressible, QueryError) as reason:
                self.left_out[called] = str(reason)
        if not any(each.is_key for each in self.own.dimensions.values()):
            # Cube asks for a key before it joins. It reads one only where joins repeat rows, and here none does.
            self.own.dimensions[_ROW_KEY] = Dimension(_ROW_KEY, Kind.NUMBER, "{CUBE}.rowid", is_key=True)

    def add_time(self, time: DimensionName) -> str:
        """Return the dimension that is metric_time for what is dated by `time`."""
        called = f"{TIME_PREFIX}{time}"
        if called not in self.own.dimensions:
            self.own.dimensions[called] = Dimension(called, Kind.TIME, self._write_time(self._moment(time)))
        return called

    def add_metric(self, planned: Planned, told: Measure) -> None:
        """Add a metric with all that it is made of; `told` is what its measure says to people.

        Simple metrics come first, so that what others are made of has their names.
        """
        called = told.name
        if called in self.own.dimensions:
            raise Inexpressible("an attribute of its table has the same name")
        for summand in planned.summands.values():
            self._check_summand(summand, planned.is_running)
            self.place(summand.scan.joins)
        formula, only = planned.formula, None
        if isinstance(formula, exp.Column):
            only = planned.summands[formula.name]
        if only is not None and only.value.aggregation is not Aggregation.COUNT_DISTINCT:
            made = self._measure(only, wanted=called, is_running=planned.is_running)
            if made == called:
                self._tell(told, self.own.measures[called])
                return
        if isinstance(formula, exp.Coalesce) and planned.metric.measure is not None:
            # A question that is forbidden is answered by Cube over no rows: nothing is filled there.
            formula = case(is_there(name(self._count_rows(()))), self._refer(planned, formula))
        else:
            formula = self._refer(planned, formula)
        self._tell(told, Measure(called, "number", write_sql(formula, lambda column: f"CUBE.{column.name}")))

    def attributes(self, alias: str) -> list[str]:
        """Return the names of a cube's dimensions that are attributes of rows, and not metric_time or a key's."""
        known = self._compiled.closure(self.model)
        return [name for name in self.cubes[alias].dimensions if name in known]

    def list_times(self, time: DimensionName) -> list[str]:
        """Return the attributes that are the time `time` of the rows themselves."""
        closure = self._compiled.closure(self.model)
        return [name for name, (each, *_) in sorted(closure.items()) if not each.hops and each.time_dimension == time]

    def list_passing(self) -> list[str]:
        """Return the attributes that are joined as they were at the time."""
        models, closure = self._compiled.manifest.models, self._compiled.closure(self.model)
        return [
            name for name, found in sorted(closure.items()) if any(models[hop.model].validity for hop in found[0].hops)
        ]

    def place_condition(self, condition: plan.Condition, called: str) -> str:
        """Return the one cube that a condition speaks of; its dimension `called` now says 'yes' where it holds."""
        (alias,) = {column.table for column in condition.columns}
        (tree,) = write_tests([condition])
        self.cubes[alias].dimensions[called] = Dimension(
            called, Kind.STRING, self._write(case(tree, word("yes")), alias)
        )
        return alias

    def keep_in_rollup(self, measures: Collection[MeasureName]) -> tuple[str, ...]:
        """Return Cube's measures that a rollup of these measures can keep: values of parts that make the whole's."""
        kept = [called for called, measure in self._additive.items() if measure in measures]
        rows = [called for called, measure in self._additive.items() if measure is None]
        return (*kept, *rows) if kept else ()

    def _tell(self, told: Measure, made: Measure) -> None:
        self.own.measures[told.name] = replace(
            told, kind=made.kind, sql=made.sql, filters=made.filters, is_running=made.is_running
        )

    # Attributes and the joins that lead to them.

    def _add_attribute(self, called: str, found: tuple[Attribute, ...]) -> None:
        if len(found) > 1:
            homes = join_names((each.model for each in found), "and")
            raise Inexpressible(f"it is ambiguous: {homes} both have it")
        attribute, rows = found[0], Rows()
        kind = self._kinds.get((attribute.model, attribute.expr))
        if kind is None or (attribute.grain is not None and kind is not Kind.TIME):
            raise Inexpressible("its values are of a type for which Cube has no word")
        if attribute.grain is not None and attribute.grain.is_finer_than(Grain.SECOND):
            raise Inexpressible(f"it is kept by {attribute.grain.value}, and Cube cuts times to milliseconds")
        column = read_attribute(
            self._compiled, self.model, attribute, self._compiled.reference(called), rows, self._moment_for(attribute)
        )
        self.place(rows.in_order)
        is_own = not attribute.hops
        is_time = attribute.grain is not None
        home = self._compiled.manifest.models[attribute.model]
        described = home.dimensions.get(DimensionName(called.rsplit("__", 1)[-1]))
        entity = home.entities.get(home.primary_entity) if home.primary_entity else None
        self.cubes[column.table].dimensions[called] = Dimension(
            name=called,
            kind=Kind.TIME if is_time else Kind.STRING if kind is Kind.TIME else kind,
            sql=self._write_time(column) if is_time else self._write(read(column), column.table),
            description=escape(described.description) if described and not attribute.is_entity else "",
            is_key=is_own and entity is not None and entity.kind is EntityKind.PRIMARY and called == entity.name,
        )
        if is_own and kind is Kind.BOOLEAN:
            segment = f"{SEGMENT_PREFIX}{called}"
            self.own.segments[segment] = Segment(segment, self._write(read(column), column.table))

    def _moment_for(self, attribute: Attribute) -> plan.Column | None:
        """Return the moment at which rows that count for a period are joined; None if there are none on the way."""
        if not any(self._compiled.manifest.models[hop.model].validity for hop in attribute.hops):
            return None
        times = {measure.time_dimension for measure in self.model.measures.values()}
        if len(times) > 1:
            raise Inexpressible("it is joined as it was at the time, and metrics of this table have several times")
        return self._moment(times.pop())

    def _moment(self, time: DimensionName) -> plan.Column:
        dimension = self.model.dimensions[time]
        is_date = self._compiled.is_date(self.model, dimension.expr)
        return plan.Column(self._alias, dimension.expr, dimension.grain or Grain.DAY, is_date=is_date)

    def place(self, joins: Iterable[plan.Join]) -> None:
        """Add the joins, with a cube for what each leads to."""
        for each in joins:
            assert isinstance(each.target, str)
            if not each.hops:
                raise Inexpressible("it is of a grain of the project's own, for which Cube has no form")
            parent = each.equal[0][0].table
            cube = self.cubes.get(each.alias)
            if cube is None:
                cube = self.cubes[each.alias] = Cube(f"{self.own.name}{each.alias}", each.target, "")
                self.paths[each.alias] = f"{self.paths[parent]}.{cube.name}"
            cube.marks_rows |= each.marks
            join = Join(cube.name, self._write(_join_condition(each), parent))
            if self.cubes[parent].joins.setdefault(cube.name, join) != join:
                raise Inexpressible("it joins a table as it was at another time than other metrics of its table do")

    # Measures.

    def _check_summand(self, summand: Summand, is_running: bool) -> None:
        value = summand.value
        is_number = self._kinds.get((self.model.name, value.argument.column.expr)) is Kind.NUMBER
        if is_running and value.aggregation not in _ADDITIVE:
            raise Inexpressible(f"the {value.aggregation.value} of all rows so far is none of Cube's measures")
        if value.aggregation not in (Aggregation.SUM, Aggregation.COUNT_DISTINCT) and not is_number:
            raise Inexpressible(f"the {value.aggregation.value} of what is no number is none of Cube's measures")

    def _refer(self, planned: Planned, formula: exp.Expr) -> exp.Expr:
        """Return a formula over measures, with the value of each summand, or whether it has rows, in its place."""

        def put(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column):
                return node
            if node.name.startswith(plan.HAS_PREFIX):
                return is_there(name(self._count_rows(self._filters(planned.summands[_summand_of(node)].scan))))
            summand = planned.summands[node.name]
            value = name(self._measure(summand))
            if summand.value.aggregation is not Aggregation.COUNT_DISTINCT:
                return value
            # Of no rows, the number of distinct keys is 0 in SQL and no value here.
            return case(is_there(name(self._count_rows(self._filters(summand.scan)))), value)

        return formula.copy().transform(put)

    def _measure(self, summand: Summand, wanted: str = "", *, is_running: bool = False) -> str:
        """Return the measure of a summand's value: the one that is there, or a new one, called as `wanted`."""
        value, filters = summand.value, self._filters(summand.scan)
        kind, rows = _AGGREGATES[value.aggregation], argument(value.argument)
        if kind == "number":
            counted = case(all_of(write_tests(summand.scan.tests)), rows) if summand.scan.tests else rows
            rows, filters = aggregate(value, counted), ()
        sql = self._write(rows, self._alias)
        identity = (kind, sql, filters, is_running)
        if identity not in self._measures:
            called = wanted or self._free(f"{summand.metric}__{value.aggregation.value}")
            self._measures[identity] = called
            self.own.measures[called] = Measure(called, kind, sql, filters, is_running)
            if value.aggregation in _ADDITIVE and not is_running:
                self._additive[called] = MeasureName(value.measure)
        return self._measures[identity]

    def _count_rows(self, filters: tuple[str, ...]) -> str:
        """Return the measure that is null where no row passes the filters, and else counts those that do."""
        identity = ("rows", filters)
        if identity not in self._measures:
            called = self._free("rows__all" if not filters else "rows__filtered")
            self._measures[identity] = called
            self._additive[called] = None
            self.own.measures[called] = Measure(called, "sum", "1", filters)
        return self._measures[identity]

    def _filters(self, scan: plan.Scan) -> tuple[str, ...]:
        return tuple(self._write(tree, self._alias) for tree in write_tests(scan.tests))

    def _free(self, wanted: str) -> str:
        called, place = wanted, 1
        while called in self.own.measures or called in self.own.dimensions:
            place += 1
            called = f"{wanted}_{place}"
        return called

    # SQL.

    def _write(self, tree: exp.Expr, own: str) -> str:
        """Return SQL of a member of the cube `own`; what is more than one column stands in parentheses."""
        if not isinstance(tree, (exp.Column, exp.Paren, exp.Case)):
            tree = exp.Paren(this=tree)
        return write_sql(tree, lambda column: "CUBE" if column.table == own else self.cubes[column.table].name)

    def _write_time(self, column: plan.Column) -> str:
        """Return a time as a moment in UTC, so that the time zone of Cube's session is no matter."""
        if column.is_date and column.grain is not None and not Grain.DAY.is_finer_than(column.grain):
            column = column._replace(grain=None)
        return self._write(exp.AtTimeZone(this=cast(read(column), exp.DType.TIMESTAMP), zone=word("UTC")), column.table)


def _join_condition(each: plan.Join) -> exp.Expr:
    on = [equals(read(left), read(right)) for left, right in each.equal]
    if each.validity is not None:
        moment, start, end = (read(column) for column in (each.validity.moment, each.validity.start, each.validity.end))
        on.append(exp.GTE(this=moment, expression=start))
        on.append(any_of([exp.LT(this=moment.copy(), expression=end), is_null(end.copy())]))
    return all_of(on)


def _summand_of(column: exp.Column) -> str:
    return column.name.removeprefix(plan.HAS_PREFIX)
