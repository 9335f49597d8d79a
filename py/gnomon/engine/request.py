"""What a caller passes, read once at the edge: words, moments and saved queries become a Question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.planner import Question
from gnomon.planner.zones import check_zone
from gnomon.semantic import Manifest

Moment = date | datetime | str | None


def read_words(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Return the words of an argument; a lone string is one word, not a row of letters."""
    words = (value,) if isinstance(value, str) else tuple(value)
    for word in words:
        if not isinstance(word, str):
            raise QueryError(f"{name}: {word!r} is not a name.")
    return words


def read_moment(name: str, value: Moment, zone: str | None = None, *, is_end: bool = False) -> datetime | None:
    """Return a bound as a naive moment in the zone, else in UTC; a day as an end is the whole day."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value) if len(value) == len("2026-05-01") else datetime.fromisoformat(value)
        if isinstance(value, datetime):
            there = UTC if zone is None else ZoneInfo(check_zone(zone))
            return value.astimezone(there).replace(tzinfo=None) if value.tzinfo else value
        return datetime.combine(value, time.max if is_end else time.min)
    except (TypeError, ValueError):
        raise QueryError(f"{name} {value!r} is not a moment. Write 2026-05-01 or 2026-05-01T12:00.") from None


def expand_saved(manifest: Manifest, question: Question, name: str | None) -> Question:
    """Return the question with a saved query's parts before its own; its order and limit are defaults."""
    if name is None:
        return question
    saved = manifest.saved_queries.get(name)
    if saved is None:
        raise QueryError(explain_unknown("saved query", name, manifest.saved_queries))
    return replace(
        question,
        metrics=saved.metrics + question.metrics,
        group_by=saved.group_by + question.group_by,
        where=saved.where + question.where,
        order_by=question.order_by or saved.order_by,
        limit=saved.limit if question.limit is None else question.limit,
    )
