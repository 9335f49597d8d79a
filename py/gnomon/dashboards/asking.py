"""The questions of dashboards, put to the engine; equal ones once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gnomon.core.errors import AccessError, QueryError, explain_unknown
from gnomon.core.names import MetricName
from gnomon.dashboards.answers import (
    NO_ROW,
    DashboardAnswer,
    Figure,
    Origin,
    Reach,
    Refusal,
    Row,
    Rows,
    TileAnswer,
    Value,
)
from gnomon.dashboards.door import Answer, Door, Provenance
from gnomon.dashboards.model import Dashboard, Filter, Tile
from gnomon.dashboards.periods import choose_days
from gnomon.dashboards.questions import Ask, Scope, find_reach, write_asks
from gnomon.measurement import Interval
from gnomon.semantic.model import Metric

_OTHER = "is_other"


class Asking:
    """Puts questions to one engine, as one role, and keeps what came of each."""

    def __init__(self, door: Door, role: str | None = None) -> None:
        if door.as_of is None:
            raise QueryError(
                "this file has no record of a build, so its days are not known. Build it with `dbt build`."
            )
        if role is not None:
            # An unknown role is refused here and not in the place of every tile.
            door.find_policy(role)
        self._door = door
        self._as_of: datetime = door.as_of
        self._role = role
        self._kept: dict[Ask, Rows | Refusal] = {}
        self._origins: list[Provenance] = []

    @property
    def count(self) -> int:
        """How many questions were put to the engine."""
        return len(self._kept)

    def answer(
        self,
        dashboard: Dashboard,
        chosen: Mapping[str, Sequence[str]] | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> DashboardAnswer:
        """Return a dashboard with its figures, its filters set to `chosen` values and its days to `first` and `last`.

        A filter of another dashboard is passed over. QueryError for a value that no row has, and for impossible days.
        """
        values = {
            each.name: self._find_values(dashboard, each, chosen[each.name])
            for each in dashboard.filters
            if chosen and each.name in chosen
        }
        days = choose_days(self._as_of, dashboard.last_days, first, last)
        scope = Scope(days, self._as_of, first is not None or last is not None, values)
        tiles = {tile.name: self._answer_tile(dashboard, tile, scope) for tile in dashboard.tiles}
        return DashboardAnswer(dashboard, scope, tiles, self._origin(tiles))

    def _answer_tile(self, dashboard: Dashboard, tile: Tile, scope: Scope) -> TileAnswer:
        metrics = tuple(self._door.manifest.metrics[name] for name in tile.metrics)
        asked = write_asks(self._door, dashboard, tile, scope)
        if asked is None:
            return TileAnswer(tile, metrics, None, None, None, ())
        reaches = (
            Reach(each, find_reach(self._door, tile, each), each.name in (scope.chosen or {}))
            for each in dashboard.filters
        )
        return TileAnswer(
            tile=tile,
            metrics=metrics,
            asked=asked,
            main=Refusal(asked.reason or "") if asked.main is None else self._ask(asked.main),
            course=None if asked.course is None else self._ask(asked.course),
            reaches=tuple(reaches),
        )

    def _ask(self, ask: Ask) -> Rows | Refusal:
        if ask not in self._kept:
            self._kept[ask] = self._put(ask)
        return self._kept[ask]

    def _put(self, ask: Ask) -> Rows | Refusal:
        try:
            answer = self._door.query(
                ask.metrics,
                ask.group_by,
                ask.where,
                ask.order_by,
                start=ask.start,
                end=ask.end,
                top=ask.top,
                policy=self._role,
            )
        except (AccessError, QueryError) as error:
            return Refusal(str(error))
        self._origins.append(answer.provenance)
        return _read_rows(ask, answer)

    def _find_values(self, dashboard: Dashboard, each: Filter, wanted: Sequence[str]) -> tuple[Any, ...]:
        """Return chosen values as the data has them; QueryError with the nearest ones for a value that it has not."""
        reached = {find_reach(self._door, tile, each) for tile in dashboard.tiles if tile.metrics}
        known: dict[str, Any] = {}
        for dimension in sorted(filter(None, reached)):
            listed = self._door.query(group_by=[dimension], policy=self._role).table.column(0).to_pylist()
            known |= {str(value): value for value in listed if value is not None}
        for value in wanted:
            if value not in known:
                raise QueryError(f"filter '{each.name}': {explain_unknown('value', value, known)}")
        return tuple(known[value] for value in wanted)

    def _origin(self, tiles: Mapping[str, TileAnswer]) -> Origin:
        told = [set(tile.notes) for tile in tiles.values() if isinstance(tile.main, Rows)]
        of_all = set.intersection(*told) if told else set()
        notes = next((tile.notes for tile in tiles.values() if isinstance(tile.main, Rows)), ())
        return Origin(
            definition_version=self._door.manifest.version,
            data_version=self._door.data_version,
            generation_id=self._door.generation_id,
            raw_set_id=self._origins[-1].raw_set_id if self._origins else None,
            as_of=self._as_of,
            role=self._role,
            notes=tuple(note for note in notes if note in of_all),
        )


def _read_rows(ask: Ask, answer: Answer) -> Rows:
    columns = {name: answer.table.column(name).to_pylist() for name in answer.table.column_names}
    figures = [list(_read_figures(metric, columns[metric.name], answer)) for metric in answer.metrics]
    others = columns.get(_OTHER) or [False] * answer.table.num_rows
    rows = tuple(
        Row(
            groups=tuple(_plain(columns[name][index]) for name in ask.group_by),
            figures=tuple(each[index] for each in figures),
            is_other=bool(others[index]),
        )
        for index in range(answer.table.num_rows)
    )
    return Rows(answer.metrics, rows, answer.provenance.nulls, answer.provenance.notes)


def _read_figures(metric: Metric, values: Sequence[Any], answer: Answer) -> list[Figure]:
    name = MetricName(metric.name)
    units = answer.units[name].to_pylist() if name in answer.units else [None] * len(values)
    intervals: Sequence[Interval | None] = answer.intervals.get(name) or [None] * len(values)
    missing = answer.provenance.nulls.get(name, NO_ROW)
    needed = metric.documentation.minimum_units
    found = []
    for value, counted, interval in zip(values, units, intervals, strict=True):
        if value is None:
            is_short = counted is not None and 0 < counted < needed
            short = f"it stands on {counted} {metric.documentation.units}, and needs {needed}"
            found.append(Figure(None, units=counted, reason=short if is_short else missing))
        elif not math.isfinite(value):
            found.append(Figure(None, units=counted, reason="it is not a finite number"))
        else:
            low, high = (interval.low, interval.high) if interval else (None, None)
            found.append(Figure(float(value), low, high, counted))
    return found


def _plain(value: Any) -> Value:
    if isinstance(value, datetime):
        return value.date()
    plain: Value = float(value) if isinstance(value, Decimal) else value
    return plain
