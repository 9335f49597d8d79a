"""Vega-Lite charts of answers. They name styles and no colours: whoever shows a chart gives it a theme."""

from gnomon.dashboards.charts.chart import Chart, find_vega_lite
from gnomon.dashboards.charts.drawing import draw_chart, draw_course

__all__ = ["Chart", "draw_chart", "draw_course", "find_vega_lite"]
