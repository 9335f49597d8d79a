"""What is to be in Metabase, as values: no ids, no HTTP, and nothing of how it was defined here.

Everything has a `key`, which never changes while the thing is the same one, whatever it is called. Tables and
fields are named, and found when it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
ParameterKind = Literal["date/all-options", "string/=", "number/=", "boolean/="]


@dataclass(frozen=True)
class TableAddress:
    """A table as the database names it."""

    schema: str
    table: str


@dataclass(frozen=True)
class FieldAddress:
    """A column as the database names it."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True)
class FieldTag:
    """A field filter, at [[AND {{name}}]] in the SQL."""

    name: str
    title: str
    field: FieldAddress
    kind: ParameterKind


@dataclass(frozen=True)
class NativeQuery:
    """SQL, with its field filters."""

    sql: str
    tags: tuple[FieldTag, ...] = ()


@dataclass(frozen=True)
class TableQuery:
    """All rows of a table."""

    table: TableAddress


@dataclass(frozen=True)
class Sum:
    """The sum of a column."""

    field: FieldAddress


@dataclass(frozen=True)
class Ratio:
    """One sum divided by another; null where that is 0."""

    numerator: Sum
    denominator: Sum


@dataclass(frozen=True)
class Floored:
    """A value that is null where the sum of `units` is under `least`."""

    value: Sum | Ratio
    units: Sum
    least: int


@dataclass(frozen=True)
class Equals:
    """A column has this value."""

    field: FieldAddress
    value: str | int | float | bool


@dataclass(frozen=True)
class MetricQuery:
    """An aggregate over the rows of a table, with the time that it is shown over by default."""

    table: TableAddress
    aggregate: Sum | Ratio | Floored
    filters: tuple[Equals, ...]
    time: FieldAddress
    grain: Literal["day", "week", "month"]


@dataclass(frozen=True)
class Database:
    """A connection. Its password is no part of what is wanted: it comes from the environment when it is applied."""

    key: str
    name: str
    engine: Literal["postgres", "duckdb"]
    details: Mapping[str, Json]


@dataclass(frozen=True)
class Field:
    """What is to be known of a column; `leads_to` is the key that it refers to."""

    column: str
    description: str
    semantic_type: str | None = None
    leads_to: FieldAddress | None = None
    is_hidden: bool = False


@dataclass(frozen=True)
class Table:
    """What is to be known of a table; technical ones are hidden."""

    address: TableAddress
    title: str
    description: str
    is_hidden: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Collection:
    """A folder; `parent` is the key of another one."""

    key: str
    name: str
    description: str
    parent: str | None = None


@dataclass(frozen=True)
class Card:
    """A question, a model or a metric. `columns` are those of its answer, in order, if they are known."""

    key: str
    kind: Literal["question", "model", "metric"]
    name: str
    description: str
    collection: str
    query: NativeQuery | TableQuery | MetricQuery
    display: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """A filter of a dashboard."""

    key: str
    title: str
    kind: ParameterKind
    default: Json = None


@dataclass(frozen=True)
class ClickThrough:
    """Where a click on a tile leads: another card, filtered by what was clicked; `sets` are its tags by our columns."""

    card: str
    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dashcard:
    """A place on a dashboard: a card or words. `wires` are the card's tags by the parameter that fills them.

    Metabase's grid has 24 columns; rows and columns count from 0.
    """

    key: str
    tab: str
    row: int
    column: int
    width: int
    height: int
    card: str | None = None
    text: str | None = None
    wires: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Json] = field(default_factory=dict)
    click: ClickThrough | None = None


@dataclass(frozen=True)
class Tab:
    """Tiles that are seen together."""

    key: str
    name: str


@dataclass(frozen=True)
class Dashboard:
    """A page with tabs, filters and tiles."""

    key: str
    name: str
    description: str
    collection: str
    parameters: tuple[Parameter, ...]
    tabs: tuple[Tab, ...]
    dashcards: tuple[Dashcard, ...]


@dataclass(frozen=True)
class Schedule:
    """When something is sent, in Metabase's own time zone; a `weekday` such as mon, or each day."""

    hour: int
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None = None


@dataclass(frozen=True)
class Alert:
    """Mail once a card's result is above or below its goal line, or has rows at all."""

    key: str
    card: str
    condition: Literal["goal_above", "goal_below", "has_result"]
    schedule: Schedule
    to: tuple[str, ...]


@dataclass(frozen=True)
class Subscription:
    """A dashboard by mail."""

    key: str
    dashboard: str
    name: str
    schedule: Schedule
    to: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """People who may look at collections and do nothing else."""

    key: str
    name: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """All of it, each kind in the order in which it can be made. `definition_version` is of the metrics behind it.

    `refused` are tiles that are words only, as page.tile, with the reason.
    """

    definition_version: str
    generation_id: str
    database: Database
    tables: tuple[Table, ...] = ()
    collections: tuple[Collection, ...] = ()
    cards: tuple[Card, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    alerts: tuple[Alert, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    groups: tuple[Group, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
