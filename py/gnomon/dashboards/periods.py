"""Days: what range a tile shows, which periods of it are whole, and which days are mature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gnomon.core.errors import QueryError
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """Days of UTC, both ends included."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1


def choose_days(as_of: datetime, last_days: int, first: date | None, last: date | None) -> Days:
    """Return the range of a dashboard: what is asked for, else its `last_days` whole days before the build's clock.

    QueryError for a range that ends before it begins, or after the last whole day.
    """
    newest = find_last_whole_day(as_of)
    if last is not None and last > newest:
        raise QueryError(
            f"--to {last} is after the last whole day of the data, {newest} (UTC). Name that day or one before it."
        )
    end = last or newest
    start = first or end - (last_days - 1) * _DAY
    if start > end:
        raise QueryError(f"--from {start} is after the last day, {end}. Name a day before it.")
    return Days(start, end)


def find_last_whole_day(as_of: datetime) -> date:
    """Return the last day that was over at the build's clock."""
    return as_of.date() - _DAY


def find_mature_day(metrics: Iterable[Metric], as_of: datetime) -> date:
    """Return the last day that is over and mature for all of the metrics."""
    return min([find_last_whole_day(as_of), *(metric.documentation.mature_until(as_of) for metric in metrics)])


def keep_whole_periods(days: Days, grain: Grain) -> Days | None:
    """Return the days of the periods that lie wholly in `days`; None if there is none."""
    first = find_period_start(days.first, grain)
    if first < days.first:
        first = find_next_period(first, grain)
    end = find_period_start(days.last + _DAY, grain)
    return Days(first, end - _DAY) if first < end else None


def find_period_start(day: date, grain: Grain) -> date:
    """Return the first day of the period that a day lies in; weeks begin on Monday."""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - day.weekday() * _DAY
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case _:
            raise ValueError(f"{grain} is finer than a day")


def find_next_period(start: date, grain: Grain) -> date:
    """Return the first day of the period after the one that begins at `start`."""
    # No period is longer than 366 days, and the next one is shorter than 400 days away.
    longest = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}
    return find_period_start(start + longest[grain] * _DAY, grain)


def is_mature(start: date, grain: Grain, mature_until: date) -> bool:
    """Tell whether the whole of a period is mature."""
    return find_next_period(start, grain) - _DAY <= mature_until


def list_periods(days: Days, grain: Grain) -> tuple[date, ...]:
    """Return the first day of each period of whole periods."""
    found = [days.first]
    while (following := find_next_period(found[-1], grain)) <= days.last:
        found.append(following)
    return tuple(found)
