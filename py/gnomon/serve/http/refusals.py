"""Errors as answers: one form for all, each kind with its status."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gnomon.core.errors import AccessError, DefinitionError, GnomonError, QueryError, StoppedError, WarehouseError
from gnomon.serve.http.admission import BusyError
from gnomon.serve.http.bodies import RefusalBody
from gnomon.serve.http.callers import TooManyError, UnknownCallerError


class TooLargeError(QueryError):
    """The answer has more rows than one may have."""


class ChangedError(QueryError):
    """What is paged through is not there any more: the data or the definitions have changed."""


# The first that fits: a kind of error stands before the kind that it is a case of.
_STATUSES: tuple[tuple[type[GnomonError], int, str], ...] = (
    (UnknownCallerError, 401, "caller"),
    (TooManyError, 429, "busy"),
    (AccessError, 403, "access"),
    (BusyError, 429, "busy"),
    (TooLargeError, 413, "too_large"),
    (ChangedError, 410, "changed"),
    (StoppedError, 408, "stopped"),
    (QueryError, 400, "question"),
    (DefinitionError, 409, "definition"),
    (WarehouseError, 503, "outside"),
)
_WORDS = {400: "question", 401: "caller", 404: "question", 405: "question", 406: "question", 413: "too_large"}


def describe(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return what OpenAPI is told of these statuses: each carries a refusal."""
    return {status: {"model": RefusalBody, "description": _DESCRIPTIONS[status]} for status in statuses}


_DESCRIPTIONS = {
    400: "The question cannot be answered as asked.",
    401: "Nobody knows who asks.",
    403: "The role may not ask this.",
    404: "There is nothing of this name.",
    408: "It ran longer than a question may, and was stopped.",
    409: "A definition is wrong; its author must mend it.",
    410: "The data has changed since the first page.",
    413: "The answer has more rows than one may have. Ask for fewer groups, or by pages.",
    422: "The body or a parameter has another form.",
    429: "Too many questions; the header Retry-After says when to ask again.",
    503: "There is nothing to answer from.",
}


def classify(error: GnomonError) -> tuple[int, str]:
    """Return the status of an error and its kind."""
    return next((status, kind) for known, status, kind in _STATUSES if isinstance(error, known))


def refuse(status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a refusal."""
    return JSONResponse({"kind": kind, "text": text}, status_code=status, headers=headers)


def refuse_known(error: GnomonError) -> JSONResponse:
    """Return the refusal that an error is."""
    status, kind = classify(error)
    headers = {}
    if isinstance(error, (BusyError, TooManyError)):
        headers["Retry-After"] = str(error.seconds)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return refuse(status, kind, str(error), headers)


def add_refusals(app: FastAPI) -> None:
    """Let every error that is foreseen become a refusal."""

    @app.exception_handler(GnomonError)
    async def refuse_error(_: Request, error: GnomonError) -> JSONResponse:
        return refuse_known(error)

    @app.exception_handler(RequestValidationError)
    async def refuse_form(_: Request, error: RequestValidationError) -> JSONResponse:
        told = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        return refuse(422, "question", "; ".join(told) + ". /openapi.json has the form of all bodies.")

    @app.exception_handler(HTTPException)
    async def refuse_http(request: Request, error: HTTPException) -> JSONResponse:
        text = f"{request.method} {request.url.path}: {error.detail}. /openapi.json lists the routes."
        return refuse(error.status_code, _WORDS.get(error.status_code, "question"), text, dict(error.headers or {}))
