"""A dashboard as Metabase has it: cards, tabs, a grid twice as fine, filters wired to every card that they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gnomon.core.errors import QueryError
from gnomon.dashboards.door import Door
from gnomon.dashboards.model import Dashboard, Filter, Number, Text, Tile
from gnomon.dashboards.questions import Scope
from gnomon.dashboards.words import define, name_metric, name_unit
from gnomon.publish.metabase import wanted
from gnomon.publish.metabase.making.cases import CaseList, find_click
from gnomon.publish.metabase.making.display import choose_display, write_settings
from gnomon.publish.metabase.making.mails import write_alert
from gnomon.publish.metabase.making.queries import DATES, TileQuery, write_tile
from gnomon.publish.serving_copy import CopyDoor

# Metabase's grid is twice as fine as that of a dashboard's file.
_FINER = 2
_ROOT = "dashboards"


@dataclass(frozen=True)
class Page:
    """A dashboard with its cards and their collection; `refused` says why a tile is only words here."""

    dashboard: wanted.Dashboard
    collection: wanted.Collection
    cards: tuple[wanted.Card, ...]
    alerts: tuple[wanted.Alert, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PageMaker:
    """Makes pages of dashboards, asked of one copy at the clock of `scope`."""

    copy: CopyDoor
    door: Door
    lists: Mapping[str, CaseList]

    def make(self, dashboard: Dashboard, scope: Scope) -> Page:
        """Return a dashboard with all of its tiles; those that the copy cannot answer are words that say why."""
        key = f"page/{dashboard.name}"
        cards: list[wanted.Card] = []
        tiles: list[wanted.Dashcard] = []
        alerts: list[wanted.Alert] = []
        refused: dict[str, str] = {}
        reached: set[str] = set()
        for tab in dashboard.tabs:
            for tile in tab.tiles:
                try:
                    made = None if isinstance(tile.content, Text) else self._ask(dashboard, tile, scope)
                except QueryError as refusal:
                    refused[f"{dashboard.name}.{tile.name}"] = str(refusal)
                    tiles.append(_place(tab.name, tile, text=_say_refused(tile, str(refusal))))
                    continue
                if made is None:
                    assert isinstance(tile.content, Text)
                    tiles.append(_place(tab.name, tile, text=tile.content.text))
                    continue
                card, asked = made
                cards.append(card)
                if (watched := write_alert(dashboard, tile, card, asked)) is not None:
                    cards.append(watched[0])
                    alerts.append(watched[1])
                reached |= {*asked.wires}
                click = find_click(self.copy.engine.manifest, tile, self.lists)
                tiles.append(_place(tab.name, tile, card=card.key, wires=asked.wires, click=click))
        return Page(
            dashboard=wanted.Dashboard(
                key=key,
                name=dashboard.title,
                description=f"{dashboard.why} For {dashboard.owner.name}, {dashboard.owner.email}. All days are UTC.",
                collection=_ROOT,
                parameters=tuple(_list_parameters(dashboard.filters, reached)),
                tabs=tuple(wanted.Tab(tab.name, tab.title) for tab in dashboard.tabs),
                dashcards=tuple(tiles),
            ),
            collection=wanted.Collection(
                f"cards/{dashboard.name}", f"Cards of {dashboard.title}", dashboard.why, _ROOT
            ),
            cards=tuple(cards),
            alerts=tuple(alerts),
            refused=refused,
        )

    def _ask(self, dashboard: Dashboard, tile: Tile, scope: Scope) -> tuple[wanted.Card, TileQuery]:
        asked = write_tile(self.copy, self.door, dashboard, tile, scope)
        titles = {DATES: "dates", **{each.name: each.title.lower() for each in dashboard.filters}}
        free = [titles[name] for name in asked.unreached]
        # What a filter does not reach is said where it is read.
        aside = f" (not filtered by {', '.join(free)})" if free else ""
        # The page has as many days as its file says, a card the last period.
        if isinstance(tile.content, Number):
            aside = f", last {tile.content.grain.value}{aside}"
        card = wanted.Card(
            key=f"{dashboard.name}/{tile.name}",
            kind="question",
            name=f"{tile.title}{aside}",
            description=_describe(tile, asked),
            collection=f"cards/{dashboard.name}",
            query=asked.query,
            display=choose_display(tile),
            settings=write_settings(tile, asked),
            columns=asked.columns,
        )
        return card, asked


def _place(
    tab: str,
    tile: Tile,
    *,
    card: str | None = None,
    text: str | None = None,
    wires: Mapping[str, str] | None = None,
    click: wanted.ClickThrough | None = None,
) -> wanted.Dashcard:
    grid = tile.grid
    return wanted.Dashcard(
        key=tile.name,
        tab=tab,
        row=(grid.row - 1) * _FINER,
        column=(grid.column - 1) * _FINER,
        width=grid.width * _FINER,
        height=grid.height * _FINER,
        card=card,
        text=text,
        wires=wires or {},
        click=click,
    )


def _list_parameters(filters: tuple[Filter, ...], reached: set[str]) -> Iterator[wanted.Parameter]:
    """Yield the filters that reach a card at least; Metabase shows no other ones."""
    if DATES in reached:
        yield wanted.Parameter(DATES, "Dates (UTC)", "date/all-options")
    for each in filters:
        if each.name in reached:
            yield wanted.Parameter(each.name, each.title, "string/=")


def _describe(tile: Tile, asked: TileQuery) -> str:
    """Return what a reader must know of a card: its days, its units, what its metrics are."""
    reach = asked.reach
    grain = "days" if reach.grain is None else f"whole {reach.grain.value}s"
    said = [
        f"The last {reach.back} days of the data by {grain} (UTC), without days younger than {reach.immature}, which "
        "can still change."
    ]
    if isinstance(tile.content, Number):
        said.append("The number is that of the last period, its change against the one before.")
    if asked.estimates:
        said.append("Estimated from samples: read the 95 % interval beside it; empty where there is too little.")
    for metric in asked.metrics:
        floor = metric.documentation.minimum_units
        short = f" Empty on fewer than {floor} {metric.documentation.units}." if floor else ""
        said.append(f"{name_metric(metric)} ({name_unit(metric)}): {define(metric)}{short}")
    return "\n\n".join(said)


def _say_refused(tile: Tile, why: str) -> str:
    first = why.splitlines()[0].rstrip(":")
    return f"**{tile.title}** is not shown here: {first}"
