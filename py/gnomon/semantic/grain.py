"""Time grains, ordered from fine to coarse as MetricFlow orders them."""

from __future__ import annotations

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
