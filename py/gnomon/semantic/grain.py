"""Time grains, ordered from fine to coarse as MetricFlow orders them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Grain(Enum):
    """A standard time grain; its value is the word in names and in DATE_TRUNC."""

    NANOSECOND = "nanosecond"
    MICROSECOND = "microsecond"
    MILLISECOND = "millisecond"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    def is_finer_than(self, other: Grain) -> bool:
        """Tell whether this grain is strictly finer than `other`."""
        return _ORDER[self] < _ORDER[other]

    @classmethod
    def coarsest(cls, grains: tuple[Grain, ...]) -> Grain:
        """Return the coarsest of the grains."""
        return max(grains, key=_ORDER.__getitem__)

    @classmethod
    def finest(cls, grains: tuple[Grain, ...]) -> Grain:
        """Return the finest of the grains."""
        return min(grains, key=_ORDER.__getitem__)


_ORDER = {grain: place for place, grain in enumerate(Grain)}


@dataclass(frozen=True)
class CustomGrain:
    """A grain of a project's own, such as a retail month: a column of the time spine at `base`."""

    value: str
    base: Grain
    column: str
    relation: str
    base_column: str


AnyGrain = Grain | CustomGrain


def base_of(grain: AnyGrain) -> Grain:
    """Return the standard grain that a grain is made of: itself, or a custom one's base."""
    return grain.base if isinstance(grain, CustomGrain) else grain


class DatePart(Enum):
    """A part of a moment that recurs, such as the month of the year; its value stands in names."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"
    DOW = "dow"
    DOY = "doy"

    @property
    def coarsest_grain(self) -> Grain:
        """The coarsest grain that still knows this part."""
        return _PART_GRAINS[self]


_PART_GRAINS = {
    DatePart.YEAR: Grain.YEAR,
    DatePart.QUARTER: Grain.QUARTER,
    DatePart.MONTH: Grain.MONTH,
    DatePart.DAY: Grain.DAY,
    DatePart.DOW: Grain.DAY,
    DatePart.DOY: Grain.DAY,
}
