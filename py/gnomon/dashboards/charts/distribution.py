"""A distribution: how many groups have which value. Groups are counted in bins here; none of them is named."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median

from gnomon.dashboards.answers import Rows, TileAnswer
from gnomon.dashboards.charts.chart import Chart, Datum, finish, make_tooltip, name_columns, put_data
from gnomon.dashboards.model import Distribution
from gnomon.dashboards.words import name_group, name_metric, summarize
from gnomon.semantic.model import Metric
from gnomon.semantic.units import format_value

_MOST_BINS = 16
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def draw_distribution(answer: TileAnswer, content: Distribution, rows: Rows) -> Chart:
    """Return a column for each bin of equal width."""
    import altair as alt

    metric, things = rows.metrics[0], f"{name_group(content.over)}s"
    values = [row.figures[0].value for row in rows.rows if row.groups[0] is not None]
    told = [value for value in values if value is not None]
    data = count_bins(metric, told)
    for each in data:
        each["shown"] = f"{each['value']:,} {things}"
    chart = (
        alt.Chart(put_data(data))
        .mark_bar(style="columns")
        .encode(
            x=alt.X(
                "bin:O",
                sort=None,
                axis=name_columns(),
                title=None,
            ),
            y=alt.Y("value:Q", axis=alt.Axis(format="~s", tickCount=5), title=None),
            tooltip=make_tooltip(("bin", name_metric(metric)), ("shown", "how many")),
        )
    )
    middle = format_value(median(told), metric.documentation.unit) if told else "no value"
    words = f"{len(told):,} {things} with a value; half of them have at most {middle}."
    if len(told) < len(values):
        words += f" {len(values) - len(told):,} have no value."
    description = f"{answer.tile.title}. {summarize(answer)}. {words}"
    table = ((name_metric(metric), things), *((str(each["bin"]), f"{each['value']:,}") for each in data))
    return Chart(finish(chart, description), notes=(words,), table=table)


def count_bins(metric: Metric, values: list[float]) -> list[Datum]:
    """Return how many values lie in each bin. Bins of whole numbers are written 1 to 5, others by both ends."""
    if not values:
        return []
    is_whole = metric.documentation.unit == "count" and all(value.is_integer() for value in values)
    least, most = min(values), max(values)
    width = choose_width(most - min(least, 0.0), is_whole)
    first = math.floor(least / width) * width
    if is_whole:
        # Whole numbers from 1: 1-5, 6-10, so that no zero is drawn that nothing can have.
        first = math.floor((least - 1) / width) * width + 1
    counted = Counter(math.floor((value - first) / width) for value in values)
    data: list[Datum] = []
    for place in range(max(counted) + 1):
        low = first + place * width
        high = low + width - 1 if is_whole else low + width
        data.append({"bin": _name_bin(metric, low, high, is_whole), "value": counted.get(place, 0)})
    return data


def choose_width(span: float, is_whole: bool) -> float:
    """Return the least of 1, 2, 2.5 and 5 times a power of ten by which `span` has at most 16 bins."""
    rough = span / _MOST_BINS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    width = next(nice * power for nice in _NICE if nice * power >= rough)
    return float(max(1, math.ceil(width))) if is_whole else width


def _name_bin(metric: Metric, low: float, high: float, is_whole: bool) -> str:
    unit = metric.documentation.unit
    if low == high:
        return format_value(low, unit)
    return f"{format_value(low, unit)} to {format_value(high, unit)}"
