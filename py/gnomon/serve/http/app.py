"""The routes of the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from gnomon import __version__
from gnomon.core.errors import GnomonError, QueryError
from gnomon.serve import catalogue
from gnomon.serve.http import asking
from gnomon.serve.http.bodies import (
    AnswerBody,
    ConditionBody,
    DefinitionBody,
    HealthBody,
    LineageBody,
    MetricBody,
    NamesBody,
    PlanAddress,
    PlanBody,
    PlanQuestion,
    QueryAddress,
    QueryQuestion,
    SavedQueryBody,
    ValuesBody,
)
from gnomon.serve.http.callers import Caller, Callers
from gnomon.serve.http.front import Front
from gnomon.serve.http.refusals import add_refusals, describe
from gnomon.serve.http.service import Service

_LOGGER = logging.getLogger(__name__)
_REFRESH_SECONDS = 1.0
_MOST_VALUES = 10_000
_ASKING = describe(400, 401, 403, 408, 409, 410, 413, 422, 429, 503)
_LOOKING = describe(400, 401, 403, 408, 409, 413, 422, 429, 503)
_MEDIA: dict[str, Any] = {"application/json": {}, "text/csv": {}, "application/vnd.apache.arrow.stream": {}}

Words = Annotated[list[str], Query(max_length=100)]


def create_app(service: Service, *, has_mcp: bool = False) -> FastAPI:
    """Return the API over a service, which it closes at its end; with `has_mcp`, assistants ask at /mcp."""
    assistant = None
    if has_mcp:
        from gnomon.serve.mcp_server import create_mcp

        assistant = create_mcp(service)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_refresh(service)), asyncio.create_task(service.checks.run(service))]
        async with AsyncExitStack() as stack:
            if assistant is not None:
                await stack.enter_async_context(assistant.session_manager.run())
            yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="Gnomon",
        version=__version__,
        description="Governance metrics: a question is answered exactly, or refused with a reason.",
        lifespan=live,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.add_middleware(Front, service=service)
    add_refusals(app)
    _add_questions(app)
    _add_definitions(app)
    _add_operations(app)
    if assistant is not None:
        app.mount("/", assistant.streamable_http_app(stateless_http=True, json_response=True))
    return app


async def _refresh(service: Service) -> None:
    """Open new generations as they come, so that no request has to wait for one."""
    while True:
        # What went wrong is told by /v1/ready; the generation before stays in service.
        try:
            await run_in_threadpool(service.house.refresh)
        except GnomonError:
            pass
        except Exception:
            _LOGGER.exception("the generation in service could not be looked for; it is tried again")
        await asyncio.sleep(_REFRESH_SECONDS)


async def _find_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _find_caller(request: Request) -> Caller:
    callers: Callers = request.app.state.service.callers
    header = request.headers.get("authorization")
    known = callers.recall(header)
    # Who is not known yet is looked up in the database, and nobody else waits for that.
    return known if known is not None else await run_in_threadpool(callers.identify, header)


Served = Annotated[Service, Depends(_find_service)]
Asker = Annotated[Caller, Depends(_find_caller)]


def _add_questions(app: FastAPI) -> None:
    answers: dict[int | str, dict[str, Any]] = {
        200: {"model": AnswerBody, "content": _MEDIA},
        304: {"description": "It is as the client has it."},
        **_ASKING,
    }

    @app.post(asking.QUESTIONS, responses=answers, response_class=Response, tags=["questions"])
    async def query(request: Request, service: Served, caller: Asker, body: QueryQuestion) -> Response:
        """Answer a question."""
        return await asking.answer(service, request, caller, body)

    @app.get(asking.QUESTIONS, responses=answers, response_class=Response, tags=["questions"])
    async def query_by_address(
        request: Request, service: Served, caller: Asker, address: Annotated[QueryAddress, Query()]
    ) -> Response:
        """Answer a question that an address holds, so that it can be bookmarked."""
        return await asking.answer(service, request, caller, address.to_question())

    @app.post("/v1/plan", responses=_LOOKING, tags=["questions"])
    async def plan(service: Served, caller: Asker, body: PlanQuestion) -> PlanBody:
        """Say how a question would be answered, and run nothing."""
        return await asking.explain(service, caller, body)

    @app.get("/v1/plan", responses=_LOOKING, tags=["questions"])
    async def plan_by_address(service: Served, caller: Asker, address: Annotated[PlanAddress, Query()]) -> PlanBody:
        """Say how a question that an address holds would be answered."""
        return await asking.explain(service, caller, address.to_question())

    @app.get("/v1/values/{name}", responses=_ASKING, tags=["questions"])
    async def values(
        request: Request,
        service: Served,
        caller: Asker,
        name: Annotated[str, Path(max_length=1_000)],
        search: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST_VALUES)] = 100,
    ) -> ValuesBody:
        """List the values of an attribute that hold a text, in order, up to `limit` of them."""
        where = [ConditionBody(field=name, op="ilike", value=f"%{_check_search(search)}%")] if search else []
        question = PlanQuestion(group_by=[name], where=[*where], order_by=[name], limit=limit)
        result = await asking.read(service, caller, question, partial(asking.wait_until_gone, request))
        return ValuesBody(name=name, values=result.table.column(0).to_pylist())


def _add_definitions(app: FastAPI) -> None:
    @app.get("/v1/metrics", responses=_LOOKING, tags=["definitions"])
    async def metrics(service: Served, caller: Asker) -> list[MetricBody]:
        """List the metrics that the caller may ask for."""
        with service.house.engine(renews=False) as engine:
            return [
                MetricBody(
                    name=metric.name,
                    description=" ".join(metric.description.split()),
                    unit=metric.documentation.unit,
                    certification=metric.documentation.certification,
                    owner=metric.documentation.owner,
                )
                for metric in engine.list_metrics(caller.role)
            ]

    @app.get("/v1/metrics/{name}", responses=_LOOKING, tags=["definitions"])
    async def metric(service: Served, caller: Asker, name: Annotated[str, Path(max_length=1_000)]) -> DefinitionBody:
        """Return a metric's whole definition."""
        with service.house.engine(renews=False) as engine:
            engine.check_metric(name, caller.role)
            return DefinitionBody(**catalogue.describe_metric(engine, name))

    @app.get("/v1/metrics/{name}/lineage", responses=_LOOKING, tags=["definitions"])
    async def lineage(service: Served, caller: Asker, name: Annotated[str, Path(max_length=1_000)]) -> LineageBody:
        """Return what a metric is made of, down to the sources."""
        with service.house.engine(renews=False) as engine:
            engine.check_metric(name, caller.role)
            return LineageBody(metric=name, parents={key: list(made) for key, made in engine.trace(name).items()})

    @app.get("/v1/dimensions", responses=_LOOKING, tags=["definitions"])
    async def dimensions(service: Served, caller: Asker, metrics: Words) -> NamesBody:
        """List the names that all of these metrics can be grouped and filtered by."""
        if not metrics:
            raise QueryError("name the metrics: /v1/dimensions?metrics=gmv&metrics=orders.")
        with service.house.engine(renews=False) as engine:
            for name in metrics:
                engine.check_metric(name, caller.role)
            shared = set.intersection(*(set(engine.dimensions_of(name, caller.role)) for name in metrics))
            return NamesBody(names=sorted(shared))

    @app.get("/v1/saved-queries", responses=_LOOKING, tags=["definitions"])
    async def saved_queries(service: Served, caller: Asker) -> list[SavedQueryBody]:
        """List the saved queries that the caller may ask."""
        with service.house.engine(renews=False) as engine:
            return [
                SavedQueryBody(
                    name=saved.name,
                    metrics=list(saved.metrics),
                    group_by=list(saved.group_by),
                    where=list(saved.where),
                    order_by=list(saved.order_by),
                    limit=saved.limit,
                )
                for saved in engine.list_saved_queries(caller.role)
            ]


def _add_operations(app: FastAPI) -> None:
    @app.get("/v1/health", tags=["operations"])
    async def health() -> dict[str, bool]:
        """Say that the program runs."""
        return {"is_alive": True}

    @app.get(
        "/v1/ready",
        responses={503: {"model": HealthBody, "description": "There is nothing to answer from."}},
        tags=["operations"],
    )
    async def ready(service: Served, response: Response) -> HealthBody:
        """Say what is served, and what is wrong with what should be."""
        try:
            with service.house.engine(renews=False) as engine:
                is_behind = service.house.trouble is not None
                return HealthBody(
                    is_ready=True,
                    data_version=engine.data_version,
                    is_behind=is_behind,
                    withdrawn_rollups=sorted(engine.withdrawn),
                )
        except GnomonError:
            response.status_code = 503
            return HealthBody(is_ready=False, data_version=None, is_behind=True, withdrawn_rollups=[])

    @app.get("/metrics", response_class=Response, tags=["operations"])
    async def measures(service: Served) -> Response:
        """Write what is counted, for Prometheus."""
        withdrawn, waiting = len(service.house.withdrawn), service.gate.waiting
        written = service.measures.write(service.answers, service.replies, service.log, waiting, withdrawn)
        return Response(written, media_type="text/plain; version=0.0.4; charset=utf-8")


def _check_search(text: str) -> str:
    """Return a text that LIKE takes for itself; what LIKE would read as a pattern is refused."""
    if any(sign in text for sign in "%_\\"):
        raise QueryError("a search cannot hold %, _ or \\. Search for the letters around it.")
    return text
