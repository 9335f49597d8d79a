"""What a page shows of a tile: texts, and the chart's specification; all HTML is in the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.dashboards.answers import DashboardAnswer, Figure, Refusal, Row, Rows, TileAnswer
from gnomon.dashboards.charts import Chart, draw_chart, draw_course
from gnomon.dashboards.model import TIME, Grid, Number, Table, Text
from gnomon.dashboards.questions import find_time_grain
from gnomon.dashboards.verdicts import Verdict, is_unchanged, judge_change, judge_target
from gnomon.dashboards.words import (
    define,
    list_reasons,
    name_group,
    name_metric,
    name_row,
    name_unit,
    say_days,
    summarize,
)
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric
from gnomon.semantic.units import format_value

NO_VALUE = "no value"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """A text of a table; `detail` is its interval, `is_number` sets it to the right."""

    text: str
    detail: str = ""
    is_number: bool = False
    is_missing: bool = False


@dataclass(frozen=True)
class TableView:
    """A table: its header and rows."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class NumberView:
    """A number with its change and its target in words, and what can be said of them."""

    value: str
    interval: str
    change: str
    change_verdict: str
    target: str
    target_verdict: str


@dataclass(frozen=True)
class TileView:
    """All that a page shows of a tile. `refusal` stands in the place of what could not be answered."""

    name: str
    title: str
    subtitle: str
    kind: str
    grid: Grid
    badges: tuple[str, ...]
    paragraphs: tuple[str, ...]
    number: NumberView | None
    chart: Mapping[str, Any] | None
    description: str
    series: tuple[str, ...]
    step_count: int | None
    table: TableView | None
    values: TableView | None
    refusal: str
    is_empty: bool
    reasons: tuple[str, ...]
    captions: tuple[str, ...]
    definitions: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    reaches: tuple[str, ...]


def view_tile(page: DashboardAnswer, answer: TileAnswer) -> TileView:
    """Return what a page shows of a tile."""
    tile, content = answer.tile, answer.tile.content
    words = content.text if isinstance(content, Text) else ""
    chart = draw_course(answer) if isinstance(content, Number) else draw_chart(answer)
    rows = answer.main if isinstance(answer.main, Rows) else None
    reasons = tuple(list_reasons(rows)) if rows else ()
    number = _view_number(content, answer, rows) if isinstance(content, Number) and rows else None
    is_empty = rows is not None and chart is None and number is None and not words and not _has_rows(rows)
    return TileView(
        name=tile.name,
        title=tile.title,
        subtitle="" if words else summarize(answer),
        kind=tile.kind,
        grid=tile.grid,
        badges=tuple(_list_badges(page, answer)),
        paragraphs=tuple(part.strip() for part in words.split("\n\n") if part.strip()),
        number=number,
        chart=chart.spec if chart else None,
        description=str(chart.spec["description"]) if chart else "",
        series=chart.series if chart else (),
        step_count=chart.step_count if chart else None,
        table=_view_rows(answer, rows) if isinstance(content, Table) and rows and rows.rows else None,
        values=_view_values(answer, chart),
        refusal=_refuse(answer, is_empty),
        is_empty=is_empty or (answer.asked is not None and answer.asked.main is None),
        reasons=reasons[:1] if isinstance(content, Number) else reasons,
        captions=chart.notes if chart else (),
        definitions=tuple((name_metric(metric), define(metric)) for metric in answer.metrics),
        notes=tuple(note for note in answer.notes if note not in page.origin.notes),
        reaches=tuple(_say_reaches(answer)),
    )


def _has_rows(rows: Rows) -> bool:
    return any(figure.value is not None for row in rows.rows for figure in row.figures)


def _refuse(answer: TileAnswer, is_empty: bool) -> str:
    if isinstance(answer.main, Refusal):
        return answer.main.reason
    if is_empty and isinstance(answer.main, Rows):
        return "\n".join(list_reasons(answer.main)) or "there is no row in these days"
    return ""


def _list_badges(page: DashboardAnswer, answer: TileAnswer) -> list[str]:
    badges = [
        f"not filtered by {reach.filter.title.lower()}"
        for reach in answer.reaches
        if reach.is_chosen and not reach.dimension
    ]
    drafts = [metric for metric in answer.metrics if metric.documentation.certification != "certified"]
    if drafts:
        badges.append(drafts[0].documentation.certification or "not certified")
    return badges


def _say_reaches(answer: TileAnswer) -> list[str]:
    return [
        f"{reach.filter.title}: filters by {name_group(reach.dimension)}"
        if reach.dimension
        else f"{reach.filter.title}: does not filter this"
        for reach in answer.reaches
    ]


def _view_number(content: Number, answer: TileAnswer, rows: Rows) -> NumberView | None:
    """Return the number; None where it has no value, which is said in words in its place."""
    if not rows.rows or rows.rows[0].figures[0].value is None:
        return None
    value, before, change = rows.rows[0].figures
    metric, _, changed = rows.metrics
    assert answer.asked is not None
    assert answer.asked.days is not None
    unit = metric.documentation.unit
    days = answer.asked.days.count
    told = f"{days} day{'s' if days > 1 else ''} before"
    if change.value is None:
        why = "had no value" if before.value is None else "were nothing"
        words = f"no change to be told: the {told} {why}"
    elif is_unchanged(changed, change):
        words = f"unchanged from the {told}, {format_value(before.value, unit)}"
    else:
        words = f"{_say_change(changed, change.value)} against the {told}, {format_value(before.value, unit)}"
    verdict = judge_change(metric, changed, change)
    met = judge_target(metric, value)
    return NumberView(
        value=format_value(value.value, unit),
        interval=_say_interval(metric, value),
        change=words,
        change_verdict=verdict.value,
        target=_say_target(metric, met),
        target_verdict=met.value,
    )


def _say_change(changed: Metric, value: float) -> str:
    """Return a change with its sign: a growth in per cent, a difference in the metric's unit."""
    unit = changed.documentation.unit
    amount = f"{100 * abs(value):.1f} %" if unit == "rate" else format_value(abs(value), unit).lstrip("+")
    return f"{'+' if value > 0 else MINUS}{amount}"


def _say_target(metric: Metric, verdict: Verdict) -> str:
    target = metric.documentation.target
    if target is None:
        return ""
    bound = "at least" if metric.documentation.direction == "up" else "at most"
    said = {Verdict.GOOD: "met", Verdict.BAD: "missed", Verdict.UNCLEAR: "the interval holds it"}.get(verdict, "")
    return f"target {bound} {format_value(target, metric.documentation.unit)}: {said}"


def _say_interval(metric: Metric, figure: Figure) -> str:
    if figure.low is None:
        return ""
    unit = metric.documentation.unit
    return f"{format_value(figure.low, unit)} to {format_value(figure.high, unit)}"


def _view_values(answer: TileAnswer, chart: Chart | None) -> TableView | None:
    """Return the table of the values behind a chart."""
    if chart is None:
        return None
    if chart.table:
        header, *rows = chart.table
        return TableView(
            tuple(Cell(text) for text in header),
            tuple(tuple(Cell(text, is_number=True) for text in row) for row in rows),
        )
    if isinstance(answer.tile.content, Number):
        assert isinstance(answer.course, Rows)
        grain = answer.tile.content.grain
        return _view_table(answer.course, (f"{TIME}__{grain.value}",), grain)
    assert isinstance(answer.main, Rows)
    return _view_rows(answer, answer.main)


def _view_rows(answer: TileAnswer, rows: Rows) -> TableView:
    return _view_table(rows, answer.tile.groups, find_time_grain(answer.tile))


def _view_table(rows: Rows, groups: tuple[str, ...], grain: Grain | None) -> TableView:
    header = (
        *(Cell(name_group(name)) for name in groups),
        *(Cell(name_metric(metric), detail=name_unit(metric), is_number=True) for metric in rows.metrics),
    )
    return TableView(header, tuple(_view_row(rows, row, grain) for row in rows.rows))


def _view_row(rows: Rows, row: Row, grain: Grain | None) -> tuple[Cell, ...]:
    cells = [Cell(text) for text in name_row(row, grain)]
    for metric, figure in zip(rows.metrics, row.figures, strict=True):
        if figure.value is None:
            needed = metric.documentation.minimum_units
            detail = f"{figure.units:,} of {needed:,} units" if figure.units and figure.units < needed else ""
            cells.append(Cell(NO_VALUE, detail=detail, is_number=True, is_missing=True))
        else:
            text = format_value(figure.value, metric.documentation.unit)
            cells.append(Cell(text, detail=_say_interval(metric, figure), is_number=True))
    return tuple(cells)


@dataclass(frozen=True)
class PageView:
    """All that stands on a page beside its tiles."""

    name: str
    title: str
    why: str
    owner: str
    is_official: bool
    days: str
    chosen: tuple[tuple[str, str], ...]
    tabs: tuple[tuple[str, str, tuple[TileView, ...]], ...]
    warnings: tuple[str, ...]
    origin: tuple[tuple[str, str], ...]


def view_page(page: DashboardAnswer, version: str) -> PageView:
    """Return what a page shows of a dashboard; `version` is that of the program that made it."""
    board, origin = page.dashboard, page.origin
    filters = tuple(
        (each.title, ", ".join(map(str, (page.scope.chosen or {}).get(each.name, ()))) or "all")
        for each in board.filters
    )
    facts = [
        ("data", f"{'generation' if origin.generation_id else 'build'} {origin.data_version}"),
        ("as of", f"{origin.as_of:%Y-%m-%d %H:%M} UTC"),
        ("definitions", origin.definition_version),
        ("raw set", origin.raw_set_id or "not known"),
        ("seen as", f"role {origin.role}" if origin.role else "owner, who sees all rows"),
        ("made by", f"gnomon {version}"),
    ]
    return PageView(
        name=board.name,
        title=board.title,
        why=board.why,
        owner=f"{board.owner.name}, {board.owner.email}",
        is_official=board.is_official,
        days=f"{say_days(page.scope.days)}, UTC",
        chosen=filters,
        tabs=tuple(
            (tab.name, tab.title, tuple(view_tile(page, page.tiles[tile.name]) for tile in tab.tiles))
            for tab in board.tabs
        ),
        warnings=origin.notes,
        origin=tuple(facts),
    )
