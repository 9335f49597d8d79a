"""Where the values of a period go to the one a span later, and no time spine has to say that it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gnomon.planner.algebra import TOTALS, Answer, Block, Bound, Column, Condition, MoveOn, Scan, Times
from gnomon.planner.draft import TimeRange
from gnomon.planner.filters import Filter
from gnomon.planner.references import Reference, find_key_time, order_of_times
from gnomon.semantic.grain import CustomGrain, Grain
from gnomon.semantic.model import Offset


def move_on(
    times: tuple[Reference, ...],
    others: tuple[str, ...],
    offset: Offset,
    filters: tuple[Filter, ...],
    bounds: TimeRange | None,
    name_of: Callable[[Reference], str],
) -> MoveOn | None:
    """Return the step; None if two periods go to the same one, or something asked of time does not follow from it."""
    first = min(times, key=order_of_times)
    asked = (*times, *(reference for each in filters for reference in each.references))
    period, back, key = find_key_time(asked), offset.back, name_of(first)
    if not offset.by_period or back is None or period is None or first.grain is not period:
        return None
    if not _is_one_to_one(period, back.grain) or not all(map(_is_standard, asked)):
        return None
    if bounds is not None and bounds.whole is not period and (
        period is Grain.WEEK or bounds.whole.is_finer_than(period)
    ):  # fmt: skip
        return None

    def read(reference: Reference) -> Column:
        assert not isinstance(reference.grain, CustomGrain)
        return Column("", key, None if reference.grain is period else reference.grain, reference.part)

    limits = () if bounds is None else (Bound(Column(TOTALS, key), bounds.start, bounds.end, period, back),)
    tests = tuple(Condition(each, tuple(map(read, each.references))) for each in filters)
    return MoveOn(key, back, limits, tests, Times(tuple((name_of(time), read(time)) for time in times), others))


def bound_rows(block: Block) -> Block:
    """Return the block with the rows of periods that its first step leaves out left out before they are added up."""
    step = block.steps[0]
    if not isinstance(step, MoveOn) or not step.bounds:
        return block
    if isinstance(block.source, Answer):
        parts = tuple((_bound(inner, step), values) for inner, values in block.source.blocks)
        return replace(block, source=replace(block.source, blocks=parts))
    bound = _bound(replace(block, steps=()), step)
    # What the rows are held to the totals need not be.
    moved = replace(step, bounds=()) if bound.source != block.source else step
    return replace(bound, steps=(moved, *block.steps[1:]))


def _bound(block: Block, step: MoveOn) -> Block:
    scan = block.source
    # What stands at the last moment of all is not to be looked for among fewer; steps may look at other periods.
    if not isinstance(scan, Scan) or scan.spread is not None or block.window is not None or block.steps:
        return block
    period = dict(block.groups)[step.key]
    tests = tuple(replace(bound, column=period) for bound in step.bounds)
    return replace(block, source=replace(scan, tests=(*scan.tests, *tests)))


def _is_one_to_one(period: Grain, by: Grain | CustomGrain) -> bool:
    """Tell whether a span later begins one other period: a month after a day does not, as months end on unlike days."""
    if isinstance(by, CustomGrain) or by.is_finer_than(period):
        return False
    return Grain.WEEK.is_finer_than(by) == Grain.WEEK.is_finer_than(period)


def _is_standard(reference: Reference) -> bool:
    return reference.part is not None or isinstance(reference.grain, Grain)
