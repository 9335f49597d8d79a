"""What a server answers, in the form of what is wanted, so that the two can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.publish.metabase.documents import Document, thin, write_document
from gnomon.publish.metabase.identity import Ref
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.pairing import pair_dashcards, pair_tabs
from gnomon.publish.metabase.queries import read_query
from gnomon.publish.metabase.schedules import read_cron
from gnomon.publish.metabase.wanted import Card, ClickThrough, Dashboard, FieldAddress, Table

_SECRET = "**MetabasePass**"

_OWN_OF_FILTERS = ("filteringParameters", "required", "values_query_type", "values_source_config", "values_source_type")


@dataclass(frozen=True)
class Seen:
    """One thing as the server has it; `parts` are the ids of tab/KEY and tile/KEY, or of tab/#ID and tile/#ID."""

    id: int
    name: str
    document: Document
    entity_id: str | None = None
    is_archived: bool = False
    parts: Mapping[str, int] = field(default_factory=dict)


def read_database(answer: Mapping[str, Any]) -> Seen:
    """Return a connection, without its secrets."""
    details = {name: each for name, each in (answer.get("details") or {}).items() if each != _SECRET}
    document = {"name": answer["name"], "engine": answer["engine"], "details": details}
    return Seen(answer["id"], answer["name"], document)


def read_table(answer: Mapping[str, Any], wanted: Table, names: Names) -> Seen:
    """Return of a table what is wanted of it: Metabase knows more of every column, and finds out more by itself."""
    columns = {each["name"]: each for each in answer.get("fields") or ()}
    described: dict[str, Any] = {}
    for column in wanted.fields:
        found = columns.get(column.column)
        if found is None:
            continue
        said: dict[str, Any] = {"column": column.column}
        if column.description and found.get("description"):
            said["description"] = found["description"]
        if column.semantic_type and found.get("semantic_type"):
            said["semantic_type"] = found["semantic_type"]
        if column.leads_to and found.get("fk_target_field_id"):
            said["leads_to"] = _dotted(names.field_of(found["fk_target_field_id"]))
        if found.get("visibility_type") not in (None, "normal"):
            said["is_hidden"] = True
        described[column.column] = said
    document: dict[str, Any] = {
        "address": f"{answer.get('schema') or ''}.{answer['name']}",
        "title": answer.get("display_name"),
        "description": answer.get("description") if wanted.description else None,
        "is_hidden": answer.get("visibility_type") is not None,
        "fields": described,
    }
    return Seen(answer["id"], answer["name"], thin(document))


def read_collection(answer: Mapping[str, Any], names: Names) -> Seen:
    """Return a folder."""
    above = [part for part in (answer.get("location") or "/").split("/") if part]
    parent = names.key_of("collection", int(above[-1])) if above else None
    document = {"name": answer["name"], "description": answer.get("description"), "parent": parent}
    return _see(answer, thin(document))


def read_card(answer: Mapping[str, Any], names: Names) -> Seen:
    """Return a question, a model or a metric."""
    settings = answer.get("visualization_settings") or {}
    card = Card(
        key="",
        kind=answer.get("type") or "question",
        name=answer["name"],
        description=answer.get("description") or "",
        collection=names.key_of("collection", answer.get("collection_id")) or "",
        query=read_query(answer["dataset_query"], names),  # type: ignore[arg-type]
        display=answer["display"],
        settings=settings,
    )
    return _see(answer, write_document(card))


def read_dashboard(answer: Mapping[str, Any], names: Names, ref: Ref, wanted: Dashboard | None) -> Seen:
    """Return a dashboard; its tabs and dashcards under our keys where they are known, or can be told."""
    known_tabs = {each: key for key, each in names.parts_of(ref.key, "tab/").items()}
    known_tiles = {each: key for key, each in names.parts_of(ref.key, "tile/").items()}
    tabs = pair_tabs(answer.get("tabs") or (), known_tabs, wanted)
    tiles: dict[int, dict[str, Any]] = {}
    for dashcard in answer.get("dashcards") or ():
        tiles[dashcard["id"]] = _read_dashcard(dashcard, names, tabs)
    keys = pair_dashcards(tiles, known_tiles, wanted)
    parameters = [_read_parameter(each) for each in answer.get("parameters") or ()]
    document = {
        "name": answer["name"],
        "description": answer.get("description"),
        "collection": names.key_of("collection", answer.get("collection_id")),
        "parameters": parameters,
        "tabs": [{"key": tabs[each["id"]], "name": each["name"]} for each in answer.get("tabs") or ()],
        "dashcards": {keys[tile_id]: tile for tile_id, tile in tiles.items()},
    }
    parts = {f"tab/{key}": tab_id for tab_id, key in tabs.items()}
    return _see(answer, thin(document), {**parts, **{f"tile/{key}": tile_id for tile_id, key in keys.items()}})


def _read_parameter(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter, with what people set of it and we never send: sending ours would take that away."""
    own = {name: answer[name] for name in _OWN_OF_FILTERS if answer.get(name)}
    if answer.get("isMultiSelect") is False:
        own["isMultiSelect"] = "no"
    kept = {"title": answer.get("name"), "kind": answer["type"], "default": answer.get("default")}
    return thin({"key": answer["id"], **kept, **own})


def read_alert(answer: Mapping[str, Any], names: Names) -> Seen:
    """Return an alert; what is no longer active is archived."""
    payload = answer.get("payload") or {}
    crons = [each.get("cron_schedule") for each in answer.get("subscriptions") or ()]
    handlers = answer.get("handlers") or ()
    document: dict[str, Any] = {
        "card": names.key_of("card", payload.get("card_id")),
        "condition": payload.get("send_condition"),
        "schedule": read_cron(crons[0]) if len(crons) == 1 else {"is": "other", "cron": crons},
        "to": sorted(_read_recipient(each) for handler in handlers for each in handler.get("recipients") or ()),
    }
    if payload.get("send_once"):
        document["send_once"] = True
    if [each["channel_type"] for each in handlers] != ["channel/email"]:
        document["channels"] = [each["channel_type"] for each in handlers]
    return Seen(answer["id"], "", thin(document), is_archived=not answer.get("active", True))


def read_subscription(answer: Mapping[str, Any], names: Names) -> Seen:
    """Return a subscription, with the dashcards that it sends."""
    channels = [each for each in answer.get("channels") or () if each.get("enabled", True)]
    key = names.key_of("dashboard", answer.get("dashboard_id"))
    parts = {each: name for name, each in names.parts_of(key or "", "tile/").items()}
    tiles = [each.get("dashboard_card_id") for each in answer.get("cards") or ()]
    document: dict[str, Any] = {
        "dashboard": key,
        "name": answer.get("name"),
        "tiles": sorted(parts.get(each, f"#{each}") for each in tiles),
        "to": sorted(each.get("email") or f"#{each.get('id')}" for one in channels for each in one["recipients"]),
    }
    if len(channels) == 1 and channels[0]["schedule_type"] in ("daily", "weekly"):
        weekday = channels[0].get("schedule_day")
        document["schedule"] = thin({"is": "Schedule", "hour": channels[0]["schedule_hour"], "weekday": weekday})
    else:
        said = [
            {name: each.get(name) for name in ("schedule_type", "schedule_hour", "schedule_day")} for each in channels
        ]
        document["schedule"] = {"is": "other", "channels": said}
    if [each["channel_type"] for each in channels] != ["email"]:
        document["channels"] = [each["channel_type"] for each in channels]
    # What people set of it and we never send: sending ours would take that away.
    files = [
        name for name in ("include_csv", "include_xls") if any(each.get(name) for each in answer.get("cards") or ())
    ]
    document |= {"parameters": answer.get("parameters"), "skip_if_empty": answer.get("skip_if_empty"), "files": files}
    return Seen(answer["id"], answer.get("name") or "", thin(document), is_archived=bool(answer.get("archived")))


def read_group(answer: Mapping[str, Any], reads: Sequence[str], others: Mapping[str, Any]) -> Seen:
    """Return a group with the collections of ours that it reads; `others` is what it, or everybody, may do besides."""
    document = {"name": answer["name"], "reads": sorted(reads), **others}
    return Seen(answer["id"], answer["name"], thin(document))


def _read_dashcard(answer: Mapping[str, Any], names: Names, tabs: Mapping[int, str]) -> dict[str, Any]:
    settings = dict(answer.get("visualization_settings") or {})
    click = settings.pop("click_behavior", None)
    card = names.key_of("card", answer.get("card_id"))
    text = None
    if card is None and (settings.get("virtual_card") or {}).get("display") == "text":
        settings.pop("virtual_card")
        text = settings.pop("text", "")
    wires = {each["parameter_id"]: _read_target(each, names) for each in answer.get("parameter_mappings") or ()}
    return thin(
        {
            "tab": tabs.get(answer.get("dashboard_tab_id") or 0),
            "row": answer["row"],
            "column": answer["col"],
            "width": answer["size_x"],
            "height": answer["size_y"],
            "card": card,
            "text": text,
            "wires": wires,
            "settings": json.loads(json.dumps(settings)),
            "click": _read_click(click, names),
            "series": [names.key_of("card", each.get("id")) for each in answer.get("series") or ()],
        },
    )


def _read_target(mapping: Mapping[str, Any], names: Names) -> str:
    target = mapping["target"]
    if target[0] == "dimension" and target[1][0] == "template-tag":
        return str(target[1][1])
    if target[0] == "dimension" and target[1][0] == "field":
        ids = [each for each in target[1][1:] if isinstance(each, int)]
        return names.field_of(ids[0] if ids else None).column
    return json.dumps(target)


def _read_click(click: Any, names: Names) -> Any:
    if not click:
        return None
    if click.get("type") == "link" and click.get("linkType") == "question":
        sets = {each["source"]["id"]: each["target"]["id"] for each in (click.get("parameterMapping") or {}).values()}
        card = ClickThrough(names.key_of("card", click.get("targetId")) or "", sets)
        return {"is": "ClickThrough", **write_document(card)}
    return {"is": "other", "click": click}


def _read_recipient(recipient: Mapping[str, Any]) -> str:
    if recipient["type"] == "notification-recipient/raw-value":
        return str(recipient["details"]["value"])
    mail = (recipient.get("user") or {}).get("email")
    return str(mail or f"{recipient['type']} #{recipient.get('user_id') or recipient.get('permissions_group_id')}")


def _dotted(address: FieldAddress) -> str:
    return f"{address.schema}.{address.table}.{address.column}"


def _see(answer: Mapping[str, Any], document: Document, parts: Mapping[str, int] | None = None) -> Seen:
    archived = bool(answer.get("archived"))
    return Seen(answer["id"], answer["name"], document, answer.get("entity_id"), archived, parts or {})
