"""Lines and areas over time: intervals as bands, days that can still change shaded, the target as a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.dashboards.answers import Rows, TileAnswer
from gnomon.dashboards.charts.chart import AXIS_FORMATS, PLAIN_FORMAT, Chart, Datum, finish, make_tooltip, put_data
from gnomon.dashboards.charts.timeline import Timeline, make_timeline, write_ends
from gnomon.dashboards.model import Area
from gnomon.dashboards.questions import Ask
from gnomon.dashboards.words import describe_figures
from gnomon.semantic.grain import Grain
from gnomon.semantic.units import format_value

if TYPE_CHECKING:
    import altair as alt

# Whole, dashed, dotted, and again.
_DASHES = ((1, 0), (7, 4), (2, 3))


def draw_over_time(answer: TileAnswer, ask: Ask, rows: Rows, grain: Grain, *, is_small: bool = False) -> Chart:
    """Return the chart of rows whose first group is a time; one that is small has no axes."""
    import altair as alt

    line = _make_timeline(answer, ask, rows, grain)
    has_intervals = any(each["low"] is not None for each in line.data)
    y = _make_y(rows, "value", is_small=is_small)
    color = _make_color(line)
    tooltip = make_tooltip(
        ("period", "period"), ("series", "series"), ("shown", "value"), ("state", "state"), has_intervals=has_intervals
    )
    base = alt.Chart(put_data(line.data)).encode(x=line.make_x(has_axis=not is_small))
    layers = line.draw_shade()
    if isinstance(answer.tile.content, Area):
        layers.append(base.mark_area(style="filled").encode(y=y, color=color))
    if has_intervals:
        layers.append(base.mark_area(style="band").encode(y=alt.Y("low:Q", title=None), y2="high:Q", color=color))
    if any(each["is_lone"] and each["low"] is not None for each in line.data):
        # A band needs two ends: a figure between gaps has a whisker.
        lone = base.transform_filter("datum.is_lone").mark_rule(style="interval")
        layers.append(lone.encode(y=alt.Y("low:Q", title=None), y2="high:Q"))
    layers.append(base.mark_line().encode(y=y, color=color, strokeDash=_make_dash(line)))
    layers.append(base.mark_point(style=_choose_point(line, is_small)).encode(y=y, color=color, tooltip=tooltip))
    layers += _draw_target(answer, is_small)
    notes = (*(("Bands: 95 % intervals.",) if has_intervals else ()), *line.notes)
    spec = finish(alt.LayerChart(layer=layers), describe_figures(answer, rows, grain))
    return Chart(spec, line.series if len(line.series) > 1 else (), notes=() if is_small else notes)


def draw_stack(answer: TileAnswer, ask: Ask, rows: Rows, grain: Grain) -> Chart:
    """Return groups that add up to their whole, a column for each period.

    A group without a row adds nothing there. Where each piece begins and ends is reckoned here: Vega-Lite stacks
    nothing that has a beginning and an end in time.
    """
    import altair as alt

    line = _make_timeline(answer, ask, rows, grain)
    height: dict[object, float] = {}
    data: list[Datum] = []
    for day, each in zip((day for day in line.days for _ in line.series), line.data, strict=True):
        floor = height.get(day, 0.0)
        value = each["value"]
        height[day] = floor + (value if isinstance(value, float) else 0.0)
        start, end = write_ends(day, grain)
        data.append({**each, "from": start, "to": end, "floor": floor, "top": height[day]})
    pieces = (
        alt.Chart(put_data(data))
        .mark_rect(style="stack")
        .encode(
            x=line.make_x("from"),
            x2="to:T",
            y=_make_y(rows, "floor", is_small=False),
            y2="top:Q",
            color=_make_color(line),
            tooltip=make_tooltip(("period", "period"), ("series", "series"), ("shown", "value"), ("state", "state")),
        )
    )
    spec = finish(alt.LayerChart(layer=[pieces, *line.draw_shade()]), describe_figures(answer, rows, grain))
    return Chart(spec, line.series, notes=line.notes)


def _make_timeline(answer: TileAnswer, ask: Ask, rows: Rows, grain: Grain) -> Timeline:
    assert answer.asked is not None
    assert ask.days is not None
    return make_timeline(rows, grain, ask.days, answer.asked.mature_until)


def _make_y(rows: Rows, field: str, *, is_small: bool) -> alt.Y:
    import altair as alt

    axis = alt.Axis(format=AXIS_FORMATS.get(rows.metrics[0].documentation.unit, PLAIN_FORMAT), tickCount=5)
    scale = alt.Scale(zero=True, nice=not is_small)
    return alt.Y(f"{field}:Q", scale=scale, axis=None if is_small else axis, title=None, stack=None)


def _make_color(line: Timeline) -> alt.Color:
    import altair as alt

    return alt.Color("series:N", scale=alt.Scale(domain=list(line.series)), legend=None)


def _make_dash(line: Timeline) -> alt.StrokeDash:
    """Return what tells series apart beside their colours, and shows one that another one covers."""
    import altair as alt

    dashes = [list(_DASHES[place % len(_DASHES)]) for place in range(len(line.series))]
    return alt.StrokeDash("series:N", scale=alt.Scale(domain=list(line.series), range=dashes), legend=None)


def _choose_point(line: Timeline, is_small: bool) -> str:
    """Return the style of points: a small line hides them, unless a point stands alone between gaps."""
    has_gaps = any(each["value"] is None for each in line.data)
    return "point" if not is_small else "lone_point" if has_gaps else "small_point"


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
            text = alt.Chart(data).mark_text(style="target_label")
            drawn.append(text.encode(y=alt.Y("target:Q", title=None), x=alt.value("width"), text="text:N"))
    return drawn
