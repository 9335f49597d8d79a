"""One question through the API: planned at once, answered from what is kept or in a thread, stopped if need be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from gnomon.core.errors import GnomonError, QueryError, StoppedError
from gnomon.engine import Engine, Result
from gnomon.planner import Plan
from gnomon.serve.http.bodies import PlanBody, PlanQuestion, QueryQuestion
from gnomon.serve.http.callers import Caller
from gnomon.serve.http.refusals import ChangedError, TooLargeError, classify
from gnomon.serve.http.replies import Reply, ReplyKey, Sent
from gnomon.serve.http.service import Service
from gnomon.serve.http.writing import MEDIA_TYPES, write_answer
from gnomon.state import Entry
from gnomon.warehouse import Interruption

QUESTIONS = "/v1/query"
_STOP_AGAIN_SECONDS = 0.05
# A question of so many is planned in some ten milliseconds at the most; a longer one would hold up everybody else's.
_FEW_CHARACTERS = 4000
# So many are written in a millisecond or two; more would hold up everybody else's answers.
_FEW_ROWS = 500
# Waits until whoever asks has gone away.
Gone = Callable[[], Awaitable[object]]
_CURSOR_VERSION = 1


@dataclass
class Asked:
    """What is to be written down of a question, gathered while it is answered."""

    engine: Engine | None = None
    rollups: tuple[str, ...] = ()
    row_count: int | None = None
    is_kept: bool = False


async def answer(service: Service, request: Request, caller: Caller, body: QueryQuestion) -> Response:
    """Return the rows that a question asks for, or 304 if the client has them."""
    with service.house.engine(renews=False) as engine, _log(service, caller, body) as asked:
        withdrawn = engine.withdrawn
        chosen = await _plan(service, engine, caller, body, asked)
        key = engine.key_of(chosen, caller.role)
        version = hashlib.sha256(repr((key, body.format, body.page_size)).encode()).hexdigest()[:32]
        first = _read_cursor(body.cursor, version)
        headers = {"ETag": f'"{version}-{first}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            asked.is_kept = True
            return Response(status_code=304, headers=headers)
        result = await _find_or_make(service, engine, chosen, caller, asked, partial(wait_until_gone, request))
        write = partial(_write, service, result, body, version, first)
        written = write() if result.table.num_rows <= _FEW_ROWS else await run_in_threadpool(write)
        headers["X-Gnomon-Data-Version"] = engine.data_version
        response = Response(written, media_type=MEDIA_TYPES[body.format], headers=headers)
        sent: Sent | None = getattr(request.state, "sent", None)
        # The engine of a working file is another one for each question.
        if sent is not None and engine.generation_id is not None:
            question = body.model_dump(exclude_defaults=True)
            reply = Reply(
                written, response.raw_headers, headers["ETag"], question, asked.rollups, result.table.num_rows
            )
            service.replies.keep(ReplyKey(engine, caller.role, sent, withdrawn), reply)
        return response


async def explain(service: Service, caller: Caller, body: PlanQuestion) -> PlanBody:
    """Return how a question would be answered."""
    with service.house.engine(renews=False) as engine, _log(service, caller, body) as asked:
        chosen = await _plan(service, engine, caller, body, asked)
        return PlanBody(sql=chosen.format(), rollups=list(chosen.rollups), why=list(chosen.why))


async def read(service: Service, caller: Caller, body: PlanQuestion, gone: Gone) -> Result:
    """Return the whole answer of a question, kept or made; TooLargeError if one may not have so many rows."""
    with service.house.engine(renews=False) as engine, _log(service, caller, body) as asked:
        chosen = await _plan(service, engine, caller, body, asked)
        result = await _find_or_make(service, engine, chosen, caller, asked, gone)
        _check_size(service, result.table.num_rows)
        return result


async def _plan(service: Service, engine: Engine, caller: Caller, body: PlanQuestion, asked: Asked) -> Plan:
    """Return how a question is answered for a caller, and count it against the caller's number of questions."""
    asked.engine = engine
    service.callers.count(caller, engine.find_policy(caller.role))
    if len(str(body)) <= _FEW_CHARACTERS:
        chosen = _choose(engine, caller, body)
    else:
        async with service.gate:
            chosen = await run_in_threadpool(_choose, engine, caller, body)
    asked.rollups = chosen.rollups
    return chosen


def _choose(engine: Engine, caller: Caller, body: PlanQuestion) -> Plan:
    arguments = body.to_arguments()
    chosen = engine.plan(**arguments, policy=caller.role)
    if isinstance(body, QueryQuestion) and body.page_size is not None:
        # Pages may be cut from answers made at different times: only a whole order puts the same rows on each.
        saved = engine.manifest.saved_queries.get(body.saved_query or "")
        given = body.order_by or (saved.order_by if saved else ())
        chosen = engine.plan(**arguments | {"order_by": [*given, *chosen.groups]}, policy=caller.role)
    return chosen


@contextmanager
def _log(service: Service, caller: Caller, body: PlanQuestion) -> Iterator[Asked]:
    """Write down what came of the question that is asked in this block."""
    asked, begun, outcome, reason = Asked(), perf_counter(), "answered", None
    try:
        yield asked
    except GnomonError as error:
        outcome, reason = classify(error)[1], str(error)
        raise
    except asyncio.CancelledError:
        outcome = "stopped"
        raise
    except Exception:
        outcome = "fault"
        raise
    finally:
        question = body.model_dump(exclude_defaults=True)
        write_down(service, caller, question, asked, perf_counter() - begun, outcome, reason)


def write_down(
    service: Service,
    caller: Caller,
    question: Mapping[str, Any],
    asked: Asked,
    seconds: float,
    outcome: str = "answered",
    reason: str | None = None,
) -> None:
    """Count a question, and put it into the log."""
    service.measures.questions.labels(outcome).inc()
    service.measures.seconds.labels("yes" if asked.is_kept else "no").observe(seconds)
    engine = asked.engine
    service.log.add(
        Entry(
            asked_at=service.now(),
            caller=caller.name,
            role=caller.role,
            question=question,
            outcome=outcome,
            reason=reason,
            seconds=seconds,
            data_version=engine.data_version if engine else None,
            definition_version=engine.manifest.version if engine else None,
            row_count=asked.row_count,
            rollups=asked.rollups,
            is_cached=asked.is_kept,
        )
    )


async def _find_or_make(
    service: Service, engine: Engine, chosen: Plan, caller: Caller, asked: Asked, gone: Gone
) -> Result:
    result = service.answers.find(engine.key_of(chosen, caller.role))
    asked.is_kept = result is not None
    if result is None:
        result = await _make(service, engine, chosen, caller, gone)
        if not engine.withdrawn.isdisjoint(chosen.rollups):
            raise ChangedError("a rollup was found wrong while this was answered from it. Ask again.")
        service.measures.rollup_answers.inc(bool(chosen.rollups))
        service.checks.offer(service, engine, chosen)
    asked.row_count = result.table.num_rows
    return result


async def _make(service: Service, engine: Engine, chosen: Plan, caller: Caller, gone: Gone) -> Result:
    """Answer in a thread; what runs too long, or for a client who went away, is really stopped."""
    interruption = Interruption()
    async with service.gate:
        running = asyncio.ensure_future(run_in_threadpool(partial(engine.answer, chosen, caller.role, interruption)))
        leaving = asyncio.ensure_future(gone())
        try:
            await asyncio.wait({running, leaving}, timeout=service.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            while not running.done():
                interruption.stop()
                await asyncio.wait({running}, timeout=_STOP_AGAIN_SECONDS)
            return running.result()
        except StoppedError:
            raise StoppedError(
                f"the question ran for {service.limits.seconds:g} s and was stopped. Ask for fewer days or groups."
            ) from None
        finally:
            leaving.cancel()


async def wait_until_gone(request: Request) -> None:
    """Wait until the client of a request has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _write(service: Service, result: Result, body: QueryQuestion, version: str, first: int) -> bytes:
    rows, count = result.table.num_rows, body.page_size
    _check_size(service, count or rows)
    last = rows if count is None else first + count
    following = _write_cursor(version, last) if last < rows else None
    return write_answer(result, body.format, first, count, following)


def _check_size(service: Service, rows: int) -> None:
    most = service.limits.most_rows
    if rows > most:
        raise TooLargeError(
            f"{rows:,} rows, and one answer may have {most:,}. Ask for fewer groups, or by pages: page_size."
        )


def _write_cursor(version: str, first: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([_CURSOR_VERSION, version, first]).encode()).decode()


def _read_cursor(cursor: str | None, version: str) -> int:
    """Return the first row of the page; ChangedError if it is a page of another answer."""
    if cursor is None:
        return 0
    try:
        number, of, first = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if number != _CURSOR_VERSION or type(first) is not int or first < 0:
            raise ValueError
    except (ValueError, TypeError):
        raise QueryError("the cursor is none that an answer gave. Leave it out for the first page.") from None
    if of != version:
        raise ChangedError(
            "the cursor is of another question, or of data that has been replaced since. Ask for the first page again."
        )
    return first
