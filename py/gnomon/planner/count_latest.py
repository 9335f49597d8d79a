"""Pass 11: distinct keys of a window are counted by the latest row of each, and no row meets all days of it.

At any moment a key stands in a window if its latest row up to then does, whatever the window is. So a row counts
from its own moment until the key's next one, and the rows can be counted by these two before any moment is
joined: there are few such pairs. What must be judged row by row under the later moment is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gnomon.planner.algebra import (
    KEYS,
    MOMENT,
    NEXT,
    SPINE,
    Answer,
    Argument,
    Block,
    Bound,
    Column,
    Join,
    Latest,
    Part,
    Scan,
    Test,
    Value,
)
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft
from gnomon.semantic.model import Accumulation, Aggregation

_LATEST = "__latest"


def count_latest(_: Compiled, draft: Draft) -> Draft:
    """Count the distinct keys of windows by the latest row of each, in every answer inside, too."""
    return replace(draft, answer=_count_answer(draft.answer))


def _count_answer(answer: Answer) -> Answer:
    parts = tuple(part for block, values in answer.blocks for part in _count_block(block, values))
    return replace(answer, blocks=parts, totals=tuple(map(_count_answer, answer.totals)))


def _count_block(block: Block, values: tuple[Value, ...]) -> Iterator[Part]:
    """Yield a part for each value, or the one part as it is."""
    match block.source:
        case Answer():
            yield replace(block, source=_count_answer(block.source)), values
            return
        case Scan() if values and block.window is None and all(_is_count(value) for value in values):
            parts = [_move(block, block.source, value) for value in values]
            if None not in parts:
                yield from (part for part in parts if part is not None)
                return
    yield block, values


def _is_count(value: Value) -> bool:
    return value.aggregation is Aggregation.COUNT_DISTINCT


def _move(block: Block, scan: Scan, value: Value) -> Part | None:
    """Return the value over latest rows; None if a join or a test needs both a row and a later moment."""
    spread = scan.spread
    if spread is None or not isinstance(spread.how, Accumulation) or value.argument.given is not None:
        return None
    later = {SPINE}
    own_joins, later_joins = [], []
    for join in scan.joins:
        tables = set(_tables_of(join))
        if tables.isdisjoint(later):
            own_joins.append(join)
        elif tables <= later:
            later.add(join.alias)
            later_joins.append(join)
        else:
            return None
    own_tests, later_tests = [], []
    for test in scan.tests:
        tables = {column.table for column in _columns_of(test)}
        if tables.isdisjoint(later):
            own_tests.append(test)
        elif tables <= later:
            later_tests.append(test)
        else:
            return None
    keys = {column: f"__{place}" for place, (_, column) in enumerate(block.groups, 1) if column.table not in later}
    latest = Latest(
        scan=replace(scan, joins=tuple(own_joins), tests=tuple(own_tests), spread=None),
        columns=tuple((name, column) for column, name in keys.items()),
        key=value.argument.column,
        moment=spread.moment,
    )
    grain = spread.moment.grain
    moved = Scan(
        _LATEST,
        latest,
        tuple(later_joins),
        tuple(later_tests),
        replace(spread, moment=Column(_LATEST, MOMENT, grain), until=Column(_LATEST, NEXT, grain)),
    )
    groups = tuple((name, Column(_LATEST, keys[column]) if column in keys else column) for name, column in block.groups)
    counted = replace(value, aggregation=Aggregation.SUM, argument=Argument(Column(_LATEST, KEYS)))
    return replace(block, source=moved, groups=groups), (counted,)


def _tables_of(join: Join) -> Iterator[str]:
    yield from (left.table for left, _ in join.equal)
    if join.validity is not None:
        yield join.validity.moment.table


def _columns_of(test: Test) -> tuple[Column, ...]:
    return (test.column,) if isinstance(test, Bound) else test.columns
