"""Bars by groups, with intervals as whiskers; and by periods."""

from __future__ import annotations

from datetime import date

from gnomon.dashboards.answers import Rows, TileAnswer
from gnomon.dashboards.charts.chart import (
    AXIS_FORMATS,
    CHANGING,
    MATURE,
    PLAIN_FORMAT,
    Chart,
    Datum,
    finish,
    make_tooltip,
    name_columns,
    put_data,
    write_figure,
)
from gnomon.dashboards.periods import is_mature
from gnomon.dashboards.words import OTHER, describe_figures, name_group, say_day, say_group, say_period
from gnomon.semantic.grain import Grain

# How long the axis is where every bar is 0.
_SHORTEST = 0.1
# Room to the right of the longest bar, for what is written at its end.
_ROOM = 1.25


def draw_bars(answer: TileAnswer, rows: Rows) -> Chart:
    """Return a bar for each group, the greatest first; a group without a value says so."""
    import altair as alt

    metric = rows.metrics[0]
    data: list[Datum] = []
    for row in sorted(rows.rows, key=lambda row: row.is_other):
        datum = write_figure(metric, row.figures[0])
        ends = [end for end in (datum["value"], datum["high"], 0.0) if isinstance(end, float)]
        group = OTHER if row.is_other else say_group(row.groups[0])
        data.append({"group": group, **datum, "end": max(ends), "note": datum["shown"] or ""})
    longest = max((each["end"] for each in data if isinstance(each["end"], float)), default=0.0) or _SHORTEST
    least = min((end for each in data for end in (each["value"], each["low"]) if isinstance(end, float)), default=0.0)
    has_intervals = any(each["low"] is not None for each in data)
    x = alt.X(
        "value:Q",
        scale=alt.Scale(domain=[min(least, 0.0), longest * _ROOM], nice=False),
        # The room is for words: no share is above 100 %.
        axis=alt.Axis(
            format=AXIS_FORMATS.get(metric.documentation.unit, PLAIN_FORMAT),
            tickCount=4,
            labelExpr="datum.value > 1 ? '' : datum.label" if metric.documentation.unit == "rate" else alt.Undefined,
        ),
        title=None,
    )
    y = alt.Y(
        "group:N",
        sort=[str(each["group"]) for each in data],
        axis=alt.Axis(ticks=False, domain=False, grid=False, labelLimit=130),
        title=None,
    )
    tooltip = make_tooltip(
        ("group", name_group(answer.tile.groups[0])), ("shown", "value"), ("reason", "why"), has_intervals=has_intervals
    )
    base = alt.Chart(put_data(data)).encode(y=y)
    layers = [base.mark_bar(style="bars").encode(x=x, tooltip=tooltip)]
    if has_intervals:
        layers.append(
            base.mark_rule(style="interval").encode(x=alt.X("low:Q", title=None), x2="high:Q", tooltip=tooltip)
        )
    layers.append(
        base.mark_text(style="value_label").encode(x=alt.X("end:Q", title=None), text="note:N", tooltip=tooltip)
    )
    notes = ("Whiskers: 95 % intervals.",) if has_intervals else ()
    return Chart(
        finish(alt.LayerChart(layer=layers), describe_figures(answer, rows)), step_count=len(data), notes=notes
    )


def draw_columns(answer: TileAnswer, rows: Rows, grain: Grain) -> Chart:
    """Return a column for each period; one that can still change is pale."""
    import altair as alt

    assert answer.asked is not None
    metric = rows.metrics[0]
    data: list[Datum] = []
    for row in rows.rows:
        when = row.groups[0]
        assert isinstance(when, date)
        state = MATURE if is_mature(when, grain, answer.asked.mature_until) else CHANGING
        tick = f"{when.day} {when:%b}" if grain in (Grain.DAY, Grain.WEEK) else say_period(when, grain)
        data.append(
            {"tick": tick, "period": say_period(when, grain), **write_figure(metric, row.figures[0]), "state": state}
        )
    is_changing = any(each["state"] == CHANGING for each in data)
    chart = (
        alt.Chart(put_data(data))
        .mark_bar(style="columns")
        .encode(
            x=alt.X(
                "tick:O",
                sort=None,
                axis=name_columns(),
                title=None,
            ),
            y=alt.Y(
                "value:Q", axis=alt.Axis(format=AXIS_FORMATS.get(metric.documentation.unit, PLAIN_FORMAT)), title=None
            ),
            opacity=alt.condition(f"datum.state === '{MATURE}'", alt.value(1.0), alt.value(0.45)),
            tooltip=make_tooltip(("period", "period"), ("shown", "value"), ("state", "state")),
        )
    )
    notes = (f"Pale: after {say_day(answer.asked.mature_until)} values can still change.",) if is_changing else ()
    return Chart(finish(chart, describe_figures(answer, rows)), notes=notes)
