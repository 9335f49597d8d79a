"""The fake over real HTTP, with a record of what it was asked and faults at chosen requests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.metabase.fake import FakeMetabase

KEY, USER, PASSWORD = "mb_a_key_of_the_fake", "admin@example.com", "a password of the fake"


@dataclass(frozen=True)
class Asked:
    """One request as it came, and the status of its answer; 0 where none was given."""

    verb: str
    path: str
    body: Any
    status: int

    @property
    def writes(self) -> bool:
        """Tell whether it was to change something."""
        free = ("/query", "/translate", "/sync_schema", "/session")
        return self.verb != "GET" and not self.path.endswith(free)


@dataclass(frozen=True)
class Fault:
    """What happens to a request: `status` is answered instead, or none is; `applies` tells whether it is done, too.

    A `wait` in seconds comes before the answer.
    """

    status: int | None = None
    applies: bool = False
    wait: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Server:
    """A running fake. `choose` may give a fault to a request; what it is told is its verb, its path and its number."""

    fake: FakeMetabase
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    choose: Callable[[str, str, int], Fault | None] = lambda verb, path, number: None
    sessions: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    # Slow requests wait for this, so that nothing outlives a test.
    closing: threading.Event = field(default_factory=threading.Event)
    seen: int = 0

    @property
    def sent(self) -> list[Asked]:
        """The requests that were to change something."""
        return [each for each in self.asked if each.writes]

    def clear(self) -> None:
        """Forget what was asked, and have no faults any more."""
        self.asked.clear()
        self.seen = 0
        self.choose = lambda verb, path, number: None


@contextmanager
def serve(fake: FakeMetabase) -> Iterator[Server]:
    """Serve a fake on a free port until the block ends."""
    server = Server(fake)
    web = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(server))
    web.daemon_threads = True
    server.url = f"http://127.0.0.1:{web.server_address[1]}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        web.shutdown()
        web.server_close()
        thread.join()


def _make_handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            with server.lock:
                server.seen += 1
                fault = server.choose(self.command, parts.path, server.seen)
                status, said = 200, None
                if fault is None or fault.applies:
                    status, said = self._ask(parts.path, parse_qs(parts.query), body)
                if fault is not None:
                    status = 0 if fault.status is None else fault.status
                    said = said if status == 200 else "a fault of the fake"
                server.asked.append(Asked(self.command, parts.path, body, status))
            if fault is not None and fault.wait:
                server.closing.wait(fault.wait)
            if status == 0:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._answer(status, said, fault.headers if fault else ())

        def _ask(self, path: str, params: Any, body: Any) -> tuple[int, Any]:
            if (self.command, path) == ("POST", "/api/session"):
                if (body["username"], body["password"]) != (USER, PASSWORD):
                    return 401, {"errors": {"password": "did not match stored password"}}
                session = f"session-{len(server.sessions)}-{server.seen}"
                server.sessions.add(session)
                return 200, {"id": session}
            if path in ("/api/health", "/api/session/properties", "/api/setup"):
                return server.fake.answer(self.command, path, params, body)
            is_known = self.headers.get("X-Metabase-Session") in server.sessions
            if self.headers.get("x-api-key") != KEY and not is_known:
                return 401, "Unauthenticated"
            # Its rows leave as text, so that nothing changes them on the way.
            status, said = server.fake.answer(self.command, path, params, body)
            return status, json.loads(json.dumps(said))

        def _answer(self, status: int, said: Any, headers: tuple[tuple[str, str], ...]) -> None:
            text = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(said, str) else "application/json")
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    return Handler
