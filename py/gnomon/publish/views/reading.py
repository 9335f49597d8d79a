"""One view: a rollup with what its keys lead to, and the metrics that are sums of its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlglot import exp

from gnomon.core.errors import QueryError, join_names
from gnomon.core.names import DimensionName
from gnomon.planner import Compiled
from gnomon.planner.algebra import Block, Column, Join, Scan
from gnomon.planner.choose_rollups import TIME, MissError, Reading
from gnomon.planner.compiled import Attribute
from gnomon.planner.join_entities import Rows, read_attribute
from gnomon.planner.sql_parts import (
    alias,
    all_of,
    argument,
    case,
    cast,
    name,
    number,
    read,
    select,
    table,
    word,
    write_tests,
)
from gnomon.planner.write_scan import write_joins
from gnomon.publish.planned import Inexpressible, Planned, Summand
from gnomon.publish.views.formulas import simplify
from gnomon.publish.views.model import Ratio, Role, ViewColumn
from gnomon.publish.views.wording import (
    describe_attribute,
    describe_maturity,
    describe_part,
    describe_period,
    describe_ratio,
    describe_sum,
    end_of_maturity,
    find_last_mature,
    label,
)
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Aggregation, Metric, Rollup, SemanticModel

GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
MATURITY = "is_mature_after_{}_days"
_NOT_SUMS = {
    Aggregation.COUNT_DISTINCT: "it counts distinct keys, which do not add up: two rows can have the same one",
    Aggregation.MIN: "a least value is no sum",
    Aggregation.MAX: "a greatest value is no sum",
    Aggregation.AVERAGE: "an average does not add up, and an average of averages is another number",
    Aggregation.MEDIAN: "a median or another percentile does not add up",
    Aggregation.PERCENTILE: "a median or another percentile does not add up",
}


@dataclass
class Draft:
    """A view that is filled in: what its rows are read from, and its columns."""

    compiled: Compiled
    model: SemanticModel
    rollup: Rollup
    time: DimensionName
    as_of: datetime
    tables: Collection[str]
    joins: dict[str, Join] = field(default_factory=dict)
    columns: dict[str, ViewColumn] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    # The columns of maturity, by days.
    matures: dict[int, str] = field(default_factory=dict)
    # The sums that are there, by their SQL and whether they are 0 where there is none.
    _sums: dict[tuple[str, bool], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reading = Reading(self.compiled, self.model, self.rollup)
        self.period = f"{TIME}__{self.rollup.grain.value}"
        moment = name(self.period, str(self.model.name))
        self._add(
            self.period, Role.PERIOD, cast(moment, exp.DType.DATE), label(self.rollup.grain.value),
            describe_period(self.rollup.grain),
        )  # fmt: skip

    def add_attributes(self) -> None:
        """Add the rollup's dimensions, and what the copy's tables say of its keys."""
        own, closure = self.rollup.dimensions, self.compiled.closure(self.model)
        for called, attributes in sorted(closure.items(), key=lambda each: (each[0] not in own, each[0])):
            try:
                self._add_attribute(called, attributes)
            except (Inexpressible, QueryError) as reason:
                self.left_out[called] = str(reason).removesuffix(".")
            except MissError:
                # No key of the rollup leads there.
                continue

    def add_sum(self, planned: Planned) -> bool:
        """Add a metric that is a sum, and tell whether it is one; Inexpressible says why it cannot be had."""
        formula, is_filled = planned.formula, False
        if isinstance(formula, exp.Coalesce) and isinstance(formula.this, exp.Column):
            (other,) = formula.expressions
            if not isinstance(other, exp.Literal) or float(other.name) != 0:
                raise Inexpressible("what it fills in does not add up")
            formula, is_filled = formula.this, True
        if not isinstance(formula, exp.Column):
            return False
        (summand,) = planned.summands.values()
        metric = planned.metric
        sql = self._read_summand(summand)
        self._free(metric.name)
        self._note_maturity(metric)
        shown = exp.Coalesce(this=sql, expressions=[number(0)]) if is_filled else sql
        self._add(metric.name, Role.SUM, shown, metric.label, describe_sum(metric, self.matures), metric)
        self._sums.setdefault((sql.sql(), is_filled), []).append(metric.name)
        return True

    def add_ratio(self, planned: Planned) -> None:
        """Add a metric that is made of sums, with its parts that are not there; Inexpressible if it is none."""
        metric = planned.metric
        self._free(metric.name)
        parts = {value: self._read_summand(summand) for value, summand in planned.summands.items()}
        filled = {
            node.this.name
            for node in planned.formula.find_all(exp.Coalesce)
            if isinstance(node.this, exp.Column) and float(node.expressions[0].name or 1) == 0
        }
        bare = {
            node.name for node in planned.formula.find_all(exp.Column)
            if not isinstance(node.parent, exp.Coalesce) and not node.name.startswith("__has:")
        }  # fmt: skip
        named: dict[str, str] = {}
        new: dict[str, tuple[Summand, exp.Expr]] = {}
        for value, sql in parts.items():
            wanted = planned.summands[value].metric
            there = [*self._sums.get((sql.sql(), False), [])]
            if value in filled - bare:
                there += self._sums.get((sql.sql(), True), [])
            if there:
                named[value] = str(wanted) if wanted in there else there[0]
                continue
            called = f"{metric.name}__{wanted}"
            while called in self.columns or called in new:
                called += "_2"
            named[value] = called
            new[called] = (planned.summands[value], sql)
        formula = simplify(planned.formula, named.__getitem__)
        self._note_maturity(metric)
        for called, (summand, sql) in new.items():
            self._add(called, Role.SUM, sql, label(called), describe_part(metric, summand.metric))
            self._sums.setdefault((sql.sql(), False), []).append(called)
        self.ratios.append(Ratio(metric, formula))

    def hide_outcomes(self) -> None:
        """Take out attributes that are the outcome of a metric: by them it is all or none."""
        manifest = self.compiled.manifest
        metrics = [column.metric for column in self.columns.values() if column.metric is not None]
        for metric in (*metrics, *(ratio.metric.name for ratio in self.ratios)):
            for called in sorted(manifest.outcomes_of(manifest.metrics[metric]) & set(self.attributes)):
                del self.columns[called], self.attributes[called]
                self.left_out[called] = f"it is the outcome of '{metric}', which would be all or none by it"

    def write(self) -> exp.Select:
        """Return the SELECT of the view."""
        columns = [alias(column.sql.copy(), column.name) for column in self.in_order()]
        joins = [*write_joins(tuple(self._used_joins()), _refuse_answer)]
        return select(columns, table(self.rollup.relation, str(self.model.name)), joins=joins)

    def in_order(self) -> Sequence[ViewColumn]:
        """Return the columns: the period, attributes, maturity, sums."""
        shown = dict(self.columns)
        last = {called: shown.pop(called) for _, called in sorted(self.matures.items())}
        return [column for role in Role for column in (shown | last).values() if column.role is role]

    def tell(self, ratio: Ratio) -> str:
        """Return what a ratio says of itself."""
        return describe_ratio(ratio.metric, self.matures)

    # Parts.

    def _add_attribute(self, called: str, found: tuple[Attribute, ...]) -> None:
        if len(found) > 1:
            homes = join_names((each.model for each in found), "and")
            raise Inexpressible(f"it is ambiguous: {homes} both have it")
        attribute = found[0]
        if not attribute.hops and attribute.time_dimension == self.time:
            return
        if attribute.grain is not None:
            called = f"{called}__{Grain.coarsest((attribute.grain, Grain.DAY)).value}"
        reference = self.compiled.reference(called)
        rows = Rows()
        column = read_attribute(self.compiled, self.model, attribute, reference, rows, self._moment())
        moved, groups = self._move(Scan(str(self.model.name), self.model.relation, rows.in_order), ((called, column),))
        missing = sorted({_name_table(join) for join in moved.joins} - set(self.tables))
        if missing:
            raise Inexpressible(f"the copy does not hold {join_names(missing, 'and')}")
        self._join(moved.joins)
        ((_, column),) = groups
        sql = read(column)
        if not attribute.hops and any(sql == self.columns[other].sql for other in self.attributes):
            # A second name of the same column.
            return
        if attribute.grain is not None:
            sql = cast(sql, exp.DType.DATE)
        self.attributes[called] = attribute
        self._add(called, Role.ATTRIBUTE, sql, label(called), describe_attribute(self.compiled, attribute, called))

    def _read_summand(self, summand: Summand) -> exp.Expr:
        """Return a value of each row of the rollup, of which the sum is the value of the summand."""
        value = summand.value
        reason = _NOT_SUMS.get(value.aggregation)
        if reason is not None:
            raise Inexpressible(reason)
        block = Block(summand.scan, ())
        try:
            moved, (value,) = self._reading.move(block, (value,))
        except MissError as miss:
            raise Inexpressible(f"rollup '{self.rollup.name}': {miss}") from None
        assert isinstance(moved.source, Scan)
        missing = sorted({_name_table(join) for join in moved.source.joins} - set(self.tables))
        if missing:
            raise Inexpressible(f"its filter reads {join_names(missing, 'and')}, which the copy does not hold")
        self._join(moved.source.joins)
        tests = write_tests(moved.source.tests)
        rows = argument(value.argument)
        return case(all_of(tests), rows) if tests else rows

    def _move(self, scan: Scan, groups: tuple[tuple[str, Column], ...]) -> tuple[Scan, tuple[tuple[str, Column], ...]]:
        block, _ = self._reading.move(Block(scan, groups), ())
        assert isinstance(block.source, Scan)
        return block.source, block.groups

    def _moment(self) -> Column:
        dimension = self.model.dimensions[self.time]
        is_date = self.compiled.is_date(self.model, dimension.expr)
        return Column(str(self.model.name), dimension.expr, dimension.grain or Grain.DAY, is_date=is_date)

    def _join(self, joins: Iterable[Join]) -> None:
        for join in joins:
            before = self.joins.setdefault(join.alias, join)
            if replace(before, marks=False) != replace(join, marks=False):
                raise Inexpressible("it joins a table as it was at another time than the rest of the view does")
            self.joins[join.alias] = replace(before, marks=before.marks or join.marks)

    def _used_joins(self) -> Iterator[Join]:
        """Yield the joins that columns read, and those that lead to them."""
        read_tables = {column.table for shown in self.columns.values() for column in shown.sql.find_all(exp.Column)}
        kept: list[Join] = []
        for join in reversed(self.joins.values()):
            if join.alias in read_tables:
                kept.append(join)
                lead = (*(left for left, _ in join.equal), *((join.validity.moment,) if join.validity else ()))
                read_tables |= {column.table for column in lead}
        yield from reversed(kept)

    def _note_maturity(self, metric: Metric) -> None:
        days, grain = metric.documentation.matures_after_days, self.rollup.grain
        called = MATURITY.format(days)
        if not days or days in self.matures:
            return
        self.matures[days] = called
        last = find_last_mature(grain, end_of_maturity(self.as_of, days))
        period = cast(name(self.period, str(self.model.name)), exp.DType.DATE)
        is_mature = exp.LTE(this=period, expression=cast(word(last.isoformat()), exp.DType.DATE))
        self._add(called, Role.MATURITY, is_mature, label(called), describe_maturity(grain, days))

    def _free(self, called: str) -> None:
        if called in self.columns:
            raise Inexpressible("a column of its view has the same name")

    def _add(
        self, called: str, role: Role, sql: exp.Expr, told: str, comment: str, metric: Metric | None = None
    ) -> None:
        self.columns[called] = ViewColumn(
            called, role, sql, told or label(called), comment, metric=None if metric is None else metric.name
        )


def _name_table(join: Join) -> str:
    assert isinstance(join.target, str)
    return join.target.rpartition(".")[2].strip('"')


def _refuse_answer(_: object) -> exp.Select:
    raise AssertionError("a view joins tables only")
