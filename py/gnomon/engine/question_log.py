"""A log of questions: JSON lines, one question each, in the words of Engine.query."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gnomon.core.errors import GnomonError, QueryError, explain_unknown, shorten
from gnomon.engine.request import expand_saved, read_moment
from gnomon.planner import Logged, Question
from gnomon.semantic import Manifest

_ERRORS_SHOWN = 20


class _Line(BaseModel):
    """One line: a question, how often it was asked, and the seconds that it took each time."""

    model_config = ConfigDict(extra="forbid", strict=True)

    metrics: list[str] = []
    group_by: list[str] = []
    where: list[str] = []
    order_by: list[str] = []
    limit: int | None = None
    start: str | None = None
    end: str | None = None
    saved_query: str | None = None
    takes_extremes: bool = False
    top: int | None = None
    time_zone: str | None = None
    count: int = Field(default=1, ge=1)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


def read_log(path: Path, manifest: Manifest) -> list[Logged]:
    """Return the questions of a log, in its order; QueryError names the lines that say none, by file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path}: cannot be read: {error}. --log names a text file of JSON lines.") from None
    logged, wrong = [], []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            logged.append(_read_line(text, manifest))
        except (QueryError, ValueError, RecursionError) as error:
            wrong.append(f"{path}:{number}: {_describe(error)}")
    if wrong:
        more = [f"and {len(wrong) - _ERRORS_SHOWN} more lines"] if len(wrong) > _ERRORS_SHOWN else []
        raise QueryError("\n".join([*wrong[:_ERRORS_SHOWN], *more]))
    if not logged:
        raise QueryError(f'{path}: it holds no question. A line reads {{"metrics": ["gmv"], "count": 3}}.')
    return logged


def _read_line(text: str, manifest: Manifest) -> Logged:
    line = _Line.model_validate(json.loads(text))
    question = Question(
        metrics=tuple(line.metrics),
        group_by=tuple(line.group_by),
        where=tuple(line.where),
        order_by=tuple(line.order_by),
        limit=line.limit,
        start=read_moment("start", line.start, line.time_zone),
        end=read_moment("end", line.end, line.time_zone, is_end=True),
        takes_extremes=line.takes_extremes,
        top=line.top,
        time_zone=line.time_zone,
    )
    return Logged(expand_saved(manifest, question, line.saved_query), line.count, line.seconds)


def _describe(error: Exception) -> str:
    match error:
        case GnomonError():
            return str(error)
        case ValidationError():
            told = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in told["loc"])
            known = ", ".join(_Line.model_fields)
            if told["type"] == "extra_forbidden":
                return explain_unknown("key", shorten(place), _Line.model_fields)
            return f"{place}: {told['msg']}." if place else f"a line is one JSON object. It has: {known}."
    return f"not JSON: {shorten(str(error))}."
