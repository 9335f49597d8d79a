"""How busy a day is: the year, the campaigns of the shop calendar, by region."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gnomon.core.errors import QueryError
from gnomon.simulate.world import REGIONS, Floats

SOUTH_EAST_ASIA = ("ID", "TH", "VN", "PH", "MY", "SG")


@dataclass(frozen=True)
class Campaign:
    """Days on which more (or less) is watched and bought than usual; both dates belong to it."""

    name: str
    first: date
    last: date
    regions: tuple[str, ...]
    demand: float
    orders: float


# Dates are the public ones (moon sightings move Ramadan by a day between countries); lifts are invented.
_LUNAR_NEW_YEARS = (date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6), date(2028, 1, 26))
_RAMADANS = (
    (date(2024, 3, 12), date(2024, 4, 9)),
    (date(2025, 3, 1), date(2025, 3, 30)),
    (date(2026, 2, 19), date(2026, 3, 19)),
    (date(2027, 2, 8), date(2027, 3, 9)),
    (date(2028, 1, 28), date(2028, 2, 25)),
)
_FIRST_YEAR, _LAST_YEAR = 2024, 2028
# The days of which all campaigns are known: none lies between 12.12 and the end of its year.
_KNOWN_FROM, _KNOWN_UNTIL = date(_FIRST_YEAR - 1, 12, 13), date(_LAST_YEAR, 12, 31)
# Of so many days before a world there are totals.
HISTORY_DAYS = 730


def list_campaigns() -> tuple[Campaign, ...]:
    """Return the campaigns of the years that the calendar covers, in the order of their first day."""
    found = []
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1):
        found += [
            Campaign(
                f"{year}-{month:02d}-{month:02d} double day", *(date(year, month, month),) * 2, SOUTH_EAST_ASIA, *lift
            )
            for month, lift in {**dict.fromkeys(range(3, 11), (1.05, 1.5)), 12: (1.15, 2.2)}.items()
        ]
        found.append(Campaign(f"{year} 11.11", date(year, 11, 11), date(year, 11, 11), tuple(REGIONS), 1.25, 3.0))
        friday = _find_black_friday(year)
        found.append(Campaign(f"{year} Black Friday", friday, friday + timedelta(3), ("GB", "US"), 1.2, 2.6))
    for day in _LUNAR_NEW_YEARS:
        where = ("VN", "MY", "SG")
        found.append(
            Campaign(f"{day.year} Lunar New Year sale", day - timedelta(14), day - timedelta(3), where, 1.08, 1.6)
        )
        found.append(Campaign(f"{day.year} Lunar New Year", day - timedelta(2), day + timedelta(4), where, 1.2, 0.5))
    for first, last in _RAMADANS:
        found.append(Campaign(f"{first.year} Ramadan", first, last, ("ID", "MY"), 1.15, 1.35))
    return tuple(sorted(found, key=lambda campaign: (campaign.first, campaign.name)))


def _find_black_friday(year: int) -> date:
    """Return the day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta((3 - first.weekday()) % 7 + 21 + 1)


_CAMPAIGNS = list_campaigns()


def check_calendar(start: date, days: int) -> None:
    """Raise QueryError if a world of so many days, or the two years before it, has days of unknown campaigns."""
    earliest = _KNOWN_FROM + timedelta(HISTORY_DAYS)
    if start < earliest or days > (_KNOWN_UNTIL - start).days + 1:
        raise QueryError(
            f"start {start}, days {days}: campaigns are known from {_KNOWN_FROM} to {_KNOWN_UNTIL}, and two years lie "
            f"before a world. It starts on {earliest} or later, and its last day is {_KNOWN_UNTIL} or earlier."
        )


def lift_demand(day: date) -> Floats:
    """Return the factor of the year and its campaigns on what is watched, by region."""
    turn = 2 * np.pi * (day.timetuple().tm_yday - 355) / 365.25
    # People watch a little more around the turn of the year.
    return np.asarray(_combine(day, "demand") * (1.0 + 0.05 * np.cos(turn)), dtype=np.float64)


def lift_orders(day: date) -> Floats:
    """Return the factor of the campaigns on what is bought by those who watch, by region."""
    return _combine(day, "orders")


def _combine(day: date, what: str) -> Floats:
    factor = np.ones(len(REGIONS))
    for campaign in _CAMPAIGNS:
        if campaign.first <= day <= campaign.last:
            factor *= np.where(np.isin(REGIONS, campaign.regions), getattr(campaign, what), 1.0)
    return factor
