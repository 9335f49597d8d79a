"""What was answered is sent again only where it is still the answer; what is no request is turned away."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from uvicorn.server import ServerState

from gnomon.publish import publish, roll_back
from gnomon.serve.http import front, protocol
from gnomon.serve.http.app import create_app
from gnomon.serve.http.front import Front
from gnomon.serve.http.service import ServeLimits, Service
from gnomon.serve.serve_command import open_service
from gnomon.state import KeyRing, StateDatabase
from tests.generations import POSTS, build_small
from tests.serving.asker import Asker
from tests.serving.conftest import ACCESS, make_key
from tests.serving.process import run_server
from tests.serving.soak import GOLD_POSTS, WEEKLY

SLOW = """
  slow:
    why: A role for trying the number of questions a minute.
    per_minute: 2
"""
TOTAL = {"metrics": ["posts", "views"]}


@pytest.fixture
def service(served: Path) -> Service:
    (served / "access.yml").write_text(ACCESS + SLOW, encoding="utf-8")
    return open_service(served, ServeLimits(), anonymous="owner")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as client:
        yield client


def read_outcomes(service: Service) -> list[tuple[str, str, bool, int | None]]:
    """What the log says, oldest first: role, outcome, whether it was kept, rows."""
    service.log.flush()
    rows = sorted(service.log.read(), key=lambda row: str(row["asked_at"]))
    return [(row["role"], row["outcome"], row["is_cached"], row["row_count"]) for row in rows]


def test_the_same_bytes_have_the_same_answer_and_are_logged_alike(client: TestClient, service: Service) -> None:
    first, again = (client.post("/v1/query", json=WEEKLY) for _ in range(2))
    assert (again.status_code, again.content, again.headers) == (200, first.content, first.headers)
    assert service.replies.hits == 1
    (role, outcome, was_kept, rows), (*second, is_kept, more) = read_outcomes(service)
    assert (role, outcome, was_kept, is_kept) == (*second, False, True)
    assert rows == more == len(first.json()["rows"])
    unchanged = client.post("/v1/query", json=WEEKLY, headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert {name: unchanged.headers[name] for name in ("etag", "vary", "cache-control")} == {
        name: first.headers[name] for name in ("etag", "vary", "cache-control")
    }
    by_address = [client.get("/v1/query?metrics=posts") for _ in range(2)]
    assert by_address[0].content == by_address[1].content
    assert service.replies.hits == 3


def test_each_role_has_its_own_answer_to_the_same_bytes(client: TestClient, served: Path) -> None:
    key = {"Authorization": f"Bearer {make_key(served)}"}
    for _ in range(2):
        assert client.post("/v1/query", json=TOTAL).json()["rows"] == [{"posts": POSTS, "views": POSTS}]
        assert client.post("/v1/query", json=TOTAL, headers=key).json()["rows"][0]["posts"] == GOLD_POSTS


def test_bytes_that_say_another_form_are_another_question(client: TestClient) -> None:
    body = json.dumps(TOTAL)
    for _ in range(2):
        assert client.post("/v1/query", content=body, headers={"Content-Type": "application/json"}).status_code == 200
        assert client.post("/v1/query", content=body, headers={"Content-Type": "text/plain"}).status_code == 422


def test_a_new_generation_has_new_answers_and_a_rollback_the_old_ones_under_the_roles_of_now(
    client: TestClient, service: Service, served: Path
) -> None:
    key = {"Authorization": f"Bearer {make_key(served)}"}

    def ask() -> tuple[Any, Any]:
        service.house.refresh()
        told = [client.post("/v1/query", json=TOTAL, headers=headers).json()["rows"][0] for headers in ({}, key, {})]
        assert told[0] == told[2]
        return told[0]["views"], told[1]["views"]

    assert ask() == (POSTS, GOLD_POSTS)
    publish(build_small(served, 2).project, environ={})
    assert ask() == (2 * POSTS, 2 * GOLD_POSTS)
    # Nothing is kept of an engine that is closed.
    assert len({entry.engine for entry in service.replies._kept}) == 1
    assert {entry.data_version for entry in service.answers._kept} == {"g0002-20260301T000000-00000002"}
    (served / "access.yml").write_text(ACCESS.replace("= 'gold'", "<> 'gold'"), encoding="utf-8")
    roll_back(served, environ={})
    assert ask() == (POSTS, POSTS - GOLD_POSTS)


def test_a_key_that_is_revoked_or_expires_is_sent_nothing_again(
    client: TestClient, service: Service, served: Path
) -> None:
    database = StateDatabase.open(f"sqlite:///{served / 'state' / 'gnomon.db'}")
    ring, now = KeyRing(database), service.now()
    for name, end in (("ana", None), ("ben", 1)):
        _, text = ring.make(name, "owner", now, end)
        headers = {"Authorization": f"Bearer {text}"}
        statuses = [client.post("/v1/query", json=WEEKLY, headers=headers).status_code for _ in range(3)]
        assert statuses == [200, 200, 200]
        if end is None:
            ring.revoke(name, now)
        else:
            service.callers._now = lambda: now + timedelta(days=1)
        assert client.post("/v1/query", json=WEEKLY, headers=headers).status_code == 401
    database.close()


def test_what_is_sent_again_counts_as_a_question(client: TestClient, service: Service, served: Path) -> None:
    key = {"Authorization": f"Bearer {make_key(served, 'slow')}"}
    statuses = [client.post("/v1/query", json=TOTAL, headers=key).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert [outcome for _, outcome, _, _ in read_outcomes(service)] == ["answered", "answered", "busy", "busy"]


def test_a_body_that_is_too_long_or_does_not_come_is_refused(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for told in (b"x" * (front.MOST_BODY_BYTES + 1), iter([b"x" * front.MOST_BODY_BYTES, b"x"])):
        refused = client.post("/v1/query", content=told, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["kind"]) == (413, "too_large")
    monkeypatch.setattr(front, "_BODY_SECONDS", 0.0)
    sent: list[Any] = []

    async def ask() -> None:
        begun = iter([{"type": "http.request", "body": b"{", "more_body": True}])

        async def receive() -> Any:
            return next(begun, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/query", "query_string": b"", "headers": []}
        await create_app(service)(scope, receive, send)

    asyncio.run(ask())
    assert (sent[0]["status"], json.loads(sent[1]["body"])["kind"]) == (408, "stopped")


def test_what_is_no_request_is_turned_away_and_others_are_answered(served: Path) -> None:
    line = b"POST /v1/query HTTP/1.1\r\nHost: x\r\n"
    wrong = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n\r\n",
        line + b"X-Long: " + b"a" * 2**20,
        line + b"X: y\r\n" * 50_000,
        b"GET /v1/metrics/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        line + b"Content-Length: -1\r\n\r\n",
        line + b"Content-Length: 99999999999999999999999\r\n\r\n",
        line + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        line + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        line + b"Content-Length: 3\r\nContent-Type: application/json; charset=\xff\r\n\r\n{} ",
    ]
    with run_server(served, "--anonymous", "owner") as server:
        for each in wrong:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
                status = talk(connection, each)
                assert status is None or 400 <= status < 500, (each[:80], status)
            with closing(Asker(server.port)) as asker:
                assert asker.ask() == 1
    assert {said for said in server.said if "Invalid HTTP request" not in said} == set()


def talk(connection: socket.socket, sent: bytes) -> int | None:
    """Send bytes, and return the status of the answer; None if the server closed the connection without one."""
    try:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        told = connection.recv(1024)
    except OSError:
        return None
    return int(told.split(b" ")[1]) if told else None


async def no_routes(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nothing was asked")


def test_a_head_that_does_not_come_to_its_end_closes_the_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_HEAD_SECONDS", 0.0)
    config = uvicorn.Config(Front(no_routes, service), http=protocol.BoundedProtocol)

    async def ask(sent: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: protocol.BoundedProtocol(config, ServerState(), {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        told = b""
        with suppress(ConnectionError):
            told = await reader.read()
        writer.close()
        server.close()
        return told

    for sent in (b"", b"GET / HTTP/1.1\r\nHost:"):
        assert asyncio.run(ask(sent)) == b""
    service.close()


def test_a_database_has_another_version_once_somebody_writes_to_it(served: Path) -> None:
    database = StateDatabase.open(f"sqlite:///{served / 'state' / 'gnomon.db'}")
    before = database.find_version()
    assert database.find_version() == before
    make_key(served)
    assert database.find_version() != before
    database.close()
    assert StateDatabase.open("sqlite://").find_version() != StateDatabase.open("sqlite://").find_version()
