"""Whether a change is for the better and a target is met: by the metric's direction, and no more than is sure."""

from __future__ import annotations

from enum import Enum

from gnomon.dashboards.answers import Figure
from gnomon.semantic.model import Metric

# What is less is nothing to the digits that a change is shown with: a growth, a difference of rates, of scores.
_LEAST = {"rate": 0.0005, "points": 0.00005, "score": 0.05}


class Verdict(Enum):
    """What can be said of a change or of a target."""

    GOOD = "good"
    BAD = "bad"
    UNCLEAR = "unclear"
    NONE = "none"


def judge_change(metric: Metric, changed: Metric, change: Figure) -> Verdict:
    """Return whether a change is for the better; it is unclear where its interval holds no change.

    There is no verdict on a metric without a direction, or without a change.
    """
    direction = metric.documentation.direction
    if change.value is None or is_unchanged(changed, change) or direction not in ("up", "down"):
        return Verdict.NONE
    if change.low is not None and change.high is not None and change.low <= 0 <= change.high:
        return Verdict.UNCLEAR
    return Verdict.GOOD if (change.value > 0) == (direction == "up") else Verdict.BAD


def is_unchanged(changed: Metric, change: Figure) -> bool:
    """Tell whether a change, of which `changed` is the definition, is nothing to the digits that it is shown with."""
    if change.value is None:
        return False
    return change.value == 0 or abs(change.value) < _LEAST.get(changed.documentation.unit, 0.0)


def judge_target(metric: Metric, figure: Figure) -> Verdict:
    """Return whether the target is met; it is unclear where the interval holds the target."""
    target = metric.documentation.target
    if target is None or figure.value is None:
        return Verdict.NONE
    if figure.low is not None and figure.high is not None and figure.low <= target <= figure.high:
        return Verdict.UNCLEAR
    is_met = figure.value >= target if metric.documentation.direction == "up" else figure.value <= target
    return Verdict.GOOD if is_met else Verdict.BAD
