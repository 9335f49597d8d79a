"""Lines and areas over time: intervals as bands, days that can still change shaded, the target as a rule."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gnomon.dashboards.answers import NO_ROW, Rows, TileAnswer
from gnomon.dashboards.charts.chart import (
    AXIS_FORMATS,
    CHANGING,
    MATURE,
    PLAIN_FORMAT,
    Chart,
    Datum,
    finish,
    make_tooltip,
    put_data,
    write_figure,
    write_moment,
)
from gnomon.dashboards.model import Area
from gnomon.dashboards.periods import Days, find_next_period, list_periods
from gnomon.dashboards.words import OTHER, describe_figures, is_mature, name_metric, say_day, say_group, say_period
from gnomon.semantic.grain import Grain
from gnomon.semantic.units import format_value

if TYPE_CHECKING:
    import altair as alt

_MOST_TICKS = 8


def draw_over_time(answer: TileAnswer, rows: Rows, grain: Grain, *, is_small: bool = False) -> Chart:
    """Return the chart of rows whose first group is a time; one that is small has no axes."""
    import altair as alt

    assert answer.asked is not None
    course = answer.asked.course if is_small else answer.asked.main
    assert course is not None
    assert course.days is not None
    is_stacked = isinstance(answer.tile.content, Area) and answer.tile.content.by is not None
    data, series = _write_data(answer, rows, grain, course.days)
    if is_stacked:
        # A group without a row adds nothing to the whole; left out, the band would be drawn across the gap.
        data = [{**each, "value": each["value"] or 0.0} for each in data]
    shown = sorted({str(each["when"]) for each in data})
    mature_until = answer.asked.mature_until
    days = [date.fromisoformat(each[:10]) for each in shown]
    unit = rows.metrics[0].documentation.unit
    has_intervals = any(each["low"] is not None for each in data)

    half = (find_next_period(days[-1], grain) - days[-1]) / 2 if days else timedelta(0)
    ends = [_write_half(days[0], -half), _write_half(days[-1], half)]
    x = alt.X(
        "when:T",
        scale=alt.Scale(type="utc", domain=ends, nice=False),
        axis=None if is_small else _make_time_axis(grain, days),
        title=None,
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(zero=True, nice=not is_small),
        axis=None if is_small else alt.Axis(format=AXIS_FORMATS.get(unit, PLAIN_FORMAT), tickCount=5),
        title=None,
        stack="zero" if is_stacked else None,
    )
    color = alt.Color("series:N", scale=alt.Scale(domain=list(series)), legend=None)
    base = alt.Chart(put_data(data)).encode(x=x)
    layers: list[alt.Chart] = []
    immature = [day for day in days if not is_mature(day, grain, mature_until)]
    if immature:
        shade: Datum = {"from": _write_half(immature[0], -half), "to": ends[1]}
        layers.append(
            alt.Chart(put_data([shade])).mark_rect(style="immature").encode(x=alt.X("from:T", title=None), x2="to:T")
        )
    if is_stacked:
        layers.append(
            base.mark_area(style="stack", interpolate="step").encode(
                y=y, color=color, tooltip=_tips(is_small, has_intervals)
            )
        )
        layers.append(
            base.mark_point(style="hover").encode(y=y, detail="series:N", tooltip=_tips(is_small, has_intervals))
        )
    else:
        if isinstance(answer.tile.content, Area):
            layers.append(base.mark_area(style="filled").encode(y=y, color=color))
        if has_intervals:
            layers.append(base.mark_area(style="band").encode(y=alt.Y("low:Q", title=None), y2="high:Q", color=color))
        layers.append(base.mark_line().encode(y=y, color=color))
        layers.append(
            base.mark_point(style=_choose_point(data, is_small)).encode(
                y=y, color=color, tooltip=_tips(is_small, has_intervals)
            )
        )
    layers += _draw_target(answer, is_small)
    notes = (f"Shaded: after {say_day(mature_until)} values can still change.",) if immature and not is_small else ()
    if has_intervals and not is_small:
        notes = ("Bands: 95 % intervals.", *notes)
    spec = finish(alt.LayerChart(layer=layers), describe_figures(answer, rows, grain))
    return Chart(spec, series if len(series) > 1 else (), notes=notes)


def _choose_point(data: list[Datum], is_small: bool) -> str:
    """Return the style of points: a small line hides them, unless a point stands alone between gaps."""
    has_gaps = any(each["value"] is None for each in data)
    return "point" if not is_small else "lone_point" if has_gaps else "small_point"


def _write_data(answer: TileAnswer, rows: Rows, grain: Grain, days: Days) -> tuple[list[Datum], tuple[str, ...]]:
    """Return a datum for each period from the first that has a row, and each series; one without a row is empty."""
    assert answer.asked is not None
    found: dict[tuple[str, date], Datum] = {}
    totals: dict[str, float] = {}
    for row in rows.rows:
        when, *others = row.groups
        assert isinstance(when, date)
        for metric, figure in zip(rows.metrics, row.figures, strict=True):
            name = name_metric(metric)
            if others:
                name = OTHER if row.is_other else say_group(others[0])
            found[name, when] = write_figure(metric, figure)
            totals[name] = totals.get(name, 0.0) + (figure.value or 0.0)
    by_groups = bool(rows.rows and len(rows.rows[0].groups) > 1)
    series = tuple(sorted(totals, key=lambda name: (name == OTHER, -totals[name])) if by_groups else totals)
    first = min((when for _, when in found), default=None)
    data: list[Datum] = []
    for when in list_periods(days, grain):
        if first is None or when < first:
            continue
        state = MATURE if is_mature(when, grain, answer.asked.mature_until) else CHANGING
        for name in series:
            datum = found.get((name, when)) or {
                "value": None, "low": None, "high": None, "shown": "no value", "interval": "", "reason": NO_ROW,
            }  # fmt: skip
            data.append(
                {"when": write_moment(when), "period": say_period(when, grain), "series": name, **datum, "state": state}
            )
    return data, series


def _make_time_axis(grain: Grain, days: list[date]) -> alt.Axis:
    """Return an axis with its ticks where periods begin."""
    import altair as alt

    formats = {Grain.DAY: "%-d %b", Grain.WEEK: "%-d %b", Grain.MONTH: "%b %Y", Grain.QUARTER: "%b %Y"}
    step = max(1, math.ceil(len(days) / _MOST_TICKS))
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True) for day in days[::step]]
    return alt.Axis(format=formats.get(grain, "%Y"), values=ticks, labelOverlap=True, labelSeparation=10, grid=False)


def _draw_target(answer: TileAnswer, is_small: bool) -> list[alt.Chart]:
    import altair as alt

    drawn = []
    targets = {metric.documentation.target: metric.documentation.unit for metric in answer.metrics}
    for target, unit in targets.items():
        if target is None:
            continue
        data = put_data([{"target": target, "text": f"target {format_value(target, unit)}"}])
        drawn.append(alt.Chart(data).mark_rule(style="target").encode(y=alt.Y("target:Q", title=None)))
        if not is_small:
            drawn.append(
                alt.Chart(data)
                .mark_text(style="target_label")
                .encode(y=alt.Y("target:Q", title=None), x=alt.value("width"), text="text:N")
            )
    return drawn


def _tips(is_small: bool, has_intervals: bool) -> list[alt.Tooltip]:
    fields = [("period", "period"), ("series", "series"), ("shown", "value")]
    if is_small:
        fields.pop(1)
    return make_tooltip(*fields, ("state", "state"), has_intervals=has_intervals)


def _write_half(day: date, half: timedelta) -> str:
    from datetime import UTC, datetime

    return (datetime(day.year, day.month, day.day, tzinfo=UTC) + half).strftime("%Y-%m-%dT%H:%M:%SZ")
