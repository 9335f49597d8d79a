"""A heat map: a cell for each pair of groups, with its value written in it where there is room."""

from __future__ import annotations

from datetime import date

from gnomon.dashboards.answers import Rows, TileAnswer, Value
from gnomon.dashboards.charts.chart import (
    CHANGING,
    MATURE,
    Chart,
    Datum,
    finish,
    make_tooltip,
    name_columns,
    put_data,
    write_figure,
)
from gnomon.dashboards.model import HeatMap
from gnomon.dashboards.periods import is_mature
from gnomon.dashboards.questions import find_time_grain
from gnomon.dashboards.words import describe_figures, name_group, say_day, say_group
from gnomon.semantic.grain import Grain

# Pixels that a character takes, with some air: figures are written only where all of them have room.
_CHARACTER = 8
# Above this share of the greatest value a cell is dark, and what is written in it is light.
_TURNS_DARK = 0.68


def draw_heat_map(answer: TileAnswer, content: HeatMap, rows: Rows) -> Chart:
    """Return a cell for each pair that has a row; where there is none, nothing is drawn, which is no zero."""
    import altair as alt

    assert answer.asked is not None
    metric, grain = rows.metrics[0], find_time_grain(answer.tile)
    data: list[Datum] = []
    order: dict[str, object] = {}
    for row in rows.rows:
        down, across = row.groups
        state = MATURE
        for value in (down, across):
            if isinstance(value, date) and grain and not is_mature(value, grain, answer.asked.mature_until):
                state = CHANGING
        column = _say_short(across, grain)
        order[column] = across
        data.append(
            {"row": _say_short(down, grain), "column": column, **write_figure(metric, row.figures[0]), "state": state}
        )
    columns = sorted(order, key=lambda name: (order[name] is None, str(order[name])))
    greatest = max((each["value"] for each in data if isinstance(each["value"], float)), default=0.0)
    x = alt.X(
        "column:O",
        sort=columns,
        axis=name_columns(ticks=False, domain=False),
        title=None,
    )
    y = alt.Y("row:N", axis=alt.Axis(ticks=False, domain=False, grid=False, labelLimit=130), title=None)
    base = alt.Chart(put_data(data)).encode(x=x, y=y)
    tooltip = make_tooltip(
        ("row", name_group(content.rows)), ("column", name_group(content.columns)), ("shown", "value"),
        ("reason", "why"), ("state", "state"),
    )  # fmt: skip
    cells = base.mark_rect(style="cell").encode(
        color=alt.Color("value:Q", scale=alt.Scale(domainMin=0), legend=None),
        opacity=alt.condition(f"datum.state === '{MATURE}'", alt.value(1.0), alt.value(0.55)),
        tooltip=tooltip,
    )
    layers = [cells]
    limit = greatest * _TURNS_DARK
    longest = max((len(str(each["shown"])) for each in data), default=0)
    has_room = alt.expr(f"width / {max(len(columns), 1)} > {longest * _CHARACTER} ? 1 : 0")
    for style, test in (("cell_low", f"datum.value <= {limit!r}"), ("cell_high", f"datum.value > {limit!r}")):
        text = base.transform_filter(test).mark_text(style=style, opacity=has_room)
        layers.append(text.encode(text="shown:N", tooltip=tooltip))
    is_changing = any(each["state"] == CHANGING for each in data)
    rows_shown = len({each["row"] for each in data})
    notes: tuple[str, ...] = (
        (f"Pale: after {say_day(answer.asked.mature_until)} values can still change.",) if is_changing else ()
    )
    notes += ("An empty place has no row.",) if len(data) < rows_shown * len(columns) else ()
    return Chart(
        finish(alt.LayerChart(layer=layers), describe_figures(answer, rows)), step_count=rows_shown, notes=notes
    )


def _say_short(value: Value, grain: Grain | None) -> str:
    if isinstance(value, date) and grain in (Grain.DAY, Grain.WEEK):
        return f"{value.day} {value:%b}"
    return say_group(value, grain)
