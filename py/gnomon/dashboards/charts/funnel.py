"""A funnel: a bar for each step, and at its end the rate from the step before, which is a metric of its own."""

from __future__ import annotations

from gnomon.dashboards.answers import Rows, TileAnswer
from gnomon.dashboards.charts.chart import Chart, Datum, finish, make_tooltip, put_data, write_figure
from gnomon.dashboards.model import Funnel
from gnomon.dashboards.words import describe_figures, name_metric
from gnomon.semantic.units import format_value

_ROOM = 1.6


def draw_funnel(answer: TileAnswer, content: Funnel, rows: Rows) -> Chart:
    """Return the steps in their order."""
    import altair as alt

    metrics = {metric.name: metric for metric in rows.metrics}
    figures = {metric.name: figure for metric, figure in zip(rows.metrics, rows.rows[0].figures, strict=True)}
    data: list[Datum] = []
    for place, step in enumerate(content.steps):
        datum = write_figure(metrics[step], figures[step])
        text = str(datum["shown"])
        if place:
            rate = content.rates[place - 1]
            told = figures[rate].value
            text += f"  ·  {'no rate' if told is None else format_value(told, metrics[rate].documentation.unit)}"
        data.append({"step": name_metric(metrics[step]), **datum, "end": figures[step].value or 0.0, "note": text})
    longest = max((float(each["end"] or 0) for each in data), default=0.0) or 1.0
    y = alt.Y("step:N", sort=None, axis=alt.Axis(ticks=False, domain=False, grid=False, labelLimit=130), title=None)
    base = alt.Chart(put_data(data)).encode(y=y, tooltip=make_tooltip(("step", "step"), ("note", "value, rate")))
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, longest * _ROOM], nice=False), axis=None, title=None)
    layers = [
        base.mark_bar(style="bars").encode(x=x),
        base.mark_text(style="value_label").encode(x=alt.X("end:Q", title=None), text="note:N"),
    ]
    return Chart(
        finish(alt.LayerChart(layer=layers), describe_figures(answer, rows)),
        step_count=len(data),
        notes=("After the dot: the rate from the step before.",),
    )
