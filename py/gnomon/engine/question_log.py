"""A log of questions: JSON lines, one question each, in the words of Engine.query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gnomon.access import Policy
from gnomon.core.errors import AccessError, GnomonError, QueryError, explain_unknown, shorten
from gnomon.engine.permission import restrict
from gnomon.engine.request import expand_saved, read_moment
from gnomon.planner import Compiled, Condition, Logged, Question
from gnomon.planner.conditions import write_condition
from gnomon.semantic import Manifest

if TYPE_CHECKING:
    from gnomon.state import Counted

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


def read_questions(
    log: str | Path | Iterable[Counted], compiled: Compiled, policies: Mapping[str, Policy]
) -> list[Logged]:
    """Return the questions of a file, or of the log of the API, each of those over what its role may see now."""
    if isinstance(log, (str, Path)):
        return _read_file(Path(log), compiled.manifest)
    return [_read_counted(each, compiled, policies) for each in log]


def _read_file(path: Path, manifest: Manifest) -> list[Logged]:
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


def _read_counted(counted: Counted, compiled: Compiled, policies: Mapping[str, Policy]) -> Logged:
    # How the answer was written, and which page of it, is not the question.
    words = {name: value for name, value in counted.question.items() if name in _Line.model_fields}
    question = Question(tuple(words.get("metrics", ())), tuple(words.get("group_by", ())))
    refused = None
    try:
        where = [_read_filter(compiled, each) for each in words.get("where", ())]
        question = _read_question(_Line.model_validate({**words, "where": where}), compiled.manifest)
        if counted.role not in policies:
            raise AccessError(explain_unknown("role", counted.role, policies))
        question = restrict(compiled, question, policies[counted.role])
    except GnomonError as error:
        refused = str(error)
    return Logged(question, counted.count, counted.seconds, refused)


def _read_filter(compiled: Compiled, stated: str | Mapping[str, Any]) -> str:
    if isinstance(stated, str):
        return stated
    condition = Condition(stated["field"], stated["op"], stated.get("value"))
    return write_condition(compiled.reference(condition.field), condition)


def _read_line(text: str, manifest: Manifest) -> Logged:
    line = _Line.model_validate(json.loads(text))
    return Logged(_read_question(line, manifest), line.count, line.seconds)


def _read_question(line: _Line, manifest: Manifest) -> Question:
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
    return expand_saved(manifest, question, line.saved_query)


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
