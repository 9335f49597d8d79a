"""What is wanted, as bodies with one server's ids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.core.errors import DefinitionError, explain_unknown
from gnomon.publish.metabase import bodies
from gnomon.publish.metabase.identity import Ref, make_entity_id, make_tag_id
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.queries import write_query
from gnomon.publish.metabase.schedules import write_cron
from gnomon.publish.metabase.wanted import (
    Alert,
    Card,
    Collection,
    Dashboard,
    Dashcard,
    Database,
    Field,
    FieldAddress,
    NativeQuery,
    Parameter,
    Subscription,
    Table,
    Wanted,
)

_SECTIONS = {"date/all-options": "date", "string/=": "string", "number/=": "number", "boolean/=": "boolean"}


def write_database(database: Database, secrets: Mapping[str, str]) -> bodies.DatabaseBody:
    """Return the body that makes a connection; `secrets` are details that are no part of what is wanted."""
    details = {**_json(database.details), **secrets}
    return bodies.DatabaseBody(name=database.name, engine=database.engine, details=details, is_full_sync=True)


def change_database(database: Database, there: Mapping[str, Any], secrets: Mapping[str, str]) -> bodies.DatabaseChange:
    """Return the body that changes a connection; `there` are its details as the server says them.

    A secret that comes back as it was sent, hidden, stays what it is.
    """
    details = {**there, **_json(database.details), **secrets}
    return bodies.DatabaseChange(name=database.name, engine=database.engine, details=details)


def write_table(table: Table) -> bodies.TableBody:
    """Return what is to be known of a table."""
    return bodies.TableBody(
        display_name=table.title or table.address.table,
        description=table.description or None,
        visibility_type="technical" if table.is_hidden else None,
    )


def write_field(field: Field, names: Names) -> bodies.FieldBody:
    """Return what is to be known of a column; what Metabase found out stays where nothing else is wanted."""
    said: dict[str, Any] = {"visibility_type": "hidden" if field.is_hidden else "normal"}
    if field.description:
        said["description"] = field.description
    if field.semantic_type:
        said["semantic_type"] = field.semantic_type
    if field.leads_to:
        said["fk_target_field_id"] = names.id_of_field(field.leads_to)
        said.setdefault("semantic_type", "type/FK")
    return bodies.FieldBody(**said)


def write_collection(collection: Collection, names: Names) -> bodies.CollectionBody:
    """Return a folder; its parent must be there."""
    return bodies.CollectionBody(
        name=collection.name,
        description=collection.description or None,
        parent_id=names.id_of("collection", collection.parent) if collection.parent else None,
    )


def write_card(card: Card, names: Names, database: str) -> bodies.CardBody:
    """Return the body that makes a card, under its own entity id."""
    return bodies.CardBody(**_card(card, names), entity_id=make_entity_id(database, Ref("card", card.key)))


def change_card(card: Card, names: Names) -> bodies.CardChange:
    """Return the body that changes a card."""
    return bodies.CardChange(**_card(card, names), archived=False)


def write_dashboard(dashboard: Dashboard, names: Names) -> bodies.DashboardBody:
    """Return the body that makes a dashboard; it has no tiles yet."""
    return bodies.DashboardBody(**_dashboard(dashboard, names))


def change_dashboard(wanted: Wanted, dashboard: Dashboard, names: Names) -> bodies.DashboardChange:
    """Return all of a dashboard. Tabs and tiles that are there keep their ids: subscriptions and links need them."""
    tabs, tiles = names.parts_of(dashboard.key, "tab/"), names.parts_of(dashboard.key, "tile/")
    for number, tab in enumerate(dashboard.tabs, start=1):
        tabs.setdefault(tab.key, -number)
    for number, tile in enumerate(dashboard.dashcards, start=1):
        tiles.setdefault(tile.key, -number)
    return bodies.DashboardChange(
        **_dashboard(dashboard, names),
        tabs=[bodies.TabBody(id=tabs[tab.key], name=tab.name) for tab in dashboard.tabs],
        dashcards=[_dashcard(wanted, each, tiles[each.key], tabs[each.tab], names) for each in dashboard.dashcards],
        archived=False,
    )


def write_alert(alert: Alert, names: Names, there: Mapping[str, Any] | None = None) -> bodies.AlertBody:
    """Return an alert; with the ids of what is `there`, as the server would make it anew without them."""
    recipients = [
        bodies.AlertRecipient(type="notification-recipient/raw-value", details=bodies.RecipientDetails(value=each))
        for each in alert.to
    ]
    schedules, handlers = (there or {}).get("subscriptions") or [], (there or {}).get("handlers") or []
    return bodies.AlertBody(
        **_ids(there),
        payload_type="notification/card",
        payload=bodies.AlertPayload(
            **_ids((there or {}).get("payload")),
            card_id=names.id_of("card", alert.card),
            send_condition=alert.condition,
            send_once=False,
        ),
        subscriptions=[
            bodies.AlertSchedule(
                **_ids(schedules[0] if schedules else None),
                type="notification-subscription/cron",
                cron_schedule=write_cron(alert.schedule),
                ui_display_type="cron/builder",
            )
        ],
        handlers=[
            bodies.AlertHandler(
                **_ids(handlers[0] if handlers else None),
                channel_type="channel/email",
                active=True,
                recipients=recipients,
            )
        ],
        active=True,
    )


def write_subscription(wanted: Wanted, subscription: Subscription, names: Names) -> bodies.SubscriptionBody:
    """Return a subscription to all tiles of its dashboard, which must be there."""
    return bodies.SubscriptionBody(
        name=subscription.name,
        dashboard_id=names.id_of("dashboard", subscription.dashboard),
        cards=_sent(wanted, subscription, names),
        channels=[_channel(subscription, None)],
        skip_if_empty=False,
        parameters=[],
    )


def change_subscription(
    wanted: Wanted, subscription: Subscription, names: Names, there: Mapping[str, Any]
) -> bodies.SubscriptionChange:
    """Return all of a subscription that is `there`."""
    channels = there.get("channels") or []
    return bodies.SubscriptionChange(
        name=subscription.name,
        cards=_sent(wanted, subscription, names),
        channels=[_channel(subscription, channels[0] if channels else None)],
        skip_if_empty=False,
        parameters=[],
        archived=False,
    )


def _card(card: Card, names: Names) -> dict[str, Any]:
    return {
        "name": card.name,
        "description": card.description or None,
        "type": card.kind,
        "display": card.display,
        "collection_id": names.id_of("collection", card.collection),
        "dataset_query": write_query(card, names),
        "visualization_settings": _json(card.settings),
    }


def _dashboard(dashboard: Dashboard, names: Names) -> dict[str, Any]:
    return {
        "name": dashboard.name,
        "description": dashboard.description or None,
        "collection_id": names.id_of("collection", dashboard.collection),
        "parameters": [_parameter(each) for each in dashboard.parameters],
    }


def _parameter(parameter: Parameter) -> bodies.ParameterBody:
    # The key is the id, too, so that it stays whatever the filter is called.
    slug = re.sub(r"\W+", "_", parameter.key.lower()).strip("_") or "filter"
    default = {} if parameter.default is None else {"default": _json(parameter.default)}
    return bodies.ParameterBody(
        id=parameter.key,
        name=parameter.title,
        slug=slug,
        type=parameter.kind,
        section_id=_SECTIONS[parameter.kind],
        **default,
    )


def _dashcard(wanted: Wanted, tile: Dashcard, tile_id: int, tab_id: int, names: Names) -> bodies.DashcardBody:
    settings = _json(tile.settings)
    mappings = []
    card_id = None
    if tile.card is None:
        settings = {**settings, "virtual_card": {"display": "text"}, "text": tile.text or ""}
    else:
        card_id = names.id_of("card", tile.card)
        card = _find_card(wanted, tile.card)
        mappings = [
            bodies.MappingBody(parameter_id=filter_, card_id=card_id, target=_target(card, into, names))
            for filter_, into in tile.wires.items()
        ]
    if tile.click is not None:
        settings = {**settings, "click_behavior": _click(wanted, tile, names).dump()}
    return bodies.DashcardBody(
        id=tile_id,
        card_id=card_id,
        dashboard_tab_id=tab_id,
        row=tile.row,
        col=tile.column,
        size_x=tile.width,
        size_y=tile.height,
        parameter_mappings=mappings,
        visualization_settings=settings,
        series=[],
    )


def _target(card: Card, into: str, names: Names) -> list[Any]:
    """Return where a filter goes: a tag of SQL, or a column of the table that a card shows."""
    if isinstance(card.query, NativeQuery):
        tags = [tag.name for tag in card.query.tags]
        if into not in tags:
            raise DefinitionError(f"card '{card.key}': {explain_unknown('tag', into, tags)}")
        return ["dimension", ["template-tag", into]]
    table = card.query.table
    return ["dimension", ["field", names.id_of_field(FieldAddress(table.schema, table.table, into)), None]]


def _click(wanted: Wanted, tile: Dashcard, names: Names) -> bodies.ClickBody:
    assert tile.click is not None
    target = tile.click.card
    mappings = {}
    for column, tag in tile.click.sets.items():
        tag_id = make_tag_id(target, tag)
        # Metabase takes a field filter of SQL for a variable here.
        mappings[tag_id] = bodies.ClickMapping(
            id=tag_id,
            source=bodies.ClickEnd(id=column, type="column", name=column),
            target=bodies.ClickEnd(id=tag, type="variable"),
        )
    _find_card(wanted, target)
    return bodies.ClickBody(
        type="link", link_type="question", target_id=names.id_of("card", target), parameter_mapping=mappings
    )


def _sent(wanted: Wanted, subscription: Subscription, names: Names) -> list[bodies.SentCard]:
    dashboard = next(each for each in wanted.dashboards if each.key == subscription.dashboard)
    parts = names.parts_of(dashboard.key, "tile/")
    tiles = sorted((tile for tile in dashboard.dashcards if tile.card), key=lambda tile: (tile.row, tile.column))
    return [
        bodies.SentCard(
            id=names.id_of("card", tile.card or ""),
            dashboard_card_id=parts[tile.key],
            include_csv=False,
            include_xls=False,
        )
        for tile in tiles
        if tile.key in parts
    ]


def _channel(subscription: Subscription, there: Mapping[str, Any] | None) -> bodies.MailChannel:
    schedule = subscription.schedule
    return bodies.MailChannel(
        **_ids(there),
        channel_type="email",
        enabled=True,
        schedule_type="weekly" if schedule.weekday else "daily",
        schedule_hour=schedule.hour,
        schedule_day=schedule.weekday,
        schedule_frame=None,
        details={},
        recipients=[bodies.MailRecipient(email=each) for each in subscription.to],
    )


def _find_card(wanted: Wanted, key: str) -> Card:
    cards = {card.key: card for card in wanted.cards}
    if key not in cards:
        raise DefinitionError(explain_unknown("card", key, cards))
    return cards[key]


def _ids(there: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"id": there["id"]} if there and there.get("id") else {}


def _json(value: Any) -> Any:
    """Return values that JSON has: tuples are lists there."""
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(each) for each in value]
    return value
