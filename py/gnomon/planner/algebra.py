"""The relations that a plan is made of, from rows of tables to the answer; each knows its grain.

A block is one relation: rows of a source, brought to the grain of its groups, and then taken through steps.
Everything here is immutable and compares by value, so that equal work is seen and done once. Columns
are symbols; SQL is written from them at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlglot import exp

from gnomon.planner.compiled import Hop
from gnomon.planner.filters import Filter
from gnomon.semantic.grain import DatePart, Grain
from gnomon.semantic.model import Accumulation, Aggregation, Offset, Percentile, PeriodValue, Span, TimeSpine

# Names of dimensions and entities begin with a letter, so no group can be called these; IS_OTHER is refused as one.
SPINE = "__spine"
TOTALS = "totals"
MOMENT = "__moment"
PRESENT = "__present"
NEXT = "__next"
KEYS = "__keys"
IS_OTHER = "is_other"
IS_ROW = "__is_row"
IS_SUPPRESSED = "is_suppressed"
HAS_PREFIX = "__has:"


class Column(NamedTuple):
    """SQL over the table called `table`, truncated to a grain, or a part of it.

    One that `is_marked` is null where the join found no row, whatever its SQL makes of nulls. With a
    `zone`, the SQL gives a moment in UTC, and the column is the time that clocks showed there. `is_date` says
    that the SQL gives dates, without a time of day, and `is_key` that it names rows of some table.
    """

    table: str
    expr: str
    grain: Grain | None = None
    part: DatePart | None = None
    is_marked: bool = False
    zone: str | None = None
    is_date: bool = False
    is_key: bool = False


@dataclass(frozen=True)
class Condition:
    """A filter with a column for each of its references."""

    filter: Filter
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Bound:
    """A column between two moments, both included: the first and the last one of periods of `grain`.

    With `back`, it is between the moments a span before them; such periods begin a span apart.
    """

    column: Column
    low: datetime | None
    high: datetime | None
    grain: Grain
    back: Span | None = None


Test = Condition | Bound


@dataclass(frozen=True)
class Validity:
    """The moment at which a joined row must count, and its start and its open or excluded end."""

    moment: Column
    start: Column
    end: Column


@dataclass(frozen=True)
class Join:
    """A join to the one row for which the pairs are equal; what is joined is a table or an answer.

    NULLs are equal to nothing, unless the join `meets_nulls`. The rows stay as they are, unless `keeps_both`:
    then rows of either side stay. With `marks`, PRESENT is true in the rows that were found. `hops` lead from
    the scan's table to a semantic model's.
    """

    alias: str
    target: str | Restricted | Answer | Top
    equal: tuple[tuple[Column, Column], ...]
    validity: Validity | None = None
    meets_nulls: bool = False
    keeps_both: bool = False
    marks: bool = False
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True)
class Restricted:
    """A table of which only the rows of `scan` are there, with all its columns and none of what it joins."""

    scan: Scan


@dataclass(frozen=True)
class Days:
    """The rows of a scan, added up by columns that are not truncated yet, under the names given to them."""

    scan: Scan
    columns: tuple[tuple[str, Column], ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Latest:
    """The number of keys, under KEYS, that have a row of a scan at MOMENT and the one after it at NEXT, or none.

    They are counted by columns, under the names given to them; a key of other columns is another one.
    """

    scan: Scan
    columns: tuple[tuple[str, Column], ...]
    key: Column
    moment: Column


@dataclass(frozen=True)
class SpineRows:
    """The periods of a time spine that pass the tests; `joins` lead to grains of a project's own."""

    spine: TimeSpine
    tests: tuple[Test, ...] = ()
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True)
class Spread:
    """Rows stand under other times than their own: those up to which they add up, or later ones.

    `moment` is the rows' own time, joined at its grain. Shifted to a start of a period, a row stays only
    under the first moment of one of `periods`. Shifted by periods of a grain of the project's own, a moment
    goes to the same place in a later period, or with `leads_grain` the period itself does. A row with `until`
    stands under earlier moments only.
    """

    rows: SpineRows
    moment: Column
    how: Accumulation | Offset
    periods: tuple[Column, ...] = ()
    leads_grain: bool = False
    until: Column | None = None


@dataclass(frozen=True)
class Scan:
    """The rows of a table with what is joined to them, under tests. Its grain is the table's row."""

    alias: str
    relation: str | Restricted | Days | Latest
    joins: tuple[Join, ...] = ()
    tests: tuple[Test, ...] = ()
    spread: Spread | None = None


@dataclass(frozen=True)
class Side:
    """One side of a conversion: its rows, and where their time, entity and constants stand."""

    scan: Scan
    moment: Column
    entity: Column
    constants: tuple[Column, ...]


@dataclass(frozen=True)
class Conversions:
    """Acts that follow an act of the base within a window; each stands with the latest base act before it.

    Groups are columns of the base, values of the converted act. Its grain is the converted act.
    """

    base: Side
    converted: Side
    window: Span | None


@dataclass(frozen=True)
class Window:
    """Keep the rows at the first or last moment of each partition (semi-additive measures)."""

    moment: Column
    takes_last: bool
    partitions: tuple[Column, ...]
    groupings: tuple[Column, ...]


@dataclass(frozen=True)
class Times:
    """The groups that are times, each with the column that it is read from; and those that are not."""

    columns: tuple[tuple[str, Column], ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Accumulate:
    """From totals by period, under MOMENT, to totals over a window up to each period of a spine."""

    over: Accumulation
    grain: Grain
    rows: SpineRows
    times: Times


@dataclass(frozen=True)
class OnSpine:
    """Take the times from a spine by the keys: an inner join if shifted, else a left join that adds empty periods.

    A shift has one key, a time from which all other times of the groups follow.
    """

    rows: SpineRows
    times: Times
    keys: tuple[str, ...]
    offset: Offset | None
    keeps_empty: bool


@dataclass(frozen=True)
class MoveOn:
    """Take totals from their period, the time `key`, to the one a span later, where that passes the tests.

    Periods follow one another one to one, so no spine is asked; totals of no time go nowhere. Bounds are of the
    period before, tests and times of the later one.
    """

    key: str
    by: Span
    bounds: tuple[Bound, ...]
    tests: tuple[Condition, ...]
    times: Times


@dataclass(frozen=True)
class PickPeriod:
    """From values by MOMENT to one for each period: the first, the last or the average."""

    value: PeriodValue
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Keep:
    """Keep the rows that pass filters over the groups; each reference stands for a group by name."""

    filters: tuple[Filter, ...]


Step = Accumulate | OnSpine | MoveOn | PickPeriod | Keep


class Given(NamedTuple):
    """The rows that contribute to a value, or with `is_rest` those that do not.

    A row without the key that is counted has the first of `more_keys` that is there.
    """

    value: Value
    is_rest: bool = False
    more_keys: tuple[Column, ...] = ()


class Argument(NamedTuple):
    """What is aggregated: a column, or 1 where it is true (`counts_true`) or not null (`counts_present`).

    With `weight`, the column holds sums of so many values, of which the average is asked. With `given`, it holds the
    key of a unit, which is there in these rows only; rows without a key are of one unit that nobody knows.
    """

    column: Column
    counts_true: bool = False
    counts_present: bool = False
    weight: Column | None = None
    given: Given | None = None

    @property
    def is_count(self) -> bool:
        """Tell whether ones are added up."""
        return self.counts_true or self.counts_present


@dataclass(frozen=True)
class Value:
    """An aggregate of a measure under a column's name; `fill` stands where it is null.

    Only an asked one may add rows. It is over the rows that pass `tests`, and null where there is none.
    """

    column: str
    measure: str
    aggregation: Aggregation
    argument: Argument
    percentile: Percentile | None
    fill: int | None
    is_asked: bool
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Block:
    """One relation at the grain of its groups."""

    source: Scan | Conversions | Answer
    groups: tuple[tuple[str, Column], ...]
    window: Window | None = None
    steps: tuple[Step, ...] = ()


Part = tuple[Block, tuple[Value, ...]]


@dataclass(frozen=True)
class Answer:
    """Blocks stitched on the shared groups, and formulas over their values. Its grain is the groups.

    A formula may ask __has:COLUMN, which is true where the block of that value has the row. `totals` are
    by some of the groups only; each row takes the values of its own. `variances` are those of formulas.
    """

    groups: tuple[str, ...] = ()
    blocks: tuple[Part, ...] = ()
    formulas: tuple[tuple[str, exp.Expr], ...] = ()
    totals: tuple[Answer, ...] = ()
    variances: tuple[Variance, ...] = ()


@dataclass(frozen=True)
class Top:
    """The first `count` groups of an answer, ranked by a formula and then by themselves; IS_OTHER is false in them.

    With `needs_value` a group without a value is none of them.
    """

    answer: Answer
    by: str
    is_descending: bool
    count: int
    needs_value: bool = False


@dataclass(frozen=True)
class Variance:
    """The variance of a formula over sampled sums, from the `replicates` groups of the design.

    `is_of_proportion` if the formula is one sum divided by another. Each block of `parts` has the replicate
    group as its last group.
    """

    column: str
    formula: exp.Expr
    parts: tuple[Part, ...]
    replicates: int
    is_of_proportion: bool


def carry(step: Step, group: str) -> Step:
    """Return a step that takes one more group along, which is no time."""
    match step:
        case Accumulate() | OnSpine() | MoveOn():
            return replace(step, times=replace(step.times, others=(*step.times.others, group)))
        case PickPeriod():
            return replace(step, groups=(*step.groups, group))
    return step


def list_parts(answer: Answer) -> Iterator[Part]:
    """Yield the blocks of an answer and of every answer inside it, each with its values."""
    parts = [*answer.blocks, *(part for variance in answer.variances for part in variance.parts)]
    inner = list(answer.totals)
    for block, values in parts:
        if isinstance(block.source, Answer):
            inner.append(block.source)
            continue
        yield block, values
        joins = block.source.joins if isinstance(block.source, Scan) else ()
        for target in (join.target for join in joins):
            if isinstance(target, Answer | Top):
                inner.append(target.answer if isinstance(target, Top) else target)
    for each in inner:
        yield from list_parts(each)
