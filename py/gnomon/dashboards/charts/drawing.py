"""The chart of each kind of tile."""

from __future__ import annotations

from gnomon.dashboards.answers import Rows, TileAnswer
from gnomon.dashboards.charts.bars import draw_bars, draw_columns
from gnomon.dashboards.charts.chart import Chart
from gnomon.dashboards.charts.distribution import draw_distribution
from gnomon.dashboards.charts.funnel import draw_funnel
from gnomon.dashboards.charts.heat_map import draw_heat_map
from gnomon.dashboards.charts.over_time import draw_over_time, draw_stack
from gnomon.dashboards.model import Area, Bar, Distribution, Funnel, HeatMap, Line, Number
from gnomon.dashboards.questions import find_time_grain


def draw_chart(answer: TileAnswer) -> Chart | None:
    """Return the chart of a tile; None where it has none (text, table, number) or no figure to draw."""
    rows = answer.main
    if not isinstance(rows, Rows) or not has_figures(rows):
        return None
    assert answer.asked is not None
    assert answer.asked.main is not None
    grain = find_time_grain(answer.tile)
    match answer.tile.content:
        case Area(_, period, str()):
            return draw_stack(answer, answer.asked.main, rows, period)
        case Line(_, period) | Area(_, period):
            return draw_over_time(answer, answer.asked.main, rows, period)
        case Bar():
            return draw_bars(answer, rows) if grain is None else draw_columns(answer, rows, grain)
        case Funnel() as content:
            return draw_funnel(answer, content, rows)
        case HeatMap() as content:
            return draw_heat_map(answer, content, rows)
        case Distribution() as content:
            return draw_distribution(answer, content, rows)
        case _:
            return None


def draw_course(answer: TileAnswer) -> Chart | None:
    """Return the small line beside a number; None if there are not two figures to join."""
    rows, content = answer.course, answer.tile.content
    if not isinstance(content, Number) or not isinstance(rows, Rows):
        return None
    told = [row for row in rows.rows if row.figures[0].value is not None]
    if len(told) < 2 or answer.asked is None or answer.asked.course is None:
        return None
    return draw_over_time(answer, answer.asked.course, rows, content.grain, is_small=True)


def has_figures(rows: Rows) -> bool:
    """Tell whether any value is there."""
    return any(figure.value is not None for row in rows.rows for figure in row.figures)
