"""Plans kept by the shape of their question: what was planned once is planned for every value.

The strings of filters and the bounds of time are no part of the shape. They are planned as
placeholders, and put into the SQL's text where the placeholders stand, quoted again. In another dialect
than DuckDB's a string is part of the shape: what is written for it may hang on what it says. So it is
where filters will be put in from outside.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from gnomon.core.errors import QueryError
from gnomon.planner.compiled import Compiled
from gnomon.planner.copy import Copy
from gnomon.planner.dialects import DUCKDB, check_dialect
from gnomon.planner.draft import ANY_END, ANY_START, TimeRange
from gnomon.planner.filters import MOST_CHARACTERS
from gnomon.planner.plan import Plan, plan
from gnomon.planner.question import Question, check_question
from gnomon.planner.resolve_names import read_bounds
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest

_MOST_PLANS = 1024
_TEMPLATE_OR_STRING = re.compile(r"\{\{.*?\}\}|'(?:[^']|'')*'", re.DOTALL)
# Words that read the inside of a string, and whatever could make a quote mean something else.
_TOUCHES_STRINGS = re.compile(r"interval|date|time|cast|::|--|/\*|[\"$\\']", re.IGNORECASE)
_MARK = "\x01"
_PREFIXED = re.compile(rf"\w'{_MARK}")
_PLACE = re.compile(rf"'{_MARK}(\d+){_MARK}'|'0001-01-01 00:00:00\.00000([1-4])'")


@dataclass(frozen=True)
class _Kept:
    """A plan whose SQL is cut at its placeholders: text, place, text, place, … text."""

    plan: Plan
    pieces: tuple[str, ...]
    places: tuple[int, ...]
    widens_to: Grain | None


class Planner:
    """Plans questions over one manifest; safe to share between threads.

    `rollups` are those that exist, by name, with their numbers of rows; `dates` are the columns, as relation and
    name in lower case, that are known to hold dates without a time of day. Another dialect than DuckDB's needs to
    know the `types` of columns, by the same names. With a `copy`, all of these are names of its tables.
    """

    def __init__(
        self,
        manifest: Manifest,
        rollups: Mapping[str, int] = {},
        dates: frozenset[tuple[str, str]] = frozenset(),
        dialect: str = DUCKDB,
        types: Mapping[tuple[str, str], str] = {},
        copy: Copy | None = None,
    ) -> None:
        check_dialect(dialect)
        self.dialect = dialect
        self.types = types
        self.copy = copy
        self.compiled = Compiled(manifest, dates)
        self.rollups = rollups
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    @classmethod
    def of_copy(
        cls,
        manifest: Manifest,
        copy: Copy,
        rollups: Mapping[str, int],
        dates: frozenset[tuple[str, str]],
        types: Mapping[tuple[str, str], str],
    ) -> Planner:
        """Return a planner over a copy; what is known of the warehouse's tables is moved to the copy's."""
        made = {
            rollup.name
            for model in manifest.models.values()
            for rollup in model.rollups
            if copy.find(rollup.relation) is not None
        }
        return cls(
            manifest.within(copy.schema),
            {name: rows for name, rows in rollups.items() if name in made},
            frozenset(copy.move(dict.fromkeys(dates))),
            copy.dialect,
            copy.move(types),
            copy,
        )

    def plan(self, question: Question) -> Plan:
        """Return the plan; QueryError refuses what cannot be answered exactly."""
        check_question(question)
        if any(_MARK in text or _PLACE.search(text) for text in (*question.where, *question.row_filters)):
            return self._make(question)
        values: list[str] = []
        where, row_filters = question.where, question.row_filters
        if self.dialect == DUCKDB and not question.outer_filters:
            where = tuple(_take_strings(text, values) for text in where)
            row_filters = tuple(_take_strings(text, values) for text in row_filters)
        shape = replace(
            question,
            where=where,
            row_filters=row_filters,
            start=ANY_START if question.start else None,
            end=ANY_END if question.end else None,
        )
        with self._lock:
            kept = self._kept.get(shape)
            if kept is not None:
                self._kept.move_to_end(shape)
                self.hits += 1
        if kept is None:
            kept = self._keep(shape, question)
        if kept is None:
            return self._make(question)
        moments = _read_moments(kept, question)
        parts = [kept.pieces[0]]
        for place, piece in zip(kept.places, kept.pieces[1:], strict=True):
            parts.append(values[place] if place >= 0 else f"'{moments[place]}'")
            parts.append(piece)
        return replace(kept.plan, sql="".join(parts), question=question)

    def _make(self, question: Question) -> Plan:
        return plan(self.compiled, question, self.rollups, self.dialect, self.types, self.copy)

    def _keep(self, shape: Question, question: Question) -> _Kept | None:
        """Plan the shape; None if it is refused, so that the question itself is, in its own words."""
        try:
            made = self._make(shape)
        except QueryError:
            return None
        pieces, places, at = [], [], 0
        for match in _PLACE.finditer(made.sql):
            pieces.append(made.sql[at : match.start()])
            places.append(int(match[1]) if match[1] else -int(match[2]))
            at = match.end()
        kept = _Kept(made, (*pieces, made.sql[at:]), tuple(places), made.widens_to)
        with self._lock:
            self.misses += 1
            self._kept[shape] = kept
            if len(self._kept) > _MOST_PLANS:
                self._kept.popitem(last=False)
        return kept


def _read_moments(kept: _Kept, question: Question) -> dict[int, datetime | None]:
    """Return the moments that stand at the places of bounds."""
    start, end = read_bounds(kept.widens_to, question.start, question.end)
    moments = {-1: start, -2: end}
    if kept.widens_to is not None and not {-3, -4}.isdisjoint(kept.places):
        before = TimeRange(start, end, kept.widens_to).before
        moments |= {-3: before.start, -4: before.end}
    return moments


def _take_strings(text: str, values: list[str]) -> str:
    """Return the filter with a placeholder for each string outside references, and put the strings into `values`."""
    if len(text) > MOST_CHARACTERS or _TOUCHES_STRINGS.search(_TEMPLATE_OR_STRING.sub(" ", text)):
        return text
    taken: list[str] = []

    def take(match: re.Match[str]) -> str:
        if match[0].startswith("{"):
            return match[0]
        taken.append(match[0])
        return f"'{_MARK}{len(values) + len(taken) - 1}{_MARK}'"

    shape = _TEMPLATE_OR_STRING.sub(take, text)
    if any("{" in word for word in taken) or _PREFIXED.search(shape):
        return text
    values += taken
    return shape
