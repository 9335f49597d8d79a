"""Pass 4: every leaf gets the relation that its value is aggregated in: rows, joins, tests, steps.

Where a leaf's time comes from a spine, filters that speak of time alone hold for the spine's moments,
and all others for the rows. A filter that speaks of both holds for rows that stand under the spine's
moments, so the spine is joined before anything is aggregated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gnomon.core.errors import QueryError, join_names
from gnomon.planner.algebra import (
    MOMENT,
    SPINE,
    Accumulate,
    Answer,
    Argument,
    Block,
    Bound,
    Column,
    Condition,
    Conversions,
    Join,
    Keep,
    OnSpine,
    PickPeriod,
    Scan,
    Side,
    SpineRows,
    Spread,
    Step,
    Test,
    Times,
    Value,
    Window,
)
from gnomon.planner.compiled import Compiled, is_aggregation_time
from gnomon.planner.draft import Draft, Expanded, Leaf, Nested, Placed, TimeRange
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.filters import Filter
from gnomon.planner.join_entities import Rows, find_key, read_attribute, read_spine
from gnomon.planner.leaf_values import value_of
from gnomon.planner.move_on import bound_rows, move_on
from gnomon.planner.question import Question
from gnomon.planner.references import METRIC_TIME, Reference, find_key_time, order_of_times
from gnomon.planner.resolve_names import resolve_names
from gnomon.planner.share_blocks import share_blocks
from gnomon.semantic.grain import CustomGrain, Grain, base_of
from gnomon.semantic.model import Accumulation, Aggregation, Conversion, Offset, TimeSpine

_ADDITIVE = {Aggregation.SUM, Aggregation.SUM_BOOLEAN, Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX}
_TIME = Reference((), METRIC_TIME)


def place_leaves(compiled: Compiled, draft: Draft) -> Draft:
    """Give each leaf's value its block."""
    expanded = draft.expanded
    values = []
    for leaf in expanded.leaves:
        if isinstance(leaf, Nested):
            block, value = _place_nested(compiled, expanded, leaf)
            values += [(block, replace(value, column=column)) for column in (leaf.column, *leaf.inner.counts)]
        else:
            values.append((_Placing(compiled, expanded, leaf).place(), value_of(compiled, leaf)))
    totals = tuple(_answer(compiled, Draft(expanded=total)) for total in expanded.totals)
    return replace(draft, placed=Placed(tuple(values), totals))


def _answer(compiled: Compiled, draft: Draft) -> Answer:
    """Return the answer that the leaves, formulas and totals of an inner draft come to."""
    return share_blocks(compiled, place_leaves(compiled, draft)).answer


class _Placing:
    """Places one leaf."""

    def __init__(self, compiled: Compiled, expanded: Expanded, leaf: Leaf) -> None:
        self._compiled = compiled
        self._leaf = leaf
        self._model = leaf.model
        self._measure = leaf.measure
        self._groups = expanded.groups
        self._range = leaf.time_range
        self._rows = Rows()
        self._spine: TimeSpine | None = None
        self._leads: CustomGrain | None = None
        self._grain = leaf.model.dimensions[leaf.measure.time_dimension].grain or Grain.DAY
        spoken = [(each, self._speaks_of_time(each)) for each in (*leaf.own, *leaf.outer)]
        self._timed = tuple(each for each, of_time in spoken if of_time is True)
        self._mixed = tuple(each for each, of_time in spoken if of_time is None)
        self._timeless = tuple(each for each, of_time in spoken if of_time is False)

    def place(self) -> Block:
        leaf = self._leaf
        times = tuple(group for group in self._groups if self._is_time(group))
        if leaf.converts is not None:
            return self._place_conversions(leaf.converts)
        if leaf.accumulation is not None and times:
            return self._place_accumulation(leaf.accumulation, times)
        if leaf.offset is None:
            block = self._aggregate_rows((*leaf.own, *leaf.outer), self._range)
            return replace(block, steps=self._join_spine(times, None))
        if self._shifts_totals(times, leaf.offset):
            block = self._aggregate_rows(self._timeless, None)
            return bound_rows(replace(block, steps=self._join_spine(times, leaf.offset)))
        block = self._place_shifted_rows(times, leaf.offset)
        return replace(block, steps=self._join_spine(times, None))

    # Rows under their own time.

    def _aggregate_rows(self, filters: tuple[Filter, ...], bounds: TimeRange | None) -> Block:
        groups = tuple((group.name, self._read(group)) for group in self._groups)
        tests = self._test(filters, bounds)
        window = self._read_window()
        scan = Scan(str(self._model.name), self._model.relation, self._rows.in_order, tests)
        return Block(scan, groups, window)

    def _test(self, filters: Iterable[Filter], bounds: TimeRange | None) -> tuple[Test, ...]:
        tests: list[Test] = [Condition(each, tuple(map(self._read, each.references))) for each in filters]
        if bounds is not None:
            tests.append(Bound(self._read(_TIME), bounds.start, bounds.end, bounds.whole))
        return tuple(tests)

    # Rows under another time.

    def _place_shifted_rows(self, times: tuple[Reference, ...], offset: Offset) -> Block:
        """Join the rows to later moments before they are aggregated: their grain is coarser than the shift."""
        needed = (*times, *(r for each in (*self._timed, *self._mixed) for r in each.references if self._is_time(r)))
        asked = [group for group in times if group.part is None]
        by = offset.back.grain if offset.back is not None else None
        leads_grain = isinstance(by, CustomGrain) and all(group.grain == by for group in times)
        if isinstance(by, CustomGrain):
            self._spine = self._compiled.spine_of(by)
            self._leads = None if leads_grain else by
        else:
            base = replace(_TIME, grain=self._grain)
            self._spine = self._compiled.spine_for((*needed, base), f"metric '{self._leaf.metric}'")
        moment = self._own_time(by.base if isinstance(by, CustomGrain) else self._grain)
        is_whole = any(group.grain is not None and base_of(group.grain) is self._grain for group in asked)
        # One row for each period asked for, at its start.
        starts = [replace(group, grain=base_of(group.grain)) for group in asked if group.grain is not None]
        periods = () if offset.to_start_of is None or is_whole else tuple(map(self._read, starts))
        block = self._aggregate_rows((*self._timeless, *self._mixed, *self._timed), self._range)
        spread = Spread(SpineRows(self._spine), moment, offset, periods, leads_grain)
        assert isinstance(block.source, Scan)
        return replace(block, source=replace(block.source, spread=spread))

    def _place_accumulation(self, accumulation: Accumulation, times: tuple[Reference, ...]) -> Block:
        """Bring the values to the finest grain of the data, and pick one for each period asked for."""
        leaf = self._leaf
        if accumulation.window is not None and isinstance(accumulation.window.grain, CustomGrain):
            raise QueryError(
                f"metric '{leaf.metric}': its window is by '{accumulation.window.grain.value}', a grain of the "
                "project's own. Write the window in a standard grain."
            )
        asks_finest = any(group.grain == self._grain for group in times)
        inner = times if asks_finest else (*times, replace(_TIME, grain=self._grain))
        needed = inner
        if leaf.offset is None:
            needed += tuple(r for each in (*self._timed, *self._mixed) for r in each.references if self._is_time(r))
        grain = Grain.finest(tuple(base_of(r.grain) for r in needed if r.grain is not None))
        spine = self._compiled.spine_for(needed, f"metric '{leaf.metric}'")
        is_additive = self._measure.aggregation in _ADDITIVE and self._measure.non_additive is None
        if is_additive and not self._mixed and not self._joins_in_time():
            block = self._accumulate_totals(accumulation, spine, grain, inner)
        else:
            block = self._accumulate_rows(accumulation, spine, grain, inner)
        steps = (*block.steps, *self._join_spine(inner, leaf.offset))
        if not asks_finest:
            steps += (PickPeriod(accumulation.period_value, tuple(group.name for group in self._groups)),)
        return replace(block, steps=steps)

    def _accumulate_totals(
        self, accumulation: Accumulation, spine: TimeSpine, grain: Grain, times: tuple[Reference, ...]
    ) -> Block:
        """Add up totals by period: each row is read once, however long the window is."""
        others = [group for group in self._groups if not self._is_time(group)]
        groups = [(group.name, self._read(group)) for group in others]
        groups.append((MOMENT, self._own_time(grain)))
        scan = Scan(str(self._model.name), self._model.relation, tests=self._test(self._timeless, None))
        is_shifted = self._leaf.offset is not None
        filters, bounds = ((), None) if is_shifted else (self._timed, self._range)
        step = Accumulate(accumulation, grain, *self._read_moments(spine, times, filters, bounds))
        return Block(replace(scan, joins=self._rows.in_order), tuple(groups), None, (step,))

    def _accumulate_rows(
        self, accumulation: Accumulation, spine: TimeSpine, grain: Grain, times: tuple[Reference, ...]
    ) -> Block:
        """Join every row to all the periods that it counts for: what cannot be added up needs it."""
        leaf = self._leaf
        self._spine = spine
        is_shifted = leaf.offset is not None
        filters = (*self._timeless, *self._mixed) if is_shifted else (*leaf.own, *leaf.outer)
        block = self._aggregate_rows(filters, None if is_shifted else self._range)
        named = dict(block.groups)
        extra = tuple((MOMENT, self._read(group)) for group in times if group.name not in named)
        moment = self._own_time(grain)
        assert isinstance(block.source, Scan)
        spread = Spread(SpineRows(spine), moment, accumulation)
        source = replace(block.source, spread=spread, joins=self._rows.in_order)
        return replace(block, source=source, groups=(*block.groups, *extra))

    def _place_conversions(self, converts: Conversion) -> Block:
        """Pair the rows of the base with those of the conversion; the base gives groups and filters."""
        leaf = self._leaf
        block = self._aggregate_rows((*leaf.own, *leaf.outer), self._range)
        assert isinstance(block.source, Scan)
        measure = self._compiled.measure(converts.measure.name)
        model = self._compiled.manifest.model_of(measure.name)
        time = model.dimensions[measure.time_dimension]
        grain = Grain.coarsest((self._grain, time.grain or Grain.DAY))
        filters = tuple(self._compiled.filter(text) for text in converts.measure.filters)
        probe = replace(leaf, model=model, measure=measure, own=filters, outer=(), converts=None)
        converted = _Placing(self._compiled, Expanded(), probe)._aggregate_rows(filters, None)
        assert isinstance(converted.source, Scan)
        sides = [
            Side(
                scan=scan,
                moment=Column(str(each.name), when, grain),
                entity=Column(str(each.name), find_key(leaf.metric, each, converts.entity)),
                constants=tuple(
                    Column(str(each.name), find_key(leaf.metric, each, pair[place])) for pair in converts.constants
                ),
            )
            for place, (each, scan, when) in enumerate(
                ((self._model, block.source, self._time_expr), (model, converted.source, time.expr))
            )
        ]
        return replace(block, source=Conversions(sides[0], sides[1], converts.window))

    # Steps.

    def _shifts_totals(self, times: tuple[Reference, ...], offset: Offset) -> bool:
        """Tell whether totals can be shifted: only if they are by periods not longer than the shift's."""
        if self._mixed:
            return False
        key = find_key_time(times)
        by = offset.to_start_of if offset.back is None else offset.back.grain
        if key is None or not isinstance(by, Grain):
            return False
        # Weeks do not add up to months.
        return not by.is_finer_than(key) and not (key is Grain.WEEK and offset.to_start_of is not None)

    def _join_spine(self, times: tuple[Reference, ...], offset: Offset | None) -> tuple[Step, ...]:
        """Return the steps that shift totals, or add periods without rows, or do both at once."""
        if not times or (offset is None and not self._leaf.joins_spine):
            return ()
        step = self.shift(times, offset, keeps_empty=self._leaf.joins_spine)
        return (step, *self._keep_again()) if self._leaf.joins_spine else (step,)

    def shift(self, times: tuple[Reference, ...], offset: Offset | None, *, keeps_empty: bool) -> Step:
        """Return the step from totals to the moments that they are asked for."""
        others = tuple(group.name for group in self._groups if not self._is_time(group))
        if offset is not None and not keeps_empty:
            moved = move_on(times, others, offset, self._timed, self._range, self._name)
            if moved is not None:
                return moved
        if offset is not None and offset.back is not None and isinstance(offset.back.grain, CustomGrain):
            grain = offset.back.grain.value
            raise QueryError(
                f"metric '{self._leaf.metric}' is made of others or adds up over time, and is shifted by '{grain}', a "
                "grain of the project's own. Shift it by a standard grain."
            )
        needed = (*times, *(r for each in self._timed for r in each.references))
        spine = self._compiled.spine_for(needed, f"metric '{self._leaf.metric}'")
        rows, named = self._read_moments(spine, times, self._timed, self._range)
        keys = times if offset is None else (min(times, key=order_of_times),)
        return OnSpine(rows, named, tuple(map(self._name, keys)), offset, keeps_empty)

    def _keep_again(self) -> tuple[Step, ...]:
        """Periods that a spine has added must pass the filters on groups, too."""
        named = {group.name for group in self._groups}
        again = tuple(
            each for each in self._leaf.outer
            if each not in self._timed and all(r.name in named for r in each.references)
        )  # fmt: skip
        return (Keep(again),) if again else ()

    def _read_moments(
        self, spine: TimeSpine, times: tuple[Reference, ...], filters: tuple[Filter, ...], bounds: TimeRange | None
    ) -> tuple[SpineRows, Times]:
        """Return the moments of a spine that pass the filters, and the groups that are read from it."""
        joins = Rows()
        tests: list[Test] = [
            Condition(each, tuple(read_spine(spine, r, joins) for r in each.references)) for each in filters
        ]
        if bounds is not None:
            tests.append(Bound(Column(SPINE, spine.column), bounds.start, bounds.end, bounds.whole))
        columns = tuple((self._name(group), read_spine(spine, group, joins)) for group in times)
        others = tuple(group.name for group in self._groups if not self._is_time(group))
        return SpineRows(spine, tuple(tests), joins.in_order), Times(columns, others)

    def _name(self, group: Reference) -> str:
        """Return the group's name; a moment that was not asked for goes under a name of its own."""
        return group.name if group in self._groups else MOMENT

    # Columns.

    def _joins_in_time(self) -> bool:
        """Tell whether an attribute hangs on the moment that it is asked for, as those with validity do."""
        models = self._compiled.manifest.models
        asked = (*self._groups, *(r for each in self._timeless for r in each.references))
        return any(
            models[hop.model].validity is not None
            for reference in asked
            for hop in self._compiled.find(self._leaf.metric, self._measure, reference).hops
        )

    @property
    def _time_expr(self) -> str:
        return self._model.dimensions[self._measure.time_dimension].expr

    def _own_time(self, grain: Grain) -> Column:
        """The rows' own time, as the clocks of the question's zone showed it."""
        is_date = self._compiled.is_date(self._model, self._time_expr)
        return Column(str(self._model.name), self._time_expr, grain, zone=self._compiled.zone, is_date=is_date)

    def _is_time(self, reference: Reference) -> bool:
        attribute = self._compiled.find(self._leaf.metric, self._measure, reference)
        return is_aggregation_time(self._measure, attribute, reference)

    def _speaks_of_time(self, condition: Filter) -> bool | None:
        """True if of nothing else, False if not at all, None if of time and of something else."""
        spoken = [self._is_time(reference) for reference in condition.references]
        return bool(spoken) if all(spoken) else None if any(spoken) else False

    def _read(self, reference: Reference) -> Column:
        if self._spine is not None and self._is_time(reference):
            return read_spine(self._spine, reference, self._rows, self._leads)
        attribute = self._compiled.find(self._leaf.metric, self._measure, reference)
        column = read_attribute(self._compiled, self._model, attribute, reference, self._rows, self._moment())
        return column if reference.metric is None else join_metric(self._compiled, column, reference, self._rows)

    def _moment(self) -> Column:
        if self._spine is not None:
            if self._compiled.zone is not None and self._joins_in_time():
                raise QueryError(
                    f"metric '{self._leaf.metric}' stands under later times than its own, at which attributes that "
                    "count for a period are looked up, and those periods are in UTC. Leave out the time zone."
                )
            return Column(SPINE, self._spine.column, self._grain)
        return Column(str(self._model.name), self._time_expr, self._grain)

    def _read_window(self) -> Window | None:
        rule = self._measure.non_additive
        if rule is None:
            return None
        dimension = self._model.dimensions[rule.dimension]
        table = str(self._model.name)
        same = [
            group for group in self._groups
            if (self._is_time(group) and rule.dimension == self._measure.time_dimension)
            or self._compiled.find(self._leaf.metric, self._measure, group).time_dimension == rule.dimension
        ]  # fmt: skip
        is_spread = self._spine is not None and rule.dimension == self._measure.time_dimension
        is_date = self._compiled.is_date(self._model, dimension.expr)
        own = Column(table, dimension.expr, dimension.grain, is_date=is_date)
        return Window(
            moment=self._moment() if is_spread else own,
            takes_last=rule.takes_last,
            # As MetricFlow: of several grains of the window's time, the first asked for decides.
            partitions=tuple(self._read(group) for group in same[:1]),
            groupings=tuple(Column(table, self._model.entities[name].expr, is_key=True) for name in rule.groupings),
        )


def join_metric(compiled: Compiled, column: Column, reference: Reference, rows: Rows) -> Column:
    """Join a metric by an entity, so that a filter can ask it; where it has no row it is null."""
    assert reference.metric is not None
    question = Question((reference.metric,), (reference.plain,), applies_floors=False)
    answer = _answer(compiled, expand_metrics(compiled, resolve_names(compiled, Draft(question))))
    alias = f"__{reference.name}"
    rows.add(Join(alias, answer, ((column, Column(alias, answer.groups[0])),)))
    return Column(alias, reference.metric)


def _place_nested(compiled: Compiled, expanded: Expanded, leaf: Nested) -> tuple[Block, Value]:
    """Take a whole answer through a shift; the filters that speak of time hold after it."""
    inner = _answer(compiled, Draft(expanded=leaf.inner))
    metric = compiled.manifest.metrics[leaf.metric]
    measure = compiled.first_measure(metric)
    times = tuple(group for group in expanded.groups if compiled.is_time_of(metric, group))
    if find_key_time(times) is None and (len(times) > 1 or times[0].part is not None):
        raise QueryError(
            f"metric '{leaf.metric}' is made of others and shifted in time, so it is asked by one time, or by times "
            f"that follow from one, such as a day and its month: not by {join_names((t.name for t in times), 'and')}."
        )
    model = compiled.manifest.model_of(measure.name)
    probe = Leaf(leaf.column, leaf.metric, model, measure, (), leaf.timed, leaf.time_range, False)
    step = _Placing(compiled, expanded, probe).shift(times, leaf.offset, keeps_empty=False)
    groups = tuple((name, Column("", name)) for name in inner.groups)
    value = Value(
        leaf.column, measure.name, Aggregation.MAX, Argument(Column("", leaf.column)), None, None, leaf.is_asked
    )
    steps = (step, Keep(leaf.kept)) if leaf.kept else (step,)
    return bound_rows(Block(inner, groups, None, steps)), value
