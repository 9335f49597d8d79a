"""Making, changing and putting away one thing on a server, so that it is there once whatever happens on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gnomon.core.errors import WarehouseError
from gnomon.publish.metabase import bodies, writing
from gnomon.publish.metabase.documents import document_of, list_wanted
from gnomon.publish.metabase.graphs import Graphs
from gnomon.publish.metabase.identity import Ref, digest, make_entity_id
from gnomon.publish.metabase.planning import is_as_wanted
from gnomon.publish.metabase.reading import Seen
from gnomon.publish.metabase.survey import Survey
from gnomon.publish.metabase.syncing import Waiting, wait_for_tables
from gnomon.publish.metabase.transport import FailedError, LostAnswerError, MetabaseError, RefusedError, Transport
from gnomon.publish.metabase.wanted import FieldAddress, Wanted
from gnomon.state import MetabaseMemory, Remembered, Status

TRIES = 3
_LOOKS = 3
_PAUSE = 1.0
_NEEDS_TABLES = ("table", "card", "dashboard")


class Sending:
    """Sends what one apply has to send, and remembers each thing as soon as it is there."""

    def __init__(
        self,
        transport: Transport,
        wanted: Wanted,
        survey: Survey,
        memory: MetabaseMemory,
        waiting: Waiting,
        secrets: Mapping[str, str],
    ) -> None:
        self._transport = transport
        self._wanted = wanted
        self._things = list_wanted(wanted)
        self._survey = survey
        self._memory = memory
        self._waiting = waiting
        self._secrets = secrets
        self._graphs = Graphs(transport, wanted, survey)
        self._before = memory.read()
        self._unsettled: set[Ref] = set()

    def make(self, ref: Ref, name: str) -> Seen:
        """Have a thing made, and return what the server then has of it."""
        self._prepare(ref)
        if ref.kind == "table":
            seen = self._survey.read(ref, 0)
            assert seen is not None, "the wait has seen it"
            self._survey.keep(ref, seen)
            return self.change(ref, name)
        known = tuple(self._survey.list_alike(ref))
        entity_id = make_entity_id(self._wanted.database.key, ref) if ref.kind == "card" else None
        begun = Remembered(ref.kind, ref.key, name, Status.MAKING, entity_id=entity_id, known=known)
        self._memory.write(begun)
        made = self._post_once(ref, set(known) if ref.kind != "card" else set())
        self._memory.write(Remembered(ref.kind, ref.key, name, Status.MAKING, server_id=made))
        names = self._survey.state.names
        names.ids[ref] = made
        if ref.kind == "database":
            names.database_id = made
        if ref.kind == "dashboard":
            names.parts[ref] = {}
        if ref.kind in ("dashboard", "group"):
            return self.change(ref, name)
        return self._take(ref, name)

    def change(self, ref: Ref, name: str) -> Seen:
        """Have a thing changed to what is wanted, and return what the server then has of it."""
        self._prepare(ref)
        document = document_of(ref, self._things[ref], self._wanted)
        thing_id = self._survey.state.names.ids[ref]
        for tried in range(1, TRIES + 1):
            try:
                self._put(ref, thing_id)
                break
            except RefusedError as error:
                # Somebody changed a graph in between: it is read again.
                if not error.is_conflict or tried == TRIES:
                    raise
            except (FailedError, LostAnswerError):
                self._waiting.pause(_PAUSE * tried)
                seen = self._survey.read(ref, thing_id)
                if seen is not None:
                    self._survey.keep(ref, seen)
                    if is_as_wanted(ref, seen, document):
                        break
                if tried == TRIES:
                    raise
        return self._take(ref, name)

    def put_away(self, ref: Ref, name: str) -> None:
        """Have a thing archived; a group keeps its people and reads nothing of ours any more."""
        thing_id = self._survey.state.names.ids[ref]
        if before := self._before.get((ref.kind, ref.key)):
            self._memory.write(replace(before, status=Status.MAKING, answered=None))
        for tried in range(1, TRIES + 1):
            try:
                self._archive(ref, thing_id)
                break
            except RefusedError as error:
                if not error.is_conflict or tried == TRIES:
                    raise
            except (FailedError, LostAnswerError):
                if tried == TRIES:
                    raise
                self._waiting.pause(_PAUSE * tried)
        self.remember_archived(ref, name, self._survey.read(ref, thing_id))

    def remember_archived(self, ref: Ref, name: str, seen: Seen | None) -> None:
        """Remember that a thing is archived, so that it comes back with its ids where it is wanted again."""
        answered = digest(seen.document) if seen else None
        parts = _list_ours(seen.parts) if seen else {}
        self._memory.write(
            Remembered(
                ref.kind,
                ref.key,
                name,
                Status.ARCHIVED,
                self._survey.state.names.ids[ref],
                seen.entity_id if seen else None,
                answered=answered,
                parts=parts,
            )
        )

    def adopt(self, ref: Ref, name: str) -> None:
        """Remember what is there as wanted, where it is not remembered so already."""
        seen = self._survey.state.found[ref]
        before = self._before.get((ref.kind, ref.key))
        fresh = self._remember(ref, name, seen)
        if ref.kind == "database" and before is None:
            fresh = replace(fresh, parts={"was_there": 1})
        if fresh != before or ref in self._unsettled:
            self._memory.write(fresh)

    def unsettle(self, ref: Ref) -> None:
        """Remember that a thing is not done with, as the server may change it along with another one."""
        before = self._before.get((ref.kind, ref.key))
        if before is not None and before.status is Status.THERE and ref not in self._unsettled:
            self._unsettled.add(ref)
            self._memory.write(replace(before, status=Status.MAKING))

    def is_still_wanted(self, ref: Ref) -> bool:
        """Tell whether a thing is as wanted at this moment."""
        seen = self._survey.read(ref, self._survey.state.names.ids[ref])
        return seen is not None and is_as_wanted(ref, seen, document_of(ref, self._things[ref], self._wanted))

    def _prepare(self, ref: Ref) -> None:
        if ref.kind in _NEEDS_TABLES:
            wait_for_tables(self._transport, self._survey, self._wanted, self._waiting)

    def _take(self, ref: Ref, name: str) -> Seen:
        """Read a thing back and remember it."""
        seen = self._survey.read(ref, self._survey.state.names.ids[ref])
        if seen is None:
            raise WarehouseError(f"{ref} was sent, and is not there. Did somebody delete it at this moment?")
        self._survey.keep(ref, seen)
        self._memory.write(self._remember(ref, name, seen))
        return seen

    def _remember(self, ref: Ref, name: str, seen: Seen) -> Remembered:
        before = self._before.get((ref.kind, ref.key))
        parts = _list_ours(seen.parts)
        if ref.kind == "database" and before is not None:
            parts = dict(before.parts)
        return Remembered(
            kind=ref.kind,
            key=ref.key,
            name=name,
            status=Status.THERE,
            server_id=seen.id,
            entity_id=seen.entity_id,
            applied=digest(document_of(ref, self._things[ref], self._wanted)),
            answered=digest(seen.document),
            parts=parts,
        )

    def _post_once(self, ref: Ref, known: set[int]) -> int:
        """Have a thing made and return its id. After a failure or a lost answer it is looked for before all else."""
        for tried in range(1, TRIES + 1):
            try:
                return int(self._post(ref)["id"])
            except (FailedError, LostAnswerError) as error:
                found = self._look(ref, known)
                if found is not None:
                    return found
                # Without an answer it may still be on its way, and a second request would make a second one.
                if tried == TRIES or not (isinstance(error, FailedError) and error.is_over):
                    raise
        raise AssertionError("the loop ends by itself")

    def _look(self, ref: Ref, known: set[int]) -> int | None:
        for tried in range(1, _LOOKS + 1):
            self._waiting.pause(_PAUSE * tried)
            alike = [each for each in self._survey.list_alike(ref) if each not in known]
            if len(alike) > 1:
                ids = ", ".join(f"#{each}" for each in alike)
                raise MetabaseError(f"{ref}: several have just come to be there ({ids}). Archive all but one of them.")
            if alike:
                return alike[0]
        return None

    def _post(self, ref: Ref) -> Any:
        thing, names = self._things[ref], self._survey.state.names
        post = self._transport.post
        if ref.kind == "database":
            return post("/api/database", writing.write_database(thing, self._secrets).dump())
        if ref.kind == "collection":
            return post("/api/collection", writing.write_collection(thing, names).dump())
        if ref.kind == "card":
            return post("/api/card", writing.write_card(thing, names, self._wanted.database.key).dump())
        if ref.kind == "dashboard":
            return post("/api/dashboard", writing.write_dashboard(thing, names).dump())
        if ref.kind == "alert":
            return post("/api/notification", writing.write_alert(thing, names).dump())
        if ref.kind == "subscription":
            return post("/api/pulse", writing.write_subscription(self._wanted, thing, names).dump())
        return post("/api/permissions/group", bodies.GroupBody(name=thing.name).dump())

    def _put(self, ref: Ref, thing_id: int) -> None:
        thing, names = self._things[ref], self._survey.state.names
        put = self._transport.put
        if ref.kind == "database":
            there = self._survey.fetch(ref, thing_id)["details"]
            put(f"/api/database/{thing_id}", writing.change_database(thing, there, self._secrets).dump())
        elif ref.kind == "table":
            self._put_table(ref, thing_id)
        elif ref.kind == "collection":
            body = writing.write_collection(thing, names)
            change = bodies.CollectionChange(**body.model_dump(), archived=False)
            put(f"/api/collection/{thing_id}", change.dump())
        elif ref.kind == "card":
            put(f"/api/card/{thing_id}", writing.change_card(thing, names).dump())
        elif ref.kind == "dashboard":
            put(f"/api/dashboard/{thing_id}", writing.change_dashboard(self._wanted, thing, names).dump())
        elif ref.kind == "alert":
            there = self._survey.fetch(ref, thing_id)
            put(f"/api/notification/{thing_id}", writing.write_alert(thing, names, there).dump())
        elif ref.kind == "subscription":
            there = self._survey.fetch(ref, thing_id)
            change_ = writing.change_subscription(self._wanted, thing, names, there)
            put(f"/api/pulse/{thing_id}", change_.dump())
        else:
            put(f"/api/permissions/group/{thing_id}", bodies.GroupBody(name=thing.name).dump())
            self._graphs.open_to(thing_id, thing)

    def _put_table(self, ref: Ref, thing_id: int) -> None:
        """Send what differs of a table: a column at a time, as Metabase takes them."""
        thing, names = self._things[ref], self._survey.state.names
        seen = self._survey.state.found[ref].document
        document: Any = document_of(ref, thing, self._wanted)
        there: Any = seen.get("fields", {})
        if {**seen, "fields": None} != {**document, "fields": None}:
            self._transport.put(f"/api/table/{thing_id}", writing.write_table(thing).dump())
        for column in thing.fields:
            if there.get(column.column) != document["fields"][column.column]:
                address = FieldAddress(thing.address.schema, thing.address.table, column.column)
                field_id = names.id_of_field(address)
                self._transport.put(f"/api/field/{field_id}", writing.write_field(column, names).dump())

    def _archive(self, ref: Ref, thing_id: int) -> None:
        paths = {"card": "/api/card", "dashboard": "/api/dashboard", "collection": "/api/collection"}
        if ref.kind == "group":
            self._graphs.close_to(thing_id)
        elif ref.kind in paths:
            self._transport.put(f"{paths[ref.kind]}/{thing_id}", bodies.Archive(archived=True).dump())
        elif ref.kind == "alert":
            there = self._survey.fetch(ref, thing_id)
            kept = {name: there[name] for name in ("id", "payload_type", "payload", "subscriptions", "handlers")}
            self._transport.put(f"/api/notification/{thing_id}", bodies.AlertArchive(**kept, active=False).dump())
        else:
            there = self._survey.fetch(ref, thing_id)
            kept = {name: there[name] for name in ("name", "cards", "channels", "skip_if_empty", "parameters")}
            self._transport.put(f"/api/pulse/{thing_id}", bodies.SubscriptionArchive(**kept, archived=True).dump())


def _list_ours(parts: Mapping[str, int]) -> dict[str, int]:
    return {name: each for name, each in parts.items() if not name.startswith(("tab/#", "tile/#"))}
