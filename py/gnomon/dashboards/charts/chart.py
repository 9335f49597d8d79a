"""What a chart is, and the parts that several kinds have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gnomon.dashboards.answers import Figure
from gnomon.semantic.model import Metric
from gnomon.semantic.units import format_value

if TYPE_CHECKING:
    import altair as alt

Datum = dict[str, str | float | int | bool | None]

# d3's formats of an axis, by the unit of its metric.
AXIS_FORMATS = {"rate": ".1~%", "usd": "$~s", "count": "~s", "score": ".0f"}
PLAIN_FORMAT = ",.2~f"
MATURE, CHANGING = "mature", "can still change"
# The theme says what these look like.
STYLES = (
    "band", "filled", "stack", "immature", "target", "target_label", "point", "small_point", "lone_point",
    "bars", "columns", "interval", "value_label", "cell", "cell_low", "cell_high",
)  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification without a theme; `series` are its series in the order of the theme's colours.

    With `step_count` the chart needs room for so many rows. `notes` say what it shows beside its values. `table`
    is what it shows in texts, the header first, where that is not what was answered.
    """

    spec: Mapping[str, Any]
    series: tuple[str, ...] = ()
    step_count: int | None = None
    notes: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def write_figure(metric: Metric, figure: Figure) -> Datum:
    """Return a figure for a chart: its raw value and ends, and how they are read in a tooltip."""
    unit = metric.documentation.unit
    interval = "" if figure.low is None else f"{format_value(figure.low, unit)} to {format_value(figure.high, unit)}"
    return {
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "shown": "no value" if figure.value is None else format_value(figure.value, unit),
        "interval": interval,
        "reason": figure.reason or "",
    }


def write_moment(day: date) -> str:
    """Return the first moment of a day of UTC, as Vega reads it."""
    return f"{day.isoformat()}T00:00:00Z"


def put_data(rows: Sequence[Datum]) -> alt.InlineData:
    """Return rows as the data of a chart."""
    import altair as alt

    return alt.InlineData(values=list(rows))


def make_tooltip(*fields: tuple[str, str], has_intervals: bool = False) -> list[alt.Tooltip]:
    """Return a tooltip of texts: (field, title)."""
    import altair as alt

    shown = [*fields, *([("interval", "95 % interval")] if has_intervals else [])]
    return [alt.Tooltip(field=field, type="nominal", title=title) for field, title in shown]


def name_columns(**more: Any) -> alt.Axis:
    """Return the axis of columns that have names: level, and as many of them as have room."""
    import altair as alt

    return alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=8, grid=False, **more)


def find_vega_lite() -> str:
    """Return the version of Vega-Lite that specifications are held against, such as 6.4."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def finish(chart: alt.LayerChart | alt.Chart, description: str) -> Mapping[str, Any]:
    """Return the specification, to be laid out in the room that it gets; altair holds it against Vega-Lite's schema."""
    import altair as alt

    laid = chart.properties(
        width="container",
        height="container",
        description=description,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    spec: dict[str, Any] = laid.to_dict()
    # The theme is left to whoever shows it, and an address to nobody: a chart asks no network.
    spec.pop("config", None)
    spec.pop("$schema", None)
    return spec
