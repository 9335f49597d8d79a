"""What charts over time have in common: a datum for each period and series, the axis, and the days that can change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from gnomon.dashboards.answers import NO_ROW, Figure, Rows
from gnomon.dashboards.charts.chart import CHANGING, MATURE, Datum, put_data, write_figure, write_moment
from gnomon.dashboards.periods import Days, find_next_period, is_mature, list_periods
from gnomon.dashboards.words import OTHER, name_metric, say_day, say_group, say_period
from gnomon.semantic.grain import Grain

if TYPE_CHECKING:
    import altair as alt

_MOST_TICKS = 8


@dataclass(frozen=True)
class Timeline:
    """Data by period and series, from the first period that has a row to the last one asked for.

    `ends` are half a period before the first and after the last one.
    """

    data: tuple[Datum, ...]
    series: tuple[str, ...]
    days: tuple[date, ...]
    grain: Grain
    ends: tuple[str, str]
    mature_until: date

    @property
    def immature(self) -> tuple[date, ...]:
        """The periods that can still change."""
        return tuple(day for day in self.days if not is_mature(day, self.grain, self.mature_until))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the shade means, if there is one."""
        return (f"Shaded: after {say_day(self.mature_until)} values can still change.",) if self.immature else ()

    def make_x(self, field: str = "when", *, has_axis: bool = True) -> alt.X:
        """Return the axis of time, with its ticks where periods begin.

        A field other than "when" is the beginning of what has an end of its own, and so spans the whole axis.
        """
        import altair as alt

        formats = {Grain.DAY: "%-d %b", Grain.WEEK: "%-d %b", Grain.MONTH: "%b %Y", Grain.QUARTER: "%b %Y"}
        step = max(1, math.ceil(len(self.days) / _MOST_TICKS))
        ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True) for day in self.days[::step]]
        axis = alt.Axis(
            format=formats.get(self.grain, "%Y"), values=ticks, labelOverlap=True, labelSeparation=10, grid=False
        )
        domain = list(self.ends) if field == "when" else alt.Undefined
        scale = alt.Scale(type="utc", domain=domain, nice=False)
        return alt.X(f"{field}:T", scale=scale, axis=axis if has_axis else None, title=None)

    def draw_shade(self) -> list[alt.Chart]:
        """Return the shade behind periods that can still change, if there are any."""
        import altair as alt

        if not self.immature:
            return []
        start, _ = write_ends(self.immature[0], self.grain)
        shade = alt.Chart(put_data([{"from": start, "to": self.ends[1]}])).mark_rect(style="immature")
        return [shade.encode(x=alt.X("from:T", title=None), x2="to:T")]


def make_timeline(rows: Rows, grain: Grain, days: Days, mature_until: date) -> Timeline:
    """Return the data of rows whose first group is a time, and a second one, if there is one, the series."""
    found: dict[tuple[str, date], Datum] = {}
    totals: dict[str, float] = {}
    for row in rows.rows:
        when, *others = row.groups
        assert isinstance(when, date)
        for metric, figure in zip(rows.metrics, row.figures, strict=True):
            name = name_metric(metric) if not others else OTHER if row.is_other else say_group(others[0])
            found[name, when] = write_figure(metric, figure)
            totals[name] = totals.get(name, 0.0) + (figure.value or 0.0)
    has_groups = any(len(row.groups) > 1 for row in rows.rows)
    series = tuple(sorted(totals, key=lambda name: (name == OTHER, -totals[name])) if has_groups else totals)
    first = min((when for _, when in found), default=days.first)
    shown = tuple(day for day in list_periods(days, grain) if day >= first)
    nothing = write_figure(rows.metrics[0], Figure(None, reason=NO_ROW))
    data: list[Datum] = []
    for place, day in enumerate(shown):
        beside = shown[max(place - 1, 0) : place + 2]
        state = MATURE if is_mature(day, grain, mature_until) else CHANGING
        when_, period = write_moment(day), say_period(day, grain)
        for name in series:
            datum = found.get((name, day), nothing)
            is_lone = all(found.get((name, other), nothing)["value"] is None for other in beside if other != day)
            data.append({"when": when_, "period": period, "series": name, **datum, "state": state, "is_lone": is_lone})
    ends = write_ends(shown[0], grain)[0], write_ends(shown[-1], grain)[1]
    return Timeline(tuple(data), series, shown, grain, ends, mature_until)


def write_ends(day: date, grain: Grain) -> tuple[str, str]:
    """Return half a period before and half a period after the beginning of one, as Vega reads moments."""
    half = (find_next_period(day, grain) - day) / 2
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _write(middle - half), _write(middle + half)


def _write(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
