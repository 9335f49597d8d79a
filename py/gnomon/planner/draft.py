"""What the passes hand each other: a draft, in which each of them fills in or changes one part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.core.names import MetricName
from gnomon.planner.algebra import Answer, Block, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.copy import Copy
from gnomon.planner.filters import Filter
from gnomon.planner.question import Question
from gnomon.planner.references import Reference
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Accumulation, Conversion, Measure, Metric, Offset, SemanticModel


@dataclass(frozen=True)
class Ordering:
    """A column of the answer to sort by."""

    column: str
    is_descending: bool


# Bounds that stand for any: no question asks for these moments, and they are not widened.
ANY_START, ANY_END = datetime(1, 1, 1, microsecond=1), datetime(1, 1, 1, microsecond=2)
ANY_START_BEFORE, ANY_END_BEFORE = datetime(1, 1, 1, microsecond=3), datetime(1, 1, 1, microsecond=4)


@dataclass(frozen=True)
class TimeRange:
    """Bounds of metric_time, both included; widened to whole periods of the `grain` asked for."""

    start: datetime | None
    end: datetime | None
    grain: Grain

    @property
    def whole(self) -> Grain:
        """The coarsest grain of which the bounds cut no period; below seconds they are not widened."""
        return Grain.MICROSECOND if self.grain.is_finer_than(Grain.SECOND) else self.grain

    @property
    def before(self) -> TimeRange:
        """The range of the same length right before; QueryError if it has no length, or begins before year 1."""
        if self.start is None or self.end is None:
            raise QueryError("the time range before is as long as the one asked for: it needs both a start and an end.")
        # As many days before a month is no month.
        grain = Grain.DAY if Grain.WEEK.is_finer_than(self.grain) else self.grain
        if self.start == ANY_START:
            return TimeRange(ANY_START_BEFORE, ANY_END_BEFORE, grain)
        tick = timedelta(microseconds=1)
        try:
            return TimeRange(self.start - (self.end - self.start) - tick, self.start - tick, grain)
        except OverflowError:
            raise QueryError("the time range before begins before the first year. Ask for a shorter one.") from None


@dataclass(frozen=True)
class Resolved:
    """A question whose every name is known. `companions` count the units behind the metrics."""

    metrics: tuple[Metric, ...] = ()
    companions: tuple[Metric, ...] = ()
    groups: tuple[Reference, ...] = ()
    filters: tuple[Filter, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    time_range: TimeRange | None = None
    applies_floors: bool = False
    top: int | None = None


@dataclass(frozen=True)
class Count:
    """What a leaf counts in the place of its measure: keys of entities, SQL over its model's table, the first there is.

    They are counted in the rows that contribute to `of`, the measure; with `is_rest` in the others.
    """

    keys: tuple[str, ...]
    of: Measure
    is_rest: bool = False


@dataclass(frozen=True)
class Leaf:
    """A measure under all that leads to it; `column` is its name in the plan.

    `own` filters are those of its definition, `outer` ones of what uses it. With `converts`, it is
    the conversions of that metric, and the measure is the base's.
    """

    column: str
    metric: MetricName
    model: SemanticModel
    measure: Measure
    own: tuple[Filter, ...]
    outer: tuple[Filter, ...]
    time_range: TimeRange | None
    is_asked: bool
    joins_spine: bool = False
    fill: int | None = None
    offset: Offset | None = None
    accumulation: Accumulation | None = None
    converts: Conversion | None = None
    counts: Count | None = None


@dataclass(frozen=True)
class Nested:
    """A metric made of other metrics, computed as a whole and then shifted in time.

    `timed` filters hold for the moments that it is shifted to, `kept` ones for the groups after it.
    """

    column: str
    metric: MetricName
    inner: Expanded
    timed: tuple[Filter, ...]
    kept: tuple[Filter, ...]
    time_range: TimeRange | None
    offset: Offset
    is_asked: bool


@dataclass(frozen=True)
class Cell:
    """The formulas that count the units behind one value, and behind what filters leave out of it.

    `unstated` are left out by the filters of its definition, `rests` by the question's own: by all of them at once and
    by each alone.
    """

    counted: str
    unstated: str | None = None
    rests: tuple[Cell, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of these formulas."""
        own = (self.counted,) if self.unstated is None else (self.counted, self.unstated)
        return (*own, *(column for rest in self.rests for column in rest.columns))


@dataclass(frozen=True)
class Expanded:
    """The leaves, and each metric as a formula over their columns and those of the totals.

    `totals` are by some of the groups only, and their formulas have names that no leaf has. `cells` are the values
    that everything is made of, where their units are counted.
    """

    groups: tuple[Reference, ...] = ()
    leaves: tuple[Leaf | Nested, ...] = ()
    formulas: tuple[tuple[str, exp.Expr], ...] = ()
    totals: tuple[Expanded, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def counts(self) -> tuple[str, ...]:
        """The formulas of all cells, each once."""
        return tuple(dict.fromkeys(column for cell in self.cells for column in cell.columns))


@dataclass(frozen=True)
class Placed:
    """Each leaf's value with the relation that it is aggregated in, and the answers that are totals."""

    values: tuple[tuple[Block, Value], ...] = ()
    totals: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A question on its way to SQL; a part is empty until its pass has run.

    `sizes` are the numbers of rows of the rollups that exist, by name; `rollups` are those that the answer
    reads, and `why` says of each relation why it is read from what it is read from. A question for a `copy` reads no
    table that the copy does not hold.
    """

    question: Question = field(default_factory=Question)
    sizes: Mapping[str, int] = field(default_factory=dict)
    copy: Copy | None = None
    resolved: Resolved = Resolved()
    expanded: Expanded = Expanded()
    placed: Placed = Placed()
    answer: Answer = field(default_factory=Answer)
    rollups: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    query: exp.Select | None = None


Pass = Callable[[Compiled, Draft], Draft]
