"""What stands before the routes: bodies are bounded, and what was answered before is sent again at once.

To read a question, plan it and write its rows takes many times as long as to send what was written. The same bytes,
from the same role, to the same engine, have the same answer, and are all that has to be looked at.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.core.errors import GnomonError, StoppedError
from gnomon.engine import Engine
from gnomon.serve.http.asking import QUESTIONS, Asked, write_down
from gnomon.serve.http.callers import Caller
from gnomon.serve.http.refusals import TooLargeError, refuse_known
from gnomon.serve.http.replies import Reply, ReplyKey, Sent
from gnomon.serve.http.service import Service

# A question of half a dozen filters of the greatest length.
MOST_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 10.0
# A body that is longer is no question that somebody asks again and again; keys are not counted by their size.
_MOST_KEPT_BYTES = 4096
_UNCHANGED = (b"etag", b"vary", b"cache-control")


class Front:
    """An ASGI application before the one with the routes."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the routes answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            body = await _read_body(headers, receive)
        except GnomonError as error:
            await refuse_known(error)(scope, receive, send)
            return
        if scope["path"] == QUESTIONS and len(body) <= _MOST_KEPT_BYTES:
            sent = Sent(scope["method"], scope["query_string"], headers.get("content-type", "").encode(), body)
            if await self._send_again(sent, headers, send):
                return
            scope.setdefault("state", {})["sent"] = sent
        await self._app(scope, _Replay(body, receive), send)

    async def _send_again(self, sent: Sent, headers: Headers, send: Send) -> bool:
        """Send what was answered before; whatever is not just so is left to the routes, and to their words."""
        begun, service = perf_counter(), self._service
        caller = service.callers.recall(headers.get("authorization"))
        if caller is None:
            return False
        try:
            with service.house.engine(renews=False) as engine:
                reply = self._find(engine, caller, sent)
                if reply is None:
                    return False
        except GnomonError:
            return False
        asked = Asked(engine, reply.rollups, reply.row_count, is_kept=True)
        write_down(service, caller, reply.question, asked, perf_counter() - begun)
        status, content, told = 200, reply.content, [*reply.headers]
        if headers.get("if-none-match") == reply.etag:
            status, content, told = 304, b"", [each for each in told if each[0] in _UNCHANGED]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": content})
        return True

    def _find(self, engine: Engine, caller: Caller, sent: Sent) -> Reply | None:
        reply = self._service.replies.find(ReplyKey(engine, caller.role, sent, engine.withdrawn))
        if reply is not None:
            self._service.callers.count(caller, engine.find_policy(caller.role))
        return reply


class _Replay:
    """Gives a body that has been read, and then what else comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": False}


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    """Return the body; TooLargeError if it is longer than one may be, StoppedError if it does not come."""
    told = headers.get("content-length", "")
    size, body, has_more = int(told) if told.isdecimal() else 0, b"", True
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while has_more and size <= MOST_BODY_BYTES:
                message = await receive()
                body += message.get("body", b"")
                # A client that has gone away sends no more, and is told nothing.
                has_more, size = message.get("more_body", False), max(size, len(body))
    except TimeoutError:
        raise StoppedError(f"the body did not come within {_BODY_SECONDS:g} s. Send it at once.") from None
    if size > MOST_BODY_BYTES:
        raise TooLargeError(f"the body has more than {MOST_BODY_BYTES:,} bytes. Ask for less in one question.")
    return body
