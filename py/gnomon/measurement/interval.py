"""Intervals of what is estimated from a probability sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

CONFIDENCE = 0.95
# With fewer groups the variance itself is too rough: measured coverage falls under 92 %.
FEWEST_REPLICATES = 6


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; of a proportion, both ends are between 0 and 1."""

    low: float
    high: float


def bound_proportion(estimate: float, variance: float | None, replicates: int) -> Interval | None:
    """Return the interval of a weighted proportion, or None where there is none to be had.

    `variance` is the design-based one, from the `replicates` groups that have rows; Student's t
    with replicates - 1 degrees of freedom on the logit scale keeps both ends inside 0 and 1
    (Korn and Graubard, Survey Methodology 24, 1998). At 0 and 1 the jackknife sees no spread:
    the far end is then the exact binomial one (Clopper and Pearson, Biometrika 26, 1934) as if
    each group were one unit, the worst that clusters can do. None for values outside 0 to 1.
    """
    if not 0.0 <= estimate <= 1.0 or replicates < FEWEST_REPLICATES:
        return None
    if estimate in (0.0, 1.0):
        far = 1 - (0.5 - CONFIDENCE / 2) ** (1 / replicates)
        return Interval(0.0, far) if estimate == 0.0 else Interval(1 - far, 1.0)
    if variance is None or variance <= 0.0:
        return None
    logit = math.log(estimate / (1 - estimate))
    reach = student_t(replicates - 1) * math.sqrt(variance) / (estimate * (1 - estimate))
    return Interval(_expit(logit - reach), _expit(logit + reach))


def bound_difference(estimate: float, variance: float | None, replicates: int) -> Interval | None:
    """Return the interval of a difference of proportions, or of its growth; None where there is none.

    `variance` is the design-based one, from the `replicates` groups that have rows, of which Student's t
    has replicates - 1 degrees of freedom. Where the jackknife sees no spread there is nothing to go by.
    """
    if replicates < FEWEST_REPLICATES or variance is None or not 0.0 < variance < math.inf:
        return None
    reach = student_t(replicates - 1) * math.sqrt(variance)
    return Interval(estimate - reach, estimate + reach)


@cache
def student_t(degrees: int) -> float:
    """Return the quantile of Student's t at which an interval ends."""
    # scipy.stats would bring a second of imports for the same number.
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
