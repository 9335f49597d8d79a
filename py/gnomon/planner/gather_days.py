"""Pass 13: rows are added up by their dates before dates are truncated to weeks or months.

An engine groups by a plain column of dates several times faster than by a function of it, and there are few
dates. Where a key such as a creator is among the groups there are as many groups by day as rows, so those
are left as they are; so is what cannot be added up twice.
"""

from __future__ import annotations

from dataclasses import replace

from gnomon.planner.algebra import Answer, Argument, Block, Column, Days, Part, Scan, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft
from gnomon.semantic.model import Aggregation

_DAYS = "__days"
_ADDED_UP = {Aggregation.SUM, Aggregation.MIN, Aggregation.MAX}


def gather_days(_: Compiled, draft: Draft) -> Draft:
    """Scan by day where that is quicker, in the answer's totals and variances, too."""
    return replace(draft, answer=_gather_answer(draft.answer))


def _gather_answer(answer: Answer) -> Answer:
    return replace(
        answer,
        blocks=tuple(_gather(block, values) for block, values in answer.blocks),
        totals=tuple(map(_gather_answer, answer.totals)),
        variances=tuple(
            replace(each, parts=tuple(_gather(block, values) for block, values in each.parts))
            for each in answer.variances
        ),
    )


def _gather(block: Block, values: tuple[Value, ...]) -> Part:
    scan = block.source
    if isinstance(scan, Answer):
        return replace(block, source=_gather_answer(scan)), values
    if not isinstance(scan, Scan) or scan.spread is not None or not values:
        return block, values
    columns = [column for _, column in block.groups]
    if block.window is not None:
        columns += [block.window.moment, *block.window.partitions, *block.window.groupings]
    can_add_up = all(each.aggregation in _ADDED_UP for each in values)
    has_dates = any(column.is_date for column in columns)
    if not can_add_up or not has_dates or any(column.is_key for column in columns):
        return block, values
    raw = {each: f"__{place}" for place, each in enumerate(dict.fromkeys(map(_raw, columns)), start=1)}

    def move(column: Column) -> Column:
        moved = Column(_DAYS, raw[_raw(column)])
        return moved._replace(grain=column.grain, part=column.part) if column.is_date else moved

    window = block.window
    if window is not None:
        window = replace(
            window,
            moment=move(window.moment),
            partitions=tuple(map(move, window.partitions)),
            groupings=tuple(map(move, window.groupings)),
        )
    gathered = replace(
        block,
        source=Scan(_DAYS, Days(scan, tuple((name, column) for column, name in raw.items()), values)),
        groups=tuple((group, move(column)) for group, column in block.groups),
        window=window,
    )
    added = tuple(replace(each, argument=Argument(Column(_DAYS, each.column)), tests=()) for each in values)
    return gathered, added


def _raw(column: Column) -> Column:
    """The column of dates itself; any other one as it is grouped by."""
    return column._replace(grain=None, part=None) if column.is_date else column
