"""Where MetricFlow's own answer is wrong: such questions are counted and left out where ours differs.

Each fault has a minimal case and the reason why our answer differs.
"""

from __future__ import annotations

import re

from tests.differential.questions import Asked

SELECTED = re.compile(r"-- Select: \[(.*?)\]", re.DOTALL)
OWN_TIME = re.compile(r"metric_time|order_date|ordered_at|shipped_on|visit_date|visited_at|refunded_on|as_of")
REFERENCE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
VALIDITY = re.compile(r"'(\w+)__valid_from__day'")

# orders grouped by shopper__home and shopper__listing__tier, where the tier is valid for a time only: MetricFlow
# joins users and versions first, then both at once to orders where a version is valid. An order of a time
# without a version so loses its shopper's home, which has nothing to do with versions.
LOST_ATTRIBUTES = "the validity of a version empties the columns of the table on the way to it"


# A metric of a week ago, filtered by `metric_time > '2024-02-01' or shopper__home = 'x'`: MetricFlow holds the whole
# filter against the rows before it shifts them, so that the time in it is a week too early; and again after it.
SHIFTED_TIME = "a filter over time and something else is held against the time before the shift"

# orders of all time, not grouped by time, where metric_time is after 1 February: MetricFlow joins every order to each
# later day of the spine because of the filter, and adds up all those totals.
ALL_DAYS = "the totals of all days are added up"


# orders of the retail month before, by listing__tier, where orders are kept by the hour: MetricFlow joins the tier of
# the hour of the order, and the tier of the later time wherever orders are kept by the day or the shift is by days.
UNSHIFTED_VALIDITY = "a shift by a grain of the project's own leaves the time of validity where it was"


# A ratio of a week ago, filtered by shopper__home and grouped by time: MetricFlow groups by shopper__home, too,
# filters, and leaves the column out without adding up, so that a time stands in several rows.
REPEATED_ROWS = "a nested metric shifted in time has a row for each value of what it is filtered by"


# What is joined to the time spine, by metric_time__quarter and metric_time__tenday: MetricFlow joins by one of them
# only, so that every tenday of a quarter gets the values of all its tendays.
ONE_KEY = "several times are joined by one of them"


def find_fault(asked: Asked, theirs: str) -> str | None:
    """Return why MetricFlow's answer to a question is wrong, or None where it is not known to be."""
    if any(_loses_attributes(names) for names in SELECTED.findall(theirs)):
        return LOST_ATTRIBUTES
    spoken = [[_speaks_of_time(each) for each in REFERENCE.findall(text)] for text in asked.where]
    is_shifted = any(feature.startswith("offset") for feature in asked.features)
    if is_shifted and any(any(each) and not all(each) for each in spoken):
        return SHIFTED_TIME
    if "cumulative_all_time" in asked.features and "metric_time" not in asked.features and any(map(any, spoken)):
        return ALL_DAYS
    if (
        "offset_custom_grain" in asked.features
        and {"scd", "where_scd"} & asked.features
        and "metric_time__hour >=" in theirs
    ):
        return UNSHIFTED_VALIDITY
    if is_shifted and "derived_nested" in asked.features and asked.where:
        return REPEATED_ROWS
    on_spine = is_shifted or {"join_to_timespine", "fill_and_timespine"} & asked.features
    if on_spine and sum(OWN_TIME.search(word) is not None for word in asked.group_by) > 1:
        return ONE_KEY
    return None


def _speaks_of_time(reference: str) -> bool:
    return not reference.strip().startswith("Metric(") and OWN_TIME.search(reference) is not None


def _loses_attributes(selected: str) -> bool:
    """Whether a joined side holds versions reached from it, and more of its own than its key."""
    found = VALIDITY.search(selected)
    if not found:
        return False
    names = re.findall(r"'(\w+)'", selected)
    own = [name for name in names if not name.startswith(f"{found.group(1)}__")]
    return len(own) > 1
