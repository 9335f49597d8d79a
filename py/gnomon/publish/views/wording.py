"""What views, their columns and their ratios say of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from gnomon.core.names import DimensionName
from gnomon.planner.compiled import Attribute, Compiled
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric, SemanticModel

_PREFIXES = ("sem_", "fct_", "dim_")


def name_subject(model: SemanticModel) -> str:
    """Return what a semantic model is of, without the prefixes of files."""
    name = str(model.name)
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def label(name: str) -> str:
    """Return a column's name in words."""
    return name.replace("__", " ").replace("_", " ").strip().capitalize()


def describe_view(model: SemanticModel, grain: Grain, attributes: Sequence[str]) -> str:
    """Return what a view says: what its rows are, and what may be done with them."""
    by = ", ".join((grain.value, *attributes))
    return (
        f"Sums by {by}, of {model.name}. {model.description.strip()} Every number column adds up over all rows. No "
        "ratio is a column, as an average of ratios is another number: add up both parts first, then divide."
    )


def describe_period(grain: Grain) -> str:
    """Return what the period's column says."""
    return f"The {grain.value} begins here, UTC."


def describe_attribute(compiled: Compiled, attribute: Attribute, called: str) -> str:
    """Return what an attribute's column says."""
    home = compiled.manifest.models[attribute.model]
    element = called.split("__")[-2 if attribute.grain is not None else -1]
    told = home.dimensions.get(DimensionName(element))
    if attribute.is_entity or told is None:
        return f"The entity {called}."
    text = told.description.strip() or f"{label(called)}."
    is_of_now = attribute.hops and home.validity is None and not re.search(r"\bnow\b", text)
    return f"{text} As it is now." if is_of_now else text


def describe_maturity(grain: Grain, days: int) -> str:
    """Return what a column of maturity says."""
    return (
        f"True where the whole {grain.value} had ended {_days(days)} before the build's clock. What says that it "
        f"matures after {_days(days)} can still change in the other rows: leave them out, or mark them."
    )


def describe_sum(metric: Metric, matures: Mapping[int, str]) -> str:
    """Return what a sum that is a metric says: unit, definition, and how it may be read."""
    told = metric.documentation
    parts = [metric.description.strip(), f"Kind: {told.unit}. Adds up over every column of this view."]
    return " ".join(part for part in [*parts, *_warn(metric, matures)] if part)


def describe_ratio(metric: Metric, matures: Mapping[int, str]) -> str:
    """Return what a ratio says."""
    told = metric.documentation
    parts = [metric.description.strip(), f"Kind: {told.unit}. Sums are added up first, then divided: it never adds up."]
    if told.minimum_units and told.units is not None:
        parts.append(f"Without a value below {told.minimum_units} of {told.units}.")
    return " ".join(part for part in [*parts, *_warn(metric, matures)] if part)


def describe_part(metric: Metric, part: str) -> str:
    """Return what a sum says that is no metric, but part of one."""
    return f"A part of {metric.name}: {part}, with what {metric.name} adds to its definition. No metric by itself."


def _warn(metric: Metric, matures: Mapping[int, str]) -> list[str]:
    told, warnings = metric.documentation, []
    if told.matures_after_days:
        warnings.append(f"Matures after {_days(told.matures_after_days)}: see {matures[told.matures_after_days]}.")
    if told.always_with:
        warnings.append(f"Read it together with {', '.join(told.always_with)}.")
    if told.never_by:
        warnings.append(f"Not by {', '.join(told.never_by)}, which is its own outcome.")
    if told.certification and told.certification != "certified":
        warnings.append(f"It is {told.certification}, not certified.")
    return warnings


def _days(count: int) -> str:
    return f"{count} day{'s' * (count > 1)}"


def find_last_mature(grain: Grain, until: date) -> date:
    """Return the start of the last period of which every day is `until` or earlier."""
    after = until + timedelta(days=1)
    match grain:
        case Grain.WEEK:
            return after - timedelta(days=after.weekday() + 7)
        case Grain.MONTH:
            return (after.replace(day=1) - timedelta(days=1)).replace(day=1)
        case Grain.QUARTER:
            first = after.replace(month=(after.month - 1) // 3 * 3 + 1, day=1)
            last = first - timedelta(days=1)
            return last.replace(month=last.month - 2, day=1)
        case Grain.YEAR:
            return date(after.year - 1, 1, 1)
    return until


def end_of_maturity(as_of: datetime, days: int) -> date:
    """Return the last day that is mature after so many days, for a build whose clock is `as_of`, as the engine says."""
    return (as_of - timedelta(days=days)).date()
