"""What MetricFlow refuses, fails at or answers wrongly, and is therefore not asked: test_faults.py has the cases."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence, Set
from itertools import combinations

from tests.differential.catalog import TIME, Item
from tests.differential.worlds import CUSTOM_GRAINS

FINE, COARSE = ("millisecond", "second", "minute", "hour", "day"), ("month", "quarter", "year")
ON_SPINE = {"offset_window", "offset_to_grain", "join_to_timespine", "fill_and_timespine"}
VERSIONED = "listing"  # the entity whose rows are valid for a time


def keep_groupable(items: Iterable[Item], features: Set[str]) -> tuple[Item, ...]:
    """Return what the metrics can be grouped or filtered by: some have no parts of dates."""
    if "offset_to_grain" in features or any(name.startswith("cumulative") for name in features):
        items = [item for item in items if not item.date_part]
    if "offset_custom_grain" in features:
        # Whether the version is that of the event or of the shifted time depends on the clock's grain.
        items = [item for item in items if "scd" not in item.features]
    return tuple(items)


def can_group(groups: Sequence[Item], features: Set[str]) -> bool:
    """Whether MetricFlow answers rightly by these groups."""
    clocks = [item for item in groups if item.is_clock]
    if len(clocks) > 1 and features & ON_SPINE and ("offset_nested" in features or not _follow_from_one(clocks)):
        return False  # it joins the days by one of the times only, and so repeats the others
    if _is_total_by_another_name(groups, features) and any("scd" in item.features for item in groups):
        return False  # by metric_time the version is that of the moment shown, by another name that of the event
    return not any(_clash(one, other) for one, other in combinations(groups, 2))


def keep_filterable(
    rng: random.Random, items: Sequence[Item], groups: Sequence[Item], features: Set[str]
) -> tuple[Item, ...]:
    """Return what a question with these groups can be filtered by."""
    if "offset_nested" in features:
        # Otherwise its SQL fails, or takes the greatest of the finer rows that it has grouped by the filter's column.
        return tuple(groups)
    if "cumulative_all_time" in features and not any(item.element == TIME for item in groups):
        # It then counts a row once for each later day.
        items = [item for item in items if not item.is_clock]
    if _is_total_by_another_name(groups, features):
        items = [item for item in items if "scd" not in item.features]
    own_grains = {item.grain for item in groups if item.element == TIME}
    if "offset_custom_grain" in features and own_grains and own_grains <= {*CUSTOM_GRAINS}:
        # It takes the start of the later period for its week, its month and so on.
        items = [item for item in items if not item.is_clock or item.grain in own_grains]
    kept = [item for item in items if not any(_clash(item, group) for group in groups)]
    far = [item for item in kept if _is_far(item)]
    if far and rng.random() < 0.5:
        return tuple(item for item in kept if not any(_clash(item, other) for other in far))
    return tuple(item for item in kept if item not in far)


def _follow_from_one(clocks: Sequence[Item]) -> bool:
    """Whether all the times follow from the finest of them, as months from days."""
    grains = [item.grain for item in clocks if item.grain]
    if any(item.element != TIME for item in clocks):
        return False
    if any(grain in FINE for grain in grains):
        return True
    known = {*grains, *(item.date_part for item in clocks if item.date_part)}
    finest = next((grain for grain in COARSE if grain in grains), None)
    return finest is not None and known <= {*COARSE[COARSE.index(finest) :]}


def _is_total_by_another_name(groups: Sequence[Item], features: Set[str]) -> bool:
    """Whether a running total is by its own time, and not by metric_time."""
    is_total = any(name.startswith(("cumulative", "offset_cumulative")) for name in features)
    clocks = [item for item in groups if item.is_clock]
    return is_total and bool(clocks) and not any(item.element == TIME for item in clocks)


def _clash(one: Item, other: Item) -> bool:
    return _empties(one, other) or _empties(other, one)


def _empties(far: Item, other: Item) -> bool:
    """Whether a version reached in two steps spoils the other: its validity empties what is on the way to it."""
    if not _is_far(far):
        return False
    # From a version on, two steps of another way: an error inside MetricFlow.
    return (other.links == far.links[:1] and "one_hop" in other.features) or other.links[:1] == (VERSIONED,)


def _is_far(item: Item) -> bool:
    return len(item.links) == 2 and item.links[1] == VERSIONED
