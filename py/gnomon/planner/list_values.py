"""Pass 6: a question without a metric asks for the values that dimensions, entities and times take.

They are read from the table that holds most of them itself; what stands elsewhere is joined so that
values of either side stay, and metric_time is every period of the time spine.
"""

from __future__ import annotations

from dataclasses import replace

from gnomon.core.errors import QueryError, explain_unknown, join_names
from gnomon.planner.algebra import SPINE, Answer, Block, Bound, Column, Condition, Join, Scan, Test
from gnomon.planner.compiled import Attribute, Compiled, check_time
from gnomon.planner.draft import Draft, Ordering, Resolved
from gnomon.planner.join_entities import Rows, read_attribute, read_spine
from gnomon.planner.place_leaves import join_metric
from gnomon.planner.references import METRIC_TIME, Reference
from gnomon.planner.resolve_names import refuse_repeats, resolve_ordering, widen
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import SemanticModel, TimeSpine


def list_values(compiled: Compiled, draft: Draft) -> Draft:
    """Find the names of a question without metrics, and the answer that lists each combination of values once."""
    question = draft.question
    if question.metrics:
        return draft
    if not question.group_by:
        raise QueryError("no metric and no dimension is asked for. `gnomon metrics` lists them.")
    if question.top is not None:
        raise QueryError("the top is ranked by a metric, and none is asked for.")
    if compiled.zone is not None:
        raise QueryError("values without a metric are listed in UTC. Leave out the time zone.")
    words = tuple(compiled.reference(word) for word in question.group_by)
    filters = tuple(compiled.filter(text) for text in question.where)
    asked = (*words, *(reference for each in filters for reference in each.references))
    times = tuple(reference for reference in asked if _is_metric_time(reference))
    home = _find_home(compiled, tuple(r for r in words if not _is_metric_time(r)), asked)
    spine = compiled.spine_for(times or (Reference((), METRIC_TIME, Grain.DAY),), "metric_time") if times else None
    reading = _Reading(compiled, home, spine)
    groups = tuple(reading.settle(word) for word in words)
    refuse_repeats([group.name for group in groups])
    filters = tuple(replace(each, references=tuple(map(reading.settle, each.references))) for each in filters)
    columns = tuple((group.name, reading.read(group)) for group in groups)
    tests: list[Test] = [Condition(each, tuple(map(reading.read, each.references))) for each in filters]
    bounds = widen(groups, Grain.DAY, question.start, question.end)
    if bounds is not None:
        if spine is None:
            raise QueryError("a time range bounds metric_time, which is not asked for. Add it to the group-by.")
        tests.append(Bound(Column(SPINE, spine.column), bounds.start, bounds.end, bounds.whole))
    resolved = Resolved(
        metrics=(),
        companions=(),
        groups=groups,
        filters=filters,
        order_by=tuple(_order(compiled, groups, word) for word in question.order_by),
        limit=question.limit,
        time_range=bounds,
        applies_floors=False,
    )
    block = Block(reading.scan(tuple(tests)), columns)
    return replace(draft, resolved=resolved, answer=Answer(tuple(group.name for group in groups), ((block, ()),)))


class _Reading:
    """Reads references from one table, what it joins, and the time spine."""

    def __init__(self, compiled: Compiled, home: SemanticModel | None, spine: TimeSpine | None) -> None:
        self._compiled = compiled
        self._home = home
        self._spine = spine
        self._rows = Rows()

    def settle(self, reference: Reference) -> Reference:
        if reference.grain is not None or reference.part is not None:
            return reference
        if _is_metric_time(reference):
            return replace(reference, grain=Grain.DAY)
        grain = self._find(reference).grain
        return reference if grain is None else replace(reference, grain=grain)

    def read(self, reference: Reference) -> Column:
        if _is_metric_time(reference):
            assert self._spine is not None
            return read_spine(self._spine, reference, self._rows)
        assert self._home is not None
        attribute = self._find(reference)
        if reference.grain is not None or reference.part is not None:
            check_time("values", reference, attribute)
        moment = Column(SPINE, self._spine.column) if self._spine is not None else None
        column = read_attribute(self._compiled, self._home, attribute, reference, self._rows, moment)
        return column if reference.metric is None else join_metric(self._compiled, column, reference, self._rows)

    def scan(self, tests: tuple[Test, ...]) -> Scan:
        calendars = {spine.relation for spine in self._compiled.manifest.spines}
        joins = tuple(replace(join, keeps_both=join.target not in calendars) for join in self._rows.in_order)
        if self._home is None:
            assert self._spine is not None
            return Scan(SPINE, self._spine.relation, joins, tests)
        if self._spine is not None:
            joins = (Join(SPINE, self._spine.relation, ()), *joins)
        return Scan(str(self._home.name), self._home.relation, joins, tests)

    def _find(self, reference: Reference) -> Attribute:
        assert self._home is not None
        return self._compiled.closure(self._home)[reference.plain][0]


def _is_metric_time(reference: Reference) -> bool:
    return not reference.links and reference.element == METRIC_TIME


def _find_home(compiled: Compiled, words: tuple[Reference, ...], asked: tuple[Reference, ...]) -> SemanticModel | None:
    """Return the table from which all is read with the fewest joins."""
    names = {reference.plain for reference in asked if not _is_metric_time(reference)}
    if not names:
        return None
    found: list[tuple[int, int, str, SemanticModel]] = []
    for model in compiled.manifest.models.values():
        closure = compiled.closure(model)
        if not all(len(closure.get(name, ())) == 1 for name in names):
            continue
        hops = {hop for name in names for hop in closure[name][0].hops}
        if all(closure[name][0].hops for name in names):
            continue
        own = sum(not attributes[0].hops for attributes in closure.values())
        found.append((len(hops), own, str(model.name), model))
    if found:
        return min(found, key=lambda each: each[:3])[3]
    unknown = sorted(name for name in names if name not in compiled.known)
    if unknown:
        raise QueryError(explain_unknown("dimension", unknown[0], [METRIC_TIME, *compiled.known]))
    raise QueryError(
        f"no table joins {join_names(sorted(names), 'and')} without counting rows more than once, so their values "
        "cannot be listed together. Ask for fewer at a time."
    )


def _order(compiled: Compiled, groups: tuple[Reference, ...], word: str) -> Ordering:
    return resolve_ordering(compiled, (), groups, word)
