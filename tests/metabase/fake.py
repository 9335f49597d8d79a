"""A fake of Metabase: its rules as far as they are known, over rows in memory. It is no Metabase, and shows nothing."""

from __future__ import annotations

import copy
import itertools
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.metabase.fake_queries import to_stages

Row = dict[str, Any]
HIDDEN = "**MetabasePass**"
SETUP_TOKEN = "a token of the fake"
EVERYBODY, ADMINS = 1, 2
ADMIN = {"id": 1, "email": "admin@example.com", "common_name": "admin", "is_superuser": True, "first_name": "Ada",
         "last_name": None, "is_qbnewb": False, "last_login": None, "date_joined": "2026-01-01T00:00:00Z"}  # fmt: skip


class RefusalError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, said: Any) -> None:
        super().__init__(f"{status} {said}")
        self.status, self.said = status, said


class FakeMetabase:
    """The rules. `warehouse` are columns and their types by schema and table; `polls` is how often one asks in vain."""

    def __init__(
        self, warehouse: Mapping[tuple[str, str], Mapping[str, str]], *, polls: int = 2, mbql: int = 5
    ) -> None:
        self.warehouse, self.polls, self.mbql = warehouse, polls, mbql
        self.broken_sql = "no_such_column"
        self.first_user: Row | None = None
        # Each kind is numbered by itself, so that an id says nothing of the kind.
        self._ids: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self.rows: dict[str, dict[int, Row]] = {
            kind: {}
            for kind in ("database", "table", "field", "collection", "card", "dashboard", "notification", "pulse")
        }
        self.groups: dict[int, Row] = {
            EVERYBODY: {"id": EVERYBODY, "name": "All Users", "magic_group_type": "all-internal-users"},
            ADMINS: {"id": ADMINS, "name": "Administrators", "magic_group_type": "admin"},
        }
        self.collection_graph: dict[str, dict[str, str]] = {"1": {"root": "write"}, "2": {"root": "write"}}
        self.database_graph: dict[str, dict[str, Row]] = {"1": {}, "2": {}}
        self.revisions = {"collection": 1, "database": 1}
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            (verb, re.compile(pattern.replace(":id", r"([^/]+)")), act) for verb, pattern, act in self._list_routes()
        ]

    def answer(self, verb: str, path: str, params: Mapping[str, list[str]], body: Row | None) -> tuple[int, Any]:
        """Return a status and what is said; what is refused has changed nothing."""
        for known, pattern, act in self.routes:
            match = pattern.fullmatch(path.rstrip("/"))
            if known == verb and match:
                if any(each in ("True", "False") for said in params.values() for each in said):
                    return 400, {"errors": {"_": "value must be a valid boolean string ('true' or 'false')."}}
                try:
                    said = act(
                        *map(_number, match.groups()), **({"params": params} if verb == "GET" else {"body": body})
                    )
                except RefusalError as refusal:
                    return refusal.status, refusal.said
                return said if isinstance(said, tuple) else (200, said)  # type: ignore[return-value]
        return 404, "API endpoint does not exist."

    def _list_routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/api/health", lambda params: {"status": "ok"}),
            ("POST", "/api/setup", self._set_up),
            ("GET", "/api/user/current", lambda params: ADMIN),
            ("GET", "/api/session/properties", self._properties),
            ("GET", "/api/database", lambda params: self._page(list(map(self._show_database, self._all("database"))))),
            ("POST", "/api/database", self._add_database),
            ("GET", "/api/database/:id", lambda i, params: self._show_database(self._row("database", i))),
            ("PUT", "/api/database/:id", self._put_database),
            ("GET", "/api/database/:id/metadata", self._metadata),
            ("POST", "/api/database/:id/sync_schema", self._sync),
            ("GET", "/api/table/:id", lambda i, params: self._row("table", i)),
            ("GET", "/api/table/:id/query_metadata", lambda i, params: self._show_table(self._row("table", i))),
            ("PUT", "/api/table/:id", lambda i, body: self._patch("table", i, body)),
            ("GET", "/api/field/:id", lambda i, params: self._row("field", i)),
            ("PUT", "/api/field/:id", lambda i, body: self._patch("field", i, body)),
            ("GET", "/api/collection", self._collections),
            ("POST", "/api/collection", self._add_collection),
            ("GET", "/api/collection/graph", lambda params: self._graph("collection", self.collection_graph)),
            ("PUT", "/api/collection/graph", lambda body: self._put_graph("collection", self.collection_graph, body)),
            ("GET", "/api/collection/:id", lambda i, params: self._row("collection", i)),
            ("PUT", "/api/collection/:id", self._put_collection),
            ("GET", "/api/collection/:id/items", self._items),
            ("GET", "/api/card", lambda params: [self._show_card(x) for x in self._all("card") if not x["archived"]]),
            ("POST", "/api/card", self._add_card),
            ("GET", "/api/card/:id", lambda i, params: self._show_card(self._row("card", i))),
            ("PUT", "/api/card/:id", self._put_card),
            ("POST", "/api/card/:id/query", self._run_card),
            ("POST", "/api/eid-translation/translate", self._translate),
            ("GET", "/api/dashboard", lambda params: [self._brief(x) for x in self._all("dashboard")]),
            ("POST", "/api/dashboard", self._add_dashboard),
            ("GET", "/api/dashboard/:id", lambda i, params: self._show_dashboard(self._row("dashboard", i))),
            ("PUT", "/api/dashboard/:id", self._put_dashboard),
            ("GET", "/api/notification", self._notifications),
            ("POST", "/api/notification", self._add_notification),
            ("GET", "/api/notification/:id", lambda i, params: self._row("notification", i)),
            ("PUT", "/api/notification/:id", self._put_notification),
            ("GET", "/api/pulse", self._pulses),
            ("POST", "/api/pulse", self._add_pulse),
            ("GET", "/api/pulse/:id", lambda i, params: self._row("pulse", i)),
            ("PUT", "/api/pulse/:id", self._put_pulse),
            ("GET", "/api/permissions/group", lambda params: list(self.groups.values())),
            ("POST", "/api/permissions/group", self._add_group),
            ("PUT", "/api/permissions/group/:id", self._put_group),
            ("GET", "/api/permissions/graph", lambda params: self._graph("database", self.database_graph)),
            ("PUT", "/api/permissions/graph", lambda body: self._put_graph("database", self.database_graph, body)),
        ]  # fmt: skip

    # Rows

    def _all(self, kind: str) -> list[Row]:
        return list(self.rows[kind].values())

    def _row(self, kind: str, row_id: Any) -> Row:
        if row_id not in self.rows[kind]:
            raise RefusalError(404, "Not found.")
        return self.rows[kind][row_id]

    def _add(self, kind: str, **values: Any) -> Row:
        row = {"id": next(self._ids[kind]), "entity_id": secrets.token_urlsafe(16)[:21], **values}
        self.rows[kind][row["id"]] = row
        return row

    def _patch(self, kind: str, row_id: Any, body: Row) -> Row:
        self._row(kind, row_id).update(body)
        return self._row(kind, row_id)

    @staticmethod
    def _page(rows: list[Row], params: Mapping[str, list[str]] | None = None) -> Row:
        offset = int((params or {}).get("offset", ["0"])[0])
        limit = int((params or {}).get("limit", ["50"])[0])
        return {"data": rows[offset : offset + limit], "total": len(rows), "limit": limit, "offset": offset}

    def _properties(self, params: Any) -> Row:
        tag = "v0.59.1" if self.mbql == 5 else "v0.55.1"
        token = None if self.first_user else SETUP_TOKEN
        return {"version": {"tag": tag}, "token-features": {}, "setup-token": token,
                "has-user-setup": self.first_user is not None}  # fmt: skip

    def _set_up(self, body: Row) -> Row:
        if self.first_user or body["token"] != SETUP_TOKEN:
            raise RefusalError(403, "The set-up is over, or its token is another one.")
        self.first_user = body["user"]
        return {"id": "a session"}

    # Connections

    def _add_database(self, body: Row) -> Row:
        row = self._add("database", name=body["name"], engine=body["engine"], details=body["details"], waits=self.polls,
                        initial_sync_status="incomplete", is_saved_questions=False)  # fmt: skip
        self.database_graph["1"][str(row["id"])] = {
            "view-data": "unrestricted", "create-queries": "query-builder-and-native"}  # fmt: skip
        return self._show_database(row)

    def _put_database(self, row_id: int, body: Row) -> Row:
        row = self._row("database", row_id)
        secret = {name: row["details"].get(name) for name, each in body["details"].items() if each == HIDDEN}
        row.update(name=body["name"], engine=body["engine"], details={**body["details"], **secret})
        return self._show_database(row)

    def _show_database(self, row: Row) -> Row:
        shown = {name: HIDDEN if name == "password" else each for name, each in row["details"].items()}
        return {**{k: v for k, v in row.items() if k != "waits"}, "details": {"advanced-options": False, **shown}}

    def _sync(self, row_id: int, body: Any) -> Row:
        self._row("database", row_id)
        return {"status": "ok"}

    def _metadata(self, row_id: int, params: Any) -> Row:
        row = self._row("database", row_id)
        if row["waits"] > 0:
            row["waits"] -= 1
        elif row["waits"] == 0:
            row.update(waits=-1, initial_sync_status="complete")
            self.sync(row_id)
        tables = [self._show_table(each) for each in self._all("table") if each["db_id"] == row_id]
        return {**self._show_database(row), "tables": tables}

    def sync(self, row_id: int) -> None:
        """Take tables and columns over that are not there yet, as the warehouse has them."""
        for (schema, name), columns in self.warehouse.items():
            found = [x for x in self._all("table") if (x["db_id"], x["schema"], x["name"]) == (row_id, schema, name)]
            title = name.replace("_", " ").title()
            table = found[0] if found else self._add(
                "table", db_id=row_id, schema=schema, name=name, display_name=title, description=None, active=True,
                visibility_type=None, entity_type="entity/GenericTable")  # fmt: skip
            known = {x["name"] for x in self._all("field") if x["table_id"] == table["id"]}
            for position, (column, kind) in enumerate(columns.items()):
                if column not in known:
                    semantic = "type/Category" if kind == "type/Text" else None
                    self._add("field", table_id=table["id"], name=column, display_name=column.title(), base_type=kind,
                              description=None, semantic_type=semantic, visibility_type="normal", active=True,
                              fk_target_field_id=None, position=position, parent_id=None)  # fmt: skip

    def _show_table(self, table: Row) -> Row:
        return {**table, "fields": [each for each in self._all("field") if each["table_id"] == table["id"]]}

    # Folders

    def _collections(self, params: Mapping[str, list[str]]) -> list[Row]:
        archived = params.get("archived", ["false"])[0].lower() == "true"
        root = {"id": "root", "name": "Our analytics", "is_personal": False, "parent_id": None, "can_write": True}
        return [root, *(each for each in self._all("collection") if each["archived"] == archived)]

    def _add_collection(self, body: Row) -> Row:
        location = "/"
        if body.get("parent_id"):
            location = f"{self._row('collection', body['parent_id'])['location']}{body['parent_id']}/"
        row = self._add("collection", name=body["name"], description=body.get("description"), archived=False,
                        location=location, slug=body["name"].lower(), personal_owner_id=None, type=None,
                        authority_level=None, namespace=None, can_write=True, is_personal=False)  # fmt: skip
        # A new folder takes over the permissions of the one that it is in.
        above = str(body.get("parent_id") or "root")
        for held in self.collection_graph.values():
            held[str(row["id"])] = held.get(above, "none")
        return row

    def _put_collection(self, row_id: int, body: Row) -> Row:
        row = self._row("collection", row_id)
        row.update({name: body[name] for name in ("name", "description", "archived") if name in body})
        if body.get("parent_id"):
            row["location"] = f"{self._row('collection', body['parent_id'])['location']}{body['parent_id']}/"
        if body.get("archived"):
            # What is in a folder goes with it.
            for kind in ("card", "dashboard"):
                for each in self._all(kind):
                    if each["collection_id"] == row_id:
                        each["archived"] = True
        return row

    def _items(self, row_id: Any, params: Mapping[str, list[str]]) -> Row:
        archived = params.get("archived", ["false"])[0].lower() == "true"
        found = []
        for model in ("card", "dashboard"):
            for each in self._all(model):
                if each["collection_id"] == (None if row_id == "root" else row_id) and each["archived"] == archived:
                    name = {"model": "dataset", "metric": "metric"}.get(each.get("type", ""), model)
                    found.append({"model": name, **{k: each.get(k) for k in _ITEM}})
        for each in self._all("collection"):
            if each["location"].split("/")[-2] == str(row_id) and each["archived"] == archived:
                found.append({"model": "collection", **{k: each.get(k) for k in _ITEM}})
        wanted = params.get("models")
        return self._page([each for each in found if not wanted or each["model"] in wanted], params)

    # Cards

    def _add_card(self, body: Row) -> Row:
        if body.get("entity_id") in {each["entity_id"] for each in self._all("card")}:
            raise RefusalError(500, {"message": "duplicate key value violates unique constraint on entity_id"})
        values = {name: body.get(name) for name in _CARD}
        row = self._add("card", **{"entity_id": secrets.token_urlsafe(16)[:21], **values, "archived": False})
        if body.get("entity_id"):
            row["entity_id"] = body["entity_id"]
        return self._show_card(row)

    def _put_card(self, row_id: int, body: Row) -> Row:
        row = self._row("card", row_id)
        row.update({name: each for name, each in body.items() if name in (*_CARD, "archived")})
        if body.get("archived"):
            for alert in self._all("notification"):
                if alert["payload"]["card_id"] == row_id:
                    alert["active"] = False
        return self._show_card(row)

    def _show_card(self, row: Row) -> Row:
        query = row["dataset_query"]
        is_native = query.get("type") == "native" or "native" in str(query.get("stages", [{}])[0].get("lib/type"))
        shown = to_stages(query) if self.mbql == 5 and "type" in query else query
        return {**copy.deepcopy(row), "dataset_query": shown, "query_type": "native" if is_native else "query",
                "database_id": query["database"], "table_id": query.get("query", {}).get("source-table"),
                "creator_id": 1, "parameters": [], "parameter_mappings": [], "dashboard_id": None, "cache_ttl": None,
                "result_metadata": [], "can_write": True}  # fmt: skip

    def _run_card(self, row_id: int, body: Row) -> tuple[int, Row]:
        row = self._row("card", row_id)
        if self.broken_sql in json.dumps(row["dataset_query"]):
            # The status of a query is in the body.
            return 202, {"status": "failed", "error": f'column "{self.broken_sql}" does not exist', "data": _NO_ROWS}
        return 202, {"status": "completed", "row_count": 0, "data": _NO_ROWS}

    def _translate(self, body: Row) -> Row:
        found = {each["entity_id"]: each["id"] for each in self._all("card")}
        asked = body["entity_ids"].get("card", [])
        told = {each: {"type": "card", "status": "ok", "id": found[each]} if each in found
                else {"type": "card", "status": "not-found"} for each in asked}  # fmt: skip
        return {"entity_ids": told}

    # Dashboards

    def _add_dashboard(self, body: Row) -> Row:
        row = self._add("dashboard", name=body["name"], description=body.get("description"), archived=False,
                        collection_id=body.get("collection_id"), parameters=body.get("parameters") or [], tabs=[],
                        dashcards=[], width="fixed", auto_apply_filters=True, enable_embedding=False, public_uuid=None,
                        cache_ttl=None, creator_id=1)  # fmt: skip
        return self._show_dashboard(row)

    def _put_dashboard(self, row_id: int, body: Row) -> Row:
        row = self._row("dashboard", row_id)
        fresh = copy.deepcopy(row)
        kept = ("name", "description", "collection_id", "archived", "parameters", "width", "auto_apply_filters")
        fresh.update({name: body[name] for name in kept if name in body})
        # Tabs count only where tiles are sent.
        if body.get("dashcards") is not None:
            tabs = (
                self._replace_tabs(fresh, body["tabs"]) if "tabs" in body else {x["id"]: x["id"] for x in row["tabs"]}
            )
            self._replace_dashcards(fresh, body["dashcards"], tabs)
        self.rows["dashboard"][row_id] = fresh
        self._archive_shaken(row_id, fresh)
        return self._show_dashboard(fresh)

    def _replace_tabs(self, row: Row, sent: list[Row]) -> dict[int, int]:
        """What is not sent is removed; a negative id makes one."""
        there = {each["id"]: each for each in row["tabs"]}
        ids, fresh = {}, []
        for position, tab in enumerate(sent):
            if tab["id"] > 0 and tab["id"] not in there:
                raise RefusalError(400, f"no such tab: {tab['id']}")
            ids[tab["id"]] = tab["id"] if tab["id"] > 0 else next(self._ids["tab"])
            fresh.append({"entity_id": None, **there.get(tab["id"], {}), "id": ids[tab["id"]], "name": tab["name"],
                          "position": position, "dashboard_id": row["id"]})  # fmt: skip
        row["tabs"] = fresh
        return ids

    def _replace_dashcards(self, row: Row, sent: list[Row], tabs: Mapping[int, int]) -> None:
        there, fresh = {each["id"]: each for each in row["dashcards"]}, []
        for tile in sent:
            if tile["id"] > 0 and tile["id"] not in there:
                raise RefusalError(400, f"no such dashcard: {tile['id']}")
            tab = tile.get("dashboard_tab_id")
            if tab is not None and tab not in tabs:
                raise RefusalError(400, f"no such tab: {tab}")
            if tile.get("card_id") is not None:
                self._row("card", tile["card_id"])
            # A mapping that names no card is ignored without a word.
            mappings = [each for each in tile.get("parameter_mappings") or () if each.get("card_id")]
            new = {"id": next(self._ids["dashcard"]), "entity_id": secrets.token_urlsafe(16)[:21]}
            fresh.append({**there.get(tile["id"], new), **{name: tile.get(name) for name in _TILE},
                          "dashboard_id": row["id"], "parameter_mappings": mappings, "inline_parameters": [],
                          "dashboard_tab_id": None if tab is None else tabs[tab]})  # fmt: skip
        row["dashcards"] = fresh

    def _archive_shaken(self, row_id: int, row: Row) -> None:
        """Archive the subscriptions that set a filter which is gone, and take out the tiles that are."""
        filters, tiles = {each["id"] for each in row["parameters"]}, {each["id"] for each in row["dashcards"]}
        for pulse in self._all("pulse"):
            if pulse["dashboard_id"] == row_id:
                if any(each["id"] not in filters for each in pulse["parameters"]) or row["archived"]:
                    pulse["archived"] = True
                pulse["cards"] = [each for each in pulse["cards"] if each["dashboard_card_id"] in tiles]

    def _show_dashboard(self, row: Row) -> Row:
        shown = copy.deepcopy(row)
        for tile in shown["dashcards"]:
            tile["card"] = self._show_card(self.rows["card"][tile["card_id"]]) if tile["card_id"] else None
        return shown

    @staticmethod
    def _brief(row: Row) -> Row:
        return {name: each for name, each in row.items() if name not in ("dashcards", "tabs")}

    # Alerts and subscriptions

    def _notifications(self, params: Mapping[str, list[str]]) -> list[Row]:
        card = params.get("card_id")
        rows = [each for each in self._all("notification") if each["active"] or "include_inactive" in params]
        return [each for each in rows if not card or each["payload"]["card_id"] == int(card[0])]

    def _add_notification(self, body: Row) -> Row:
        self._row("card", body["payload"]["card_id"])
        row = self._add(
            "notification", payload_type=body["payload_type"], active=body.get("active", True), creator_id=1
        )
        row["payload"] = {"send_once": False, **body["payload"], "id": next(self._ids["payload"])}
        row["payload_id"] = row["payload"]["id"]
        row["subscriptions"] = [{**each, "id": next(self._ids["schedule"])} for each in body["subscriptions"]]
        row["handlers"] = [{**each, "id": next(self._ids["handler"]), "channel_id": None} for each in body["handlers"]]
        return row

    def _put_notification(self, row_id: int, body: Row) -> Row:
        row = self._row("notification", row_id)
        if body.get("id") != row_id or body["payload"].get("id") != row["payload_id"]:
            # Other ids make another one in its place.
            del self.rows["notification"][row_id]
            return self._add_notification(body)
        card = row["payload"]["card_id"]
        row.update({name: body[name] for name in ("subscriptions", "handlers", "active")})
        row["payload"] = {**body["payload"], "card_id": card}
        return row

    def _pulses(self, params: Mapping[str, list[str]]) -> list[Row]:
        dashboard, archived = params.get("dashboard_id"), params.get("archived", ["false"])[0].lower() == "true"
        rows = [each for each in self._all("pulse") if each["archived"] == archived]
        return [each for each in rows if not dashboard or each["dashboard_id"] == int(dashboard[0])]

    def _add_pulse(self, body: Row) -> Row:
        tiles = {each["id"] for each in self._row("dashboard", body["dashboard_id"])["dashcards"]}
        if not {each["dashboard_card_id"] for each in body["cards"]} <= tiles:
            raise RefusalError(400, "cards must be on the dashboard")
        return self._add("pulse", name=body["name"], dashboard_id=body["dashboard_id"], cards=self._name(body["cards"]),
                         channels=[{**each, "id": next(self._ids["channel"])} for each in body["channels"]],
                         archived=False, skip_if_empty=body.get("skip_if_empty", False),
                         parameters=body.get("parameters") or [], creator_id=1, collection_id=None)  # fmt: skip

    def _put_pulse(self, row_id: int, body: Row) -> Row:
        row = self._row("pulse", row_id)
        # What is left out falls back to the defaults.
        row.update({"archived": False, "skip_if_empty": False, **body})
        row["cards"] = self._name(row["cards"])
        row["channels"] = [{**each, "enabled": each["enabled"] and not row["archived"]} for each in row["channels"]]
        return row

    def _name(self, cards: list[Row]) -> list[Row]:
        return [{**each, "name": self._row("card", each["id"])["name"]} for each in cards]

    # People

    def _add_group(self, body: Row) -> Row:
        if body["name"] in {each["name"] for each in self.groups.values()}:
            raise RefusalError(400, "A group with that name already exists.")
        row = {
            "id": next(self._ids["group"]) + ADMINS,
            "name": body["name"],
            "magic_group_type": None,
            "member_count": 0,
        }
        self.groups[row["id"]] = row
        self.collection_graph[str(row["id"])], self.database_graph[str(row["id"])] = {}, {}
        return row

    def _put_group(self, row_id: int, body: Row) -> Row:
        self.groups[row_id].update(name=body["name"])
        return self.groups[row_id]

    def _graph(self, name: str, groups: Row) -> Row:
        return {"revision": self.revisions[name], "groups": copy.deepcopy(groups)}

    def _put_graph(self, name: str, groups: Row, body: Row) -> Row:
        if body["revision"] != self.revisions[name]:
            raise RefusalError(409, "Someone else changed the permissions in between.")
        for group, held in body["groups"].items():
            groups.setdefault(group, {}).update(held)
        self.revisions[name] += 1
        return self._graph(name, groups)


_ITEM = ("id", "name", "description", "archived", "collection_id", "collection_position", "display", "location",
         "entity_id", "database_id", "dashboard_id")  # fmt: skip
_CARD = ("name", "description", "type", "display", "collection_id", "dataset_query", "visualization_settings")
_TILE = ("card_id", "row", "col", "size_x", "size_y", "visualization_settings", "series")
_NO_ROWS: Row = {"rows": [], "cols": []}


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text
