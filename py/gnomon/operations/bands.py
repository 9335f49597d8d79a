"""What is usual, by history: a median and a robust spread around it, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

# The median absolute deviation of a normal, times this, is its standard deviation (Hampel, 1974).
_NORMAL = 1.4826


@dataclass(frozen=True)
class Band:
    """The usual range of a positive number; both ends belong to it."""

    low: float
    centre: float
    high: float


def measure_spread(values: Sequence[float]) -> float:
    """Return the robust standard deviation of the logarithms of `values`, all above 0."""
    logs = [log(value) for value in values]
    centre = median(logs)
    return _NORMAL * median(abs(value - centre) for value in logs)


def draw_band(values: Sequence[float], least_spread: float, width: float) -> Band:
    """Return the band of `width` spreads on each side of the median of `values`, all above 0.

    `least_spread` keeps a history that never moved from calling every next number an outlier.
    """
    centre = median(log(value) for value in values)
    reach = width * max(measure_spread(values), least_spread)
    return Band(exp(centre - reach), exp(centre), exp(centre + reach))
