"""Time zones of a question: whether times that are kept in UTC can be said in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.semantic.grain import Grain

_HOUR = timedelta(hours=1)
# Law changes offsets at most a few times a year; clocks stood by whole minutes in all of this time.
_YEARS = range(1990, 2038)


def check_zone(name: str) -> str:
    """Return the name of a time zone as the IANA database writes it; QueryError if there is none."""
    if name not in _list_zones():
        raise QueryError(explain_unknown("time zone", name, _list_zones()))
    return name


@cache
def _list_zones() -> frozenset[str]:
    """All names; the machine's folder of zones is read once."""
    return frozenset(available_timezones())


def check_kept(name: str, metric: str, zone: str, grain: Grain) -> None:
    """Refuse a time whose periods in UTC do not make whole periods of the zone."""
    if not grain.is_finer_than(Grain.DAY):
        raise QueryError(
            f"'{name}' of metric '{metric}' is kept by {grain.value} in UTC, and days of {zone} cannot be made of it. "
            "Leave out the time zone, or keep the time by hour or finer."
        )
    if grain is Grain.HOUR and not _keeps_whole_hours(zone):
        raise QueryError(
            f"'{name}' of metric '{metric}' is kept by hour in UTC, and {zone} is not always whole hours away from it. "
            "Leave out the time zone, or keep the time by minute or finer."
        )


@cache
def _keeps_whole_hours(zone: str) -> bool:
    there = ZoneInfo(zone)
    moments = (datetime(year, month, 1, tzinfo=UTC) for year in _YEARS for month in range(1, 13))
    return all((moment.astimezone(there).utcoffset() or _HOUR) % _HOUR == timedelta(0) for moment in moments)
