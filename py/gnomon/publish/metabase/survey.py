"""What is on the server of all that is wanted, and of all that we made there: read, never written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.publish.metabase import bodies, reading
from gnomon.publish.metabase.documents import document_of, list_wanted
from gnomon.publish.metabase.identity import Ref, make_entity_id
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.reading import Seen
from gnomon.publish.metabase.transport import Transport
from gnomon.publish.metabase.wanted import Group, Wanted
from gnomon.state import Remembered

Memory = Mapping[tuple[str, str], Remembered]
_PATHS = {
    "card": "/api/card",
    "dashboard": "/api/dashboard",
    "collection": "/api/collection",
    "alert": "/api/notification",
    "subscription": "/api/pulse",
    "database": "/api/database",
    "group": "/api/permissions/group",
    "table": "/api/table",
}
_EVERYBODY = "all-internal-users"


@dataclass
class ServerState:
    """What was found: things by ref, what we made and is gone, and names that several things have.

    `foreign` are the names of what others have put into folders of ours; `filtered` are, by dashboard, the names of the
    subscriptions that set a filter, by the filter.
    """

    names: Names = field(default_factory=Names)
    found: dict[Ref, Seen] = field(default_factory=dict)
    gone: set[Ref] = field(default_factory=set)
    unclear: dict[Ref, tuple[int, ...]] = field(default_factory=dict)
    foreign: dict[Ref, tuple[str, ...]] = field(default_factory=dict)
    filtered: dict[Ref, dict[str, str]] = field(default_factory=dict)


class Survey:
    """Reads one server; what it finds is kept in `state`."""

    def __init__(self, transport: Transport, wanted: Wanted, memory: Memory) -> None:
        self._transport = transport
        self._wanted = wanted
        self._things = list_wanted(wanted)
        self._memory = {Ref(kind, key): thing for (kind, key), thing in memory.items()}  # type: ignore[arg-type]
        self.state = ServerState()
        self._answers: dict[str, Any] = {}
        self._entity_ids: dict[str, int] = {}

    def run(self) -> ServerState:
        """Find everything, in the order in which one thing needs another."""
        for ref, thing in self._memory.items():
            if thing.server_id is not None:
                self.state.names.ids[ref] = thing.server_id
            if ref.kind == "dashboard":
                self.state.names.parts[ref] = dict(thing.parts)
        self._translate_entity_ids()
        refs = [*self._things, *(ref for ref in self._memory if ref not in self._things)]
        for kind in _PATHS_IN_ORDER:
            for ref in refs:
                if ref.kind == kind:
                    self._find(ref)
            if kind == "database":
                self.learn_tables()
        for ref in self._memory:
            if ref.kind == "collection" and ref not in self._things and ref in self.state.found:
                self.state.foreign[ref] = self._list_foreign(ref)
        for ref, seen in self.state.found.items():
            if ref.kind == "dashboard":
                pulses = self._list("/api/pulse", dashboard_id=seen.id)
                set_ = {part["id"]: each["name"] for each in pulses for part in each.get("parameters") or ()}
                self.state.filtered[ref] = set_
        return self.state

    def learn_tables(self) -> tuple[Mapping[str, Any], ...]:
        """Ask for the tables and fields of the connection, and return them; none where there is none."""
        database_id = self.state.names.database_id
        if database_id is None:
            return ()
        answer = self._transport.get(f"/api/database/{database_id}/metadata", include_hidden=True)
        tables = tuple(answer.get("tables") or ())
        self.state.names.learn_tables(tables)
        self._answers["tables"] = {f"{each.get('schema') or ''}.{each['name']}": each for each in tables}
        return tables

    def read(self, ref: Ref, thing_id: int) -> Seen | None:
        """Return a thing as the server has it now; None if it is not there."""
        answer = self.fetch(ref, thing_id)
        return None if answer is None else self._see(ref, answer)

    def fetch(self, ref: Ref, thing_id: int) -> Any:
        """Return what the server says of a thing; None if it is not there."""
        if ref.kind == "table":
            self.learn_tables()
            return self._find_table(ref)
        if ref.kind == "group":
            self._answers.pop("/api/permissions/group", None)
            return next((each for each in self._list("/api/permissions/group") if each["id"] == thing_id), None)
        return self._transport.find(f"{_PATHS[ref.kind]}/{thing_id}")

    def list_alike(self, ref: Ref) -> dict[int, Seen]:
        """Return what could be this thing by its entity id, or else its name and place, as the server has it now."""
        self._answers = {name: each for name, each in self._answers.items() if name == "tables"}
        if ref.kind == "card":
            self._translate_entity_ids()
        return self._find_alike(ref)

    def _find_alike(self, ref: Ref) -> dict[int, Seen]:
        taken = {each for other, each in self.state.names.ids.items() if other.kind == ref.kind and other != ref}
        found: dict[int, Seen] = {}
        for thing_id in self._list_ids(ref):
            if thing_id not in taken and (seen := self.read(ref, thing_id)) is not None:
                found[thing_id] = seen
        return found

    def _find(self, ref: Ref) -> None:
        remembered = self._memory.get(ref)
        seen: Seen | None = None
        if remembered is not None and remembered.server_id is not None:
            table = self._find_table(ref) if ref.kind == "table" else None
            # All tables have just been asked for at once.
            seen = self._see(ref, table) if table else None
            if ref.kind != "table":
                seen = self.read(ref, remembered.server_id)
            if seen is None or _is_other(ref, seen, remembered):
                self.state.gone.add(ref)
                self.state.names.ids.pop(ref)
                return
        elif ref in self._things:
            seen = self._choose(ref, remembered)
        if seen is not None:
            self.keep(ref, seen)

    def keep(self, ref: Ref, seen: Seen) -> None:
        """Take what was read of a thing for what the server has."""
        self.state.found[ref] = seen
        self.state.names.ids[ref] = seen.id
        if ref.kind == "dashboard":
            self.state.names.parts[ref] = dict(seen.parts)
        if ref.kind == "database":
            self.state.names.database_id = seen.id

    def _choose(self, ref: Ref, remembered: Remembered | None) -> Seen | None:
        """Return the one thing that can be ours; where several can, the one that is as wanted."""
        if ref.kind == "table":
            table = self._find_table(ref)
            return self._see(ref, table) if table else None
        before = remembered.known if remembered else ()
        alike = {each: seen for each, seen in self._find_alike(ref).items() if each not in before}
        if len(alike) > 1:
            document = document_of(ref, self._things[ref], self._wanted)
            same = {each: seen for each, seen in alike.items() if seen.document == document}
            if len(same) != 1:
                self.state.unclear[ref] = tuple(alike)
                return None
            alike = same
        return next(iter(alike.values()), None)

    def _find_table(self, ref: Ref) -> Any:
        return self._answers.get("tables", {}).get(ref.key)

    def _list_ids(self, ref: Ref) -> Iterable[int]:
        """Return the ids of what has the name of a thing, in the place where it is to be."""
        thing, names = self._things[ref], self.state.names
        if ref.kind == "card":
            entity_id = make_entity_id(self._wanted.database.key, ref)
            return [self._entity_ids[entity_id]] if entity_id in self._entity_ids else []
        if ref.kind == "database":
            rows = self._list("/api/database")
            return [each["id"] for each in rows if (each["name"], each["engine"]) == (thing.name, thing.engine)]
        if ref.kind == "collection":
            parent = names.ids.get(Ref("collection", thing.parent)) if thing.parent else None
            if thing.parent and parent is None:
                return []
            return [each["id"] for each in self._list("/api/collection") if _is_in(each, parent, thing.name)]
        if ref.kind == "dashboard":
            collection = names.ids.get(Ref("collection", thing.collection))
            rows = self._list(f"/api/collection/{collection}/items", models="dashboard") if collection else []
            return [each["id"] for each in rows if each["name"] == thing.name]
        if ref.kind == "alert":
            card = names.ids.get(Ref("card", thing.card))
            return [each["id"] for each in (self._list("/api/notification", card_id=card) if card else [])]
        if ref.kind == "subscription":
            dashboard = names.ids.get(Ref("dashboard", thing.dashboard))
            rows = self._list("/api/pulse", dashboard_id=dashboard) if dashboard else []
            return [each["id"] for each in rows if each["name"] == thing.name]
        return [each["id"] for each in self._list("/api/permissions/group") if each["name"] == thing.name]

    def _see(self, ref: Ref, answer: Mapping[str, Any]) -> Seen:
        names, thing = self.state.names, self._things.get(ref)
        if ref.kind == "database":
            return reading.read_database(answer)
        if ref.kind == "table":
            return reading.read_table(answer, thing, names) if thing else Seen(answer["id"], answer["name"], {})
        if ref.kind == "collection":
            return reading.read_collection(answer, names)
        if ref.kind == "card":
            return reading.read_card(answer, names)
        if ref.kind == "dashboard":
            return reading.read_dashboard(answer, names, ref, thing)
        if ref.kind == "alert":
            return reading.read_alert(answer, names)
        if ref.kind == "subscription":
            return reading.read_subscription(answer, names)
        return self._see_group(answer, thing)

    def _see_group(self, answer: Mapping[str, Any], wanted: Group | None) -> Seen:
        """Return a group: what it reads, and what it or everybody else may do that is not wanted.

        What everybody may do is told of the groups that it concerns: of the first one where it is the connection.
        """
        names, group = self.state.names, str(answer["id"])
        graph = self._transport.get("/api/collection/graph")["groups"]
        ours = {ref.key: each for ref, each in names.ids.items() if ref.kind == "collection"}
        held = {key: graph.get(group, {}).get(str(each), "none") for key, each in ours.items()}
        reads = [key for key, each in held.items() if each == "read"]
        everybody = self.find_everybody()
        kept = [key for key in (wanted.reads if wanted else ()) if key in ours]
        open_to_all = sorted(key for key in kept if graph.get(everybody, {}).get(str(ours[key]), "none") != "none")
        others: dict[str, Any] = {"writes": sorted(key for key, each in held.items() if each == "write")}
        others["open_to_all"] = open_to_all
        if names.database_id is not None:
            access = self._transport.get("/api/permissions/graph")["groups"]
            judged = (group, everybody) if wanted in self._wanted.groups[:1] else (group,)
            asks = [one for one in judged if _may_ask(access, one, names.database_id)]
            others["may_ask"] = ["everybody" if one == everybody else "the group" for one in asks]
        return reading.read_group(answer, reads, others)

    def find_everybody(self) -> str:
        """Return the id of the group in which everybody is."""
        rows = self._list("/api/permissions/group")
        named = (each for each in rows if each.get("magic_group_type") == _EVERYBODY or each["name"] == "All Users")
        return str(next((each["id"] for each in named), 1))

    def _translate_entity_ids(self) -> None:
        """Find the cards that have an entity id of ours, wherever they are."""
        database = self._wanted.database.key
        wanted = [make_entity_id(database, ref) for ref in self._things if ref.kind == "card"]
        if not wanted:
            return
        body = bodies.EntityIds(entity_ids={"card": wanted}).dump()
        answer = self._transport.look_up("/api/eid-translation/translate", body)["entity_ids"]
        self._entity_ids = {name: each["id"] for name, each in answer.items() if each.get("status") == "ok"}

    def _list_foreign(self, ref: Ref) -> tuple[str, ...]:
        ids = self.state.names.ids
        kinds = {"dashboard": "dashboard", "collection": "collection"}
        ours = {(each.kind, one) for each, one in ids.items() if each in self._memory or each in self._things}
        rows = self._list(f"/api/collection/{ids[ref]}/items")
        return tuple(each["name"] for each in rows if (kinds.get(each["model"], "card"), each["id"]) not in ours)

    def _list(self, path: str, **params: Any) -> list[Any]:
        """Return all rows of a list; some come in an envelope, some of those in pages."""
        name = f"{path}?{sorted(params.items())}" if params else path
        if name not in self._answers:
            answer = self._transport.get(path, **params)
            rows = answer["data"] if isinstance(answer, Mapping) else answer
            total = answer.get("total") if isinstance(answer, Mapping) else None
            while total is not None and len(rows) < total:
                page = self._transport.get(path, **params, limit=len(rows) or 1, offset=len(rows))["data"]
                if not page:
                    break
                rows = [*rows, *page]
            self._answers[name] = rows
        return self._answers[name]  # type: ignore[no-any-return]


_PATHS_IN_ORDER = ("database", "table", "collection", "card", "dashboard", "alert", "subscription", "group")


def _is_other(ref: Ref, seen: Seen, remembered: Remembered) -> bool:
    """Tell whether what has the id of a thing of ours is another one, or is of a card or dashboard that is gone."""
    tied = seen.document.get({"alert": "card", "subscription": "dashboard"}.get(ref.kind, ""))
    is_loose = isinstance(tied, str) and tied.startswith("#")
    known, there = remembered.entity_id, seen.entity_id
    return is_loose or (known is not None and there is not None and known != there)


def _is_in(collection: Mapping[str, Any], parent: int | None, name: str) -> bool:
    """Tell whether a folder of that name is right in another one, or at the top."""
    above = [part for part in (collection.get("location") or "").split("/") if part]
    is_there = above[-1:] == ([] if parent is None else [str(parent)]) and collection["id"] != "root"
    return collection["name"] == name and is_there and not collection.get("archived")


def _may_ask(graph: Mapping[str, Any], group: str, database_id: int) -> bool:
    """Tell whether a group may ask questions of its own of a connection."""
    access = graph.get(group, {}).get(str(database_id)) or {}
    asks = access.get("create-queries", "no")
    return any(each != "no" for each in asks.values()) if isinstance(asks, Mapping) else asks != "no"
