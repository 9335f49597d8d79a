"""Things as documents that can be compared: what is wanted and what a server has, in one form, and how they differ."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from gnomon.publish.metabase.identity import KINDS, Kind, Ref
from gnomon.publish.metabase.wanted import FieldAddress, Json, TableAddress, Wanted

Document = Mapping[str, Json]
_ABSENT = object()
_LISTS: Mapping[Kind, str] = {
    "table": "tables",
    "collection": "collections",
    "card": "cards",
    "dashboard": "dashboards",
    "alert": "alerts",
    "subscription": "subscriptions",
    "group": "groups",
}


@dataclass(frozen=True)
class Difference:
    """One place where the server has something else than is wanted; None where one of them has nothing there."""

    path: str
    was: Json
    wanted: Json


def list_wanted(wanted: Wanted) -> dict[Ref, Any]:
    """Return all that is wanted by its ref, in the order in which it can be made."""
    found: dict[Ref, Any] = {Ref("database", wanted.database.key): wanted.database}
    for kind in KINDS[1:]:
        for thing in getattr(wanted, _LISTS[kind]):
            key = f"{thing.address.schema}.{thing.address.table}" if kind == "table" else thing.key
            found[Ref(kind, key)] = thing
    return found


def document_of(ref: Ref, thing: Any, wanted: Wanted) -> Document:
    """Return the document of a thing that is wanted."""
    written = write_document(thing)
    if ref.kind == "subscription":
        dashboard = next(each for each in wanted.dashboards if each.key == thing.dashboard)
        written["tiles"] = sorted(tile.key for tile in dashboard.dashcards if tile.card is not None)
    if ref.kind in ("alert", "subscription"):
        written["to"] = sorted(thing.to)
    if ref.kind == "group":
        written["reads"] = sorted(thing.reads)
    return written


def write_document(thing: Any) -> dict[str, Json]:
    """Return a value of wanted.py as a document: by name, nothing where there is nothing, the key left out.

    What has keys of its own (parameters, tabs, tiles) says them; tiles and columns stand by their names, as their order
    means nothing.
    """
    written: dict[str, Json] = {}
    for each in fields(thing):
        value = getattr(thing, each.name)
        if each.name in ("key", "columns"):
            continue
        if each.name == "address":
            value = f"{value.schema}.{value.table}"
        elif each.name == "fields":
            value = {column.column: write_document(column) for column in value}
        elif each.name == "dashcards":
            value = {tile.key: write_document(tile) for tile in value}
        elif each.name in ("parameters", "tabs"):
            value = [{"key": part.key, **write_document(part)} for part in value]
        elif each.name == "tags":
            value = {tag.name: write_document(tag) for tag in value}
        else:
            value = _plain(value)
        written[each.name] = value
    return thin(written)


def thin(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without what says nothing; 0 says something."""
    return {
        name: each
        for name, each in document.items()
        if each is not None and each is not False and each != "" and each not in ([], {})
    }


def compare(was: Document, wanted: Document) -> tuple[Difference, ...]:
    """Return every place where two documents differ, in the order of their names."""
    return tuple(_compare("", was, wanted))


def show(difference: Difference) -> list[str]:
    """Return a difference as lines for people: texts of several lines as a diff."""
    was, wanted = difference.was, difference.wanted
    if isinstance(was, str) and isinstance(wanted, str) and "\n" in was + wanted:
        lines = difflib.unified_diff(was.splitlines(), wanted.splitlines(), lineterm="", n=1)
        return [f"{difference.path}:", *(f"  {line}" for line in list(lines)[2:])]
    if was is None:
        return [f"{difference.path}: + {_say(wanted)}"]
    if wanted is None:
        return [f"{difference.path}: - {_say(was)}"]
    return [f"{difference.path}: {_say(was)} → {_say(wanted)}"]


def _say(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=list)


def _plain(value: Any) -> Any:
    if isinstance(value, TableAddress | FieldAddress):
        return ".".join(part for part in vars(value).values() if part)
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__, **write_document(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    # A whole number has one form, whatever language it went through.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _compare(path: str, was: Any, wanted: Any) -> Iterator[Difference]:
    if isinstance(was, Mapping) and isinstance(wanted, Mapping):
        for name in [*wanted, *(name for name in was if name not in wanted)]:
            inner = f"{path}.{name}" if path else name
            yield from _compare(inner, was.get(name, _ABSENT), wanted.get(name, _ABSENT))
    elif was != wanted:
        yield Difference(path, None if was is _ABSENT else was, None if wanted is _ABSENT else wanted)
