"""Metabase's own client takes every body that we send, and understands all that the fake answers."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gnomon.state import StateDatabase
from tests.metabase.bench import open_bench
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import KEY, Asked, Server, serve
from tests.metabase.official import OfficialCli
from tests.metabase.rounds import live
from tests.metabase.shop import WAREHOUSE
from tests.npm import NotInstalledError

# Some hundred processes of Node.js.
pytestmark = pytest.mark.nightly

NOUNS = {"collection": "collection", "card": "card", "dashboard": "dashboard", "notification": "alert",
         "pulse": "subscription", "table": "table", "field": "field"}  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    """All that a whole life asks of a server, in order."""
    state = StateDatabase.open("sqlite://")
    with open_bench(state) as bench:
        live(bench)
        found = list(bench.server.asked)
    state.close()
    return found


def open_cli(server: Server, home: Path) -> OfficialCli:
    try:
        return OfficialCli(server.url, home)
    except NotInstalledError as error:
        pytest.skip(f"Metabase's own client is not run: {error}")


def ask_plainly(server: Server, asked: Asked) -> None:
    body = None if asked.body is None else json.dumps(asked.body).encode()
    headers = {"x-api-key": KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(server.url + asked.path, body, headers, method=asked.verb)
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def find_command(asked: Asked) -> tuple[str | int, ...] | None:
    """Return the client's words for a request; None where it has none, as for connections and permissions."""
    match = re.fullmatch(r"/api/(\w+)(?:/(\d+))?", asked.path)
    if match is None or match[1] not in NOUNS or asked.verb == "GET":
        return None
    if asked.verb == "POST":
        return NOUNS[match[1]], "create"
    if match[1] == "collection":
        # It changes no folder; it can only put one away.
        return ("collection", "archive", int(match[2])) if asked.body == {"archived": True} else None
    return NOUNS[match[1]], "update", int(match[2])


def replay(
    asked: list[Asked], warehouse: Mapping[tuple[str, str], Mapping[str, str]], home: Path
) -> set[tuple[Any, ...]]:
    """Have the client send what we sent, to a fake like ours, and hold what comes of it against ours.

    Returns the client's words; AssertionError with every body that it rejected.
    """
    # Two fakes that number alike: one is asked as we ask it, the other by the client.
    with serve(FakeMetabase(warehouse)) as ours, serve(FakeMetabase(warehouse)) as theirs:
        client = open_cli(theirs, home)
        rejected, sent = [], set()
        for each in asked:
            ask_plainly(ours, each)
            command = find_command(each)
            if command is None:
                ask_plainly(theirs, each)
                continue
            body = None if "archive" in command else each.body
            code, said, words = client.run(*command, "--json", "--full", "--max-bytes", 0, body=body)
            sent.add(command[:2])
            if code:
                rejected.append((command, each.body, words or said))
        assert rejected == []
        assert settle(theirs.fake) == settle(ours.fake)
    return sent


def test_the_official_client_sends_every_body_that_we_send_and_the_same_comes_of_it(
    asked: list[Asked], tmp_path: Path
) -> None:
    sent = replay(asked, WAREHOUSE, tmp_path)
    assert {noun for noun, _ in sent} == set(NOUNS.values())
    assert {verb for _, verb in sent} == {"create", "update", "archive"}


def settle(fake: FakeMetabase) -> Any:
    """All rows, without what is drawn by chance."""
    return json.loads(json.dumps(fake.rows), object_hook=lambda row: {k: v for k, v in row.items() if k != "entity_id"})


def test_the_official_client_understands_every_answer_of_the_fake(asked: list[Asked], tmp_path: Path) -> None:
    with serve(FakeMetabase(WAREHOUSE)) as server:
        for each in asked:
            ask_plainly(server, each)
        client, rows = open_cli(server, tmp_path), server.fake.rows
        assert [each["name"] for each in client.ask("db", "list")["data"]] == ["Gnomon"]
        for kind, noun in NOUNS.items():
            some = [each["id"] for each in rows[kind].values()][-3:]
            for row_id in some:
                assert client.ask(noun, "get", row_id)["id"] == row_id
            if kind not in ("table", "field"):
                listed = {each["id"] for each in client.ask(noun, "list")["data"]} - {"root"}
                there = {i for i, each in rows[kind].items() if not each.get("archived") and each.get("active", True)}
                assert listed == there
        top = next(each["id"] for each in rows["collection"].values() if each["name"] == "Gnomon")
        assert {each["model"] for each in client.ask("collection", "items", top)["data"]} == {"collection"}
        card = next(iter(rows["card"].values()))
        assert client.ask("card", "query", card["id"])["status"] == "completed"
        told = client.ask("eid", body={"entity_ids": {"card": [card["entity_id"]]}})
        assert told["entity_ids"][card["entity_id"]]["id"] == card["id"]


def test_the_queries_that_the_fake_answers_are_ones_that_metabase_has(asked: list[Asked], tmp_path: Path) -> None:
    with serve(FakeMetabase(WAREHOUSE)) as server:
        for each in asked:
            ask_plainly(server, each)
        client, faults = open_cli(server, tmp_path), []
        for card in server.fake.rows["card"].values():
            query = server.fake._show_card(card)["dataset_query"]
            query.pop("lib.convert/converted?")
            code, said, words = client.run("query", "--dry-run", "--json", body=query)
            if code:
                faults.append((card["name"], said, words))
        assert faults == []


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("card", {"name": "A", "display": "table", "dataset_query": {}, "visualization_settings": {}}),
    ("dashboard", {"name": "D", "parameters": [{"id": "a", "type": "x"}]}),
    ("alert", {"payload": {"card_id": 1}, "subscriptions": [], "handlers": []}),
    ("subscription", {"name": "S", "dashboard_id": 1, "cards": [], "channels": []}),
    ("collection", {"name": ""}),
]


def test_the_official_client_refuses_bodies_and_queries_that_are_wrong(tmp_path: Path) -> None:
    with serve(FakeMetabase(WAREHOUSE)) as server:
        client = open_cli(server, tmp_path)
        for noun, body in WRONG:
            code, _, words = client.run(noun, "create", body=body)
            assert (code, json.loads(words)["error"]["category"]) == (1, "validation"), noun
        stage = {"lib/type": "mbql.stage/mbql", "source-table": 1, "breakout": [["field", 3, None]]}
        query = {"lib/type": "mbql/query", "database": 1, "stages": [stage]}
        assert client.run("query", "--dry-run", "--json", body=query)[0] == 2
        assert server.sent == []
