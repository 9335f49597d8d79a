"""Days of a card, told from the clock of the copy itself, so that its SQL holds for the next copy, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlglot import exp

from gnomon.planner.plan import Plan
from gnomon.planner.sql_parts import interval
from gnomon.publish.metabase.wanted import FieldAddress
from gnomon.publish.serving_copy.contents import DIALECT, SCHEMA, STAMP
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric, Span

CLOCK = "as_of_at"
# They stand for the first and the last day while a question is planned. Each begins or ends a period of every grain,
# so that no period is widened; no question asks for them.
FIRST, LAST = date(1900, 1, 1), date(1905, 12, 31)
_TIMESTAMP = exp.DataType.build("timestamp")


@dataclass(frozen=True)
class Reach:
    """The last `back` days before the clock, without the last `immature` of them; by whole periods of a `grain`.

    The clock's own day is never whole, so at least one is left out.
    """

    back: int
    immature: int
    grain: Grain | None

    @classmethod
    def of(cls, metrics: Iterable[Metric], back: int, grain: Grain | None) -> Reach:
        """Return the days that are mature for all of the metrics."""
        return cls(back, max([1, *(metric.documentation.matures_after_days for metric in metrics)]), grain)

    @property
    def first(self) -> exp.Expr:
        """The first day: that of the first period that begins in these days."""
        if self.grain is None:
            return _before_clock(self.back)
        start = _start_of(self.grain, _before_clock(self.back + 1))
        return exp.cast(exp.Add(this=start, expression=interval(Span(1, self.grain))), "date")

    @property
    def last_start(self) -> exp.Expr:
        """The first day of the last period; without a grain the last day."""
        if self.grain is None:
            return self.last
        end = _start_of(self.grain, _before_clock(self.immature - 1))
        return exp.cast(exp.Sub(this=end, expression=interval(Span(1, self.grain))), "date")

    @property
    def last(self) -> exp.Expr:
        """The last day, that of a whole period."""
        if self.grain is None:
            return _before_clock(self.immature)
        start = exp.cast(_start_of(self.grain, _before_clock(self.immature - 1)), "date")
        return exp.Sub(this=start, expression=exp.Literal.number(1))


def place_days(planned: Plan, reach: Reach, tag: str) -> str:
    """Return the SQL of a plan with the days at each place of the filter `tag`.

    The first day holds only as long as nobody chooses days; the last one always does, as later ones can still change.
    """
    found = next(each for each in planned.filters if each.name == tag)
    column = exp.column(found.column, table=found.table, db=found.schema, quoted=True)
    until = exp.LTE(this=column, expression=reach.last).sql(DIALECT)
    since = exp.GTE(this=column.copy(), expression=reach.first).sql(DIALECT)
    place = f"[[AND {{{{{tag}}}}}]]"
    return planned.sql.replace(place, f"AND {until}\n    AND ({since} [[OR {{{{{tag}}}}}]])\n    {place}")


def fix_days(planned: Plan, reach: Reach) -> str | None:
    """Return the SQL of a plan from FIRST to LAST with the days in their place; None if it computes with them."""
    shown = planned.sql
    for moment, day, is_end in (
        (datetime.combine(FIRST, time.min), reach.first, False),
        (datetime.combine(LAST, time.max), reach.last, True),
    ):
        literal = exp.cast(exp.Literal.string(moment.isoformat(sep=" ")), _TIMESTAMP.copy()).sql(DIALECT)
        shown = shown.replace(literal, _as_moment(day, is_end=is_end).sql(DIALECT))
    left = (f"'{year}-" for year in range(FIRST.year - 2, LAST.year + 3))
    return None if shown == planned.sql or any(each in shown for each in left) else shown


def address(planned: Plan, tag: str) -> FieldAddress:
    """Return the column that a filter of a plan is over."""
    found = next(each for each in planned.filters if each.name == tag)
    return FieldAddress(found.schema, found.table, found.column)


def _as_moment(day: exp.Expr, *, is_end: bool) -> exp.Expr:
    moment = exp.cast(day, _TIMESTAMP.copy())
    if not is_end:
        return moment
    span = exp.Interval(this=exp.Literal.string("86399.999999 second"))
    return exp.Paren(this=exp.Add(this=moment, expression=span))


def _before_clock(days: int) -> exp.Expr:
    clock = exp.cast(exp.column(CLOCK, quoted=True), "date")
    stamp = exp.table_(STAMP, db=SCHEMA, quoted=True)
    asked = exp.Subquery(this=exp.select(clock).from_(stamp))
    return exp.Paren(this=exp.Sub(this=asked, expression=exp.Literal.number(days))) if days else asked


def _start_of(grain: Grain, day: exp.Expr) -> exp.Expr:
    return exp.Anonymous(
        this="DATE_TRUNC", expressions=[exp.Literal.string(grain.value), exp.cast(day, _TIMESTAMP.copy())]
    )
