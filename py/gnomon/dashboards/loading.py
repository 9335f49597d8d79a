"""dashboards/*.yml, schema-checked and typed; whether what they name exists is for the laws."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.checked_yaml import read_checked_yaml
from gnomon.core.errors import DefinitionError
from gnomon.core.names import MetricName
from gnomon.core.yaml_lines import Lines, Place
from gnomon.dashboards.model import (
    Area,
    Bar,
    Content,
    Dashboard,
    Distribution,
    Filter,
    Funnel,
    Grid,
    HeatMap,
    Line,
    Mail,
    Number,
    Owner,
    Tab,
    Table,
    Text,
    Tile,
)
from gnomon.semantic.grain import Grain

if TYPE_CHECKING:
    from gnomon.dashboards.schema import AlertForm, DashboardForm, FilterForm, TabForm, TileForm

FOLDER = "dashboards"
PAGE = "docs/dashboards.md"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Written:
    """A dashboard and the lines of its file, so that what is wrong can be pointed at."""

    dashboard: Dashboard
    lines: Lines


def read_dashboards(project_dir: Path) -> tuple[tuple[Written, ...], tuple[str, ...]]:
    """Return the dashboards whose files are well-formed, by name, and every error of the others, a line each.

    DefinitionError if there is no file at all.
    """
    paths = sorted((project_dir / FOLDER).glob("*.yml"))
    if not paths:
        raise DefinitionError(f"{project_dir / FOLDER}: no dashboard is there. {PAGE} shows the form of one.")
    read: list[Written] = []
    faults: list[str] = []
    for path in paths:
        try:
            read.append(_read(path))
        except DefinitionError as error:
            faults += str(error).splitlines()
    return tuple(read), tuple(faults)


def _read(path: Path) -> Written:
    # Pydantic takes a third of a second to import.
    from gnomon.dashboards.schema import DashboardForm

    if not _NAME.fullmatch(path.stem):
        raise DefinitionError(
            f"{path}:1: a dashboard is called as its file is, and '{path.stem}' is no name. "
            "Use small letters, digits and underscores."
        )
    form, lines = read_checked_yaml(path, DashboardForm, PAGE)
    return Written(_make_dashboard(path.stem, form), lines)


def _make_dashboard(name: str, form: DashboardForm) -> Dashboard:
    return Dashboard(
        name=name,
        title=form.title,
        why=" ".join(form.why.split()),
        owner=Owner(form.owner.name, form.owner.email),
        is_official=form.official,
        last_days=form.last_days,
        filters=tuple(_make_filter(each, ("filters", index)) for index, each in enumerate(form.filters)),
        tabs=tuple(_make_tab(each, ("tabs", index)) for index, each in enumerate(form.tabs)),
        subscription=None if form.subscription is None else _make_mail(form.subscription, form.subscription.weekday),
    )


def _make_mail(form: AlertForm, weekday: str | None = None) -> Mail:
    return Mail(form.hour, weekday, tuple(form.to))


def _make_filter(form: FilterForm, place: Place) -> Filter:
    return Filter(form.name, form.title, tuple(form.dimensions), place)


def _make_tab(form: TabForm, place: Place) -> Tab:
    tiles = (_make_tile(each, (*place, "tiles", index)) for index, each in enumerate(form.tiles))
    return Tab(form.name, form.title, tuple(tiles), place)


def _make_tile(form: TileForm, place: Place) -> Tile:
    grid = Grid(form.grid.column, form.grid.row, form.grid.width, form.grid.height)
    content = _make_content(form)
    alert = None if form.alert is None else _make_mail(form.alert)
    return Tile(form.name, form.title, grid, content, tuple(form.not_filtered_by), form.filtered_by, place, alert)


def _make_content(form: TileForm) -> Content:
    if form.number:
        return Number(MetricName(form.number.metric), form.number.last_days, Grain(form.number.grain))
    if form.line:
        return Line(_metrics(form.line.metrics), Grain(form.line.grain), form.line.by, form.line.last_days)
    if form.area:
        return Area(MetricName(form.area.metric), Grain(form.area.grain), form.area.by, form.area.last_days)
    if form.bar:
        return Bar(MetricName(form.bar.metric), form.bar.by, form.bar.top)
    if form.table:
        return Table(_metrics(form.table.metrics), tuple(form.table.by), form.table.top)
    if form.funnel:
        return Funnel(_metrics(form.funnel.steps), _metrics(form.funnel.rates))
    if form.heat_map:
        return HeatMap(MetricName(form.heat_map.metric), form.heat_map.rows, form.heat_map.columns)
    if form.distribution:
        return Distribution(MetricName(form.distribution.metric), form.distribution.over)
    assert form.text is not None
    return Text(form.text)


def _metrics(names: list[str]) -> tuple[MetricName, ...]:
    return tuple(map(MetricName, names))
