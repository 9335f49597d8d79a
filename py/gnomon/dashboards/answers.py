"""What came of the questions of a dashboard: figures, each with what stands behind it, or with why it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from gnomon.dashboards.model import Dashboard, Filter, Tile
from gnomon.dashboards.questions import Asked, Scope
from gnomon.semantic.model import Metric

NO_ROW = "there is nothing here that it counts"
Value = str | int | float | bool | date | None


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval and units, where it has them; without a value, `reason` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    units: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Row:
    """A group's values, times first as they were asked for, and a figure for each metric.

    `is_other` marks what is left over by a top.
    """

    groups: tuple[Value, ...]
    figures: tuple[Figure, ...]
    is_other: bool = False


@dataclass(frozen=True)
class Rows:
    """An answer. `metrics` are the definitions of its figures, those of words after a metric included.

    `nulls` says for a metric why values are missing, `notes` what a reader must know of them.
    """

    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    nulls: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """Why a question was not answered."""

    reason: str


@dataclass(frozen=True)
class Reach:
    """A filter and the dimension by which it reaches a tile; None if it does not."""

    filter: Filter
    dimension: str | None
    is_chosen: bool


@dataclass(frozen=True)
class TileAnswer:
    """A tile with what it asked and what came of it. A text has asked nothing; `course` is a number's line.

    `metrics` are the definitions of what it shows.
    """

    tile: Tile
    metrics: tuple[Metric, ...]
    asked: Asked | None
    main: Rows | Refusal | None
    course: Rows | Refusal | None
    reaches: tuple[Reach, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of its figures; of what is compared with them it is the same, and said once."""
        words = tuple(f"{metric.name}__" for metric in self.metrics)
        notes = self.main.notes if isinstance(self.main, Rows) else ()
        return tuple(note for note in notes if not note.startswith(words))


@dataclass(frozen=True)
class Origin:
    """Where all figures of a dashboard come from. `notes` hold for all of them, such as a build that did not pass."""

    definition_version: str
    data_version: str
    generation_id: str | None
    raw_set_id: str | None
    as_of: datetime
    role: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class DashboardAnswer:
    """A dashboard with all that came of its questions."""

    dashboard: Dashboard
    scope: Scope
    tiles: Mapping[str, TileAnswer]
    origin: Origin
