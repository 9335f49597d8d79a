"""What is said of figures in words: units, days, groups, definitions, and a chart for those who do not see it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from gnomon.dashboards.answers import NO_ROW, Figure, Row, Rows, TileAnswer, Value
from gnomon.dashboards.model import TIME, Distribution, Funnel, Number, Table
from gnomon.dashboards.periods import Days
from gnomon.dashboards.questions import find_time_grain
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric
from gnomon.semantic.units import format_value

OTHER = "all others"
UNKNOWN = "not known"
_UNIT = re.compile(r"\s*Unit: (?P<unit>(?:[^.,;]|,(?=\d))+)[^.]*\.?")

_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")


def name_metric(metric: Metric) -> str:
    """Return a metric's name in words."""
    return metric.label or metric.name


def define(metric: Metric) -> str:
    """Return what a metric is, by its description."""
    return " ".join(metric.description.split())


def name_unit(metric: Metric) -> str:
    """Return a metric's unit as its description says it: share of views, in per cent."""
    found = _UNIT.search(" ".join(metric.description.split()))
    unit = found["unit"] if found else metric.documentation.unit
    return f"{unit}, %" if metric.documentation.unit == "rate" else unit


def say_day(day: date) -> str:
    """Return a day as 9 Mar 2026."""
    return f"{day.day} {day:%b %Y}"


def say_days(days: Days) -> str:
    """Return a range as 9 Mar to 28 Jun 2026."""
    first = f"{days.first.day} {days.first:%b}" if days.first.year == days.last.year else say_day(days.first)
    return say_day(days.last) if days.first == days.last else f"{first} to {say_day(days.last)}"


def say_period(start: date, grain: Grain) -> str:
    """Return a period in words."""
    match grain:
        case Grain.DAY:
            return say_day(start)
        case Grain.WEEK:
            return f"week of {say_day(start)}"
        case Grain.MONTH:
            return f"{start:%b %Y}"
        case Grain.QUARTER:
            return f"Q{(start.month + 2) // 3} {start:%Y}"
        case _:
            return f"{start:%Y}"


def say_group(value: Value, grain: Grain | None = None) -> str:
    """Return a group's value in words."""
    if isinstance(value, date) and grain is not None:
        return say_period(value, grain)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return UNKNOWN if value is None else str(value).replace("_", " ")


def name_group(name: str) -> str:
    """Return a dimension's name in words: content category."""
    if name.startswith(f"{TIME}__"):
        return name.removeprefix(f"{TIME}__")
    return " ".join(name.split("__")[-2:]).replace("_", " ").removesuffix(" id")


def summarize(answer: TileAnswer) -> str:
    """Return what a tile is of: units, periods or days, the time zone."""
    unit, asked = _say_units(answer), answer.asked
    if asked is None or asked.days is None:
        return f"{unit} · UTC"
    grain, days = find_time_grain(answer.tile), asked.days
    if isinstance(answer.tile.content, Number):
        return f"{unit} · {days.count} days to {say_day(days.last)}, UTC"
    if grain is None:
        return f"{unit} · {say_days(days)}, UTC"
    # What is shown begins with the first period that has a row.
    starts = (
        [value for row in answer.main.rows for value in row.groups if isinstance(value, date)]
        if isinstance(answer.main, Rows)
        else []
    )
    return f"{unit} · by {grain.value}, {say_days(Days(min(starts, default=days.first), days.last))}, UTC"


def _say_units(answer: TileAnswer) -> str:
    match answer.tile.content:
        case Table():
            return "units stand under each name"
        case Funnel():
            return "counts, and the rate from one step to the next"
        case Distribution(metric=_, over=over):
            return f"{name_group(over)}s by {name_unit(answer.metrics[0])}"
    units = list(dict.fromkeys(name_unit(metric) for metric in answer.metrics))
    return "; ".join(units) if len(units) <= 2 else f"{'shares, %' if units[0].endswith('%') else 'counts'}"


def describe_figures(answer: TileAnswer, rows: Rows, grain: Grain | None = None) -> str:
    """Return a chart in a sentence or two, for those who do not see it; `grain` is that of its first group."""
    parts = [f"{answer.tile.title}. {summarize(answer)}."]
    for place, metric in enumerate(rows.metrics):
        told = [(row, row.figures[place]) for row in rows.rows if row.figures[place].value is not None]
        if told:
            parts.append(_describe(metric, told, grain))
        else:
            parts.append(f"{name_metric(metric)}: no value.")
    return " ".join(parts)


def _describe(metric: Metric, told: list[tuple[Row, Figure]], grain: Grain | None) -> str:
    unit = metric.documentation.unit
    by_value = sorted(told, key=lambda each: each[1].value or 0.0)
    (least, low), (most, high) = by_value[0], by_value[-1]
    text = f"{name_metric(metric)}: "
    if len(told) == 1:
        return f"{text}{format_value(high.value, unit)}."
    text += f"highest {format_value(high.value, unit)} ({_say_groups(most, grain)}), "
    text += f"lowest {format_value(low.value, unit)} ({_say_groups(least, grain)})"
    last, newest = told[-1]
    return f"{text}, last {format_value(newest.value, unit)} ({_say_groups(last, grain)})." if grain else f"{text}."


def _say_groups(row: Row, grain: Grain | None) -> str:
    return ", ".join(name_row(row, grain)) or "all"


def name_row(row: Row, grain: Grain | None) -> tuple[str, ...]:
    """Return the groups of a row in words."""
    return tuple(
        OTHER if row.is_other and not isinstance(value, date) else say_group(value, grain) for value in row.groups
    )


def list_reasons(rows: Rows) -> Iterable[str]:
    """Return why values are missing, a sentence for each metric; where only rows are missing, one for all."""
    lacks_rows = False
    for place, metric in enumerate(rows.metrics):
        own = [row.figures[place].reason or "" for row in rows.rows if row.figures[place].value is None]
        if set(own) == {NO_ROW} and metric.name not in rows.nulls and len(own) < len(rows.rows):
            lacks_rows = True
        elif own:
            yield f"{name_metric(metric)}: {_NAME.sub(_say_name, rows.nulls.get(metric.name) or own[0])}"
    if lacks_rows:
        yield "where there is a gap, nothing was counted"


def _say_name(found: re.Match[str]) -> str:
    return found[0].replace("_", " ")
