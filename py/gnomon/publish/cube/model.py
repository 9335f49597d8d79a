"""What a Cube model is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

Yaml: TypeAlias = "str | int | float | bool | list[Yaml] | dict[str, Yaml]"


class Kind(Enum):
    """What the values of a column are, in Cube's words."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"
    TIME = "time"


@dataclass(frozen=True)
class Dimension:
    """An attribute of a cube's rows."""

    name: str
    kind: Kind
    sql: str
    description: str = ""
    is_key: bool = False


@dataclass(frozen=True)
class Measure:
    """An aggregate, or with the kind `number` a formula over aggregates; one that is running is of all rows so far."""

    name: str
    kind: str
    sql: str
    filters: tuple[str, ...] = ()
    is_running: bool = False
    title: str = ""
    description: str = ""
    looks: Mapping[str, Yaml] = field(default_factory=dict)
    meta: Mapping[str, Yaml] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """A condition with a name."""

    name: str
    sql: str


@dataclass(frozen=True)
class Join:
    """The way to the one row of another cube, or to none."""

    cube: str
    sql: str


@dataclass(frozen=True)
class PreAggregation:
    """A rollup that Cube makes and reads by itself."""

    name: str
    measures: tuple[str, ...]
    dimensions: tuple[str, ...]
    time: str
    granularity: str


@dataclass
class Cube:
    """A table under a name; it is filled in while the metrics over it are read.

    With `marks_rows`, the rows that a join finds say that they are there.
    """

    name: str
    relation: str
    description: str
    marks_rows: bool = False
    joins: dict[str, Join] = field(default_factory=dict)
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    pre_aggregations: list[PreAggregation] = field(default_factory=list)


@dataclass(frozen=True)
class Policy:
    """What a role may see of a view. Each of `rows` is a dimension that says 'yes' of the rows that there are."""

    role: str
    excluded: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """What may be asked together: metrics of one table by one time, and the attributes of its rows.

    `members` are those of each cube, by the path that leads to it: a name there, and its name here.
    """

    name: str
    title: str
    description: str
    domain: str
    members: Mapping[str, tuple[tuple[str, str], ...]]
    policies: tuple[Policy, ...] = ()
