"""What the passes hand each other: each type is the whole result of one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from gnomon.planner.filters import Filter
from gnomon.planner.references import Reference
from gnomon.semantic.model import Aggregation, Measure, Metric, SemanticModel


@dataclass(frozen=True)
class Ordering:
    """A column of the answer to sort by."""

    column: str
    is_descending: bool


@dataclass(frozen=True)
class TimeRange:
    """Bounds of metric_time, both included; widened to whole periods of the grain asked for."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Resolved:
    """A question whose every name is known. `companions` count the units behind the metrics."""

    metrics: tuple[Metric, ...]
    companions: tuple[Metric, ...]
    groups: tuple[Reference, ...]
    filters: tuple[Filter, ...]
    order_by: tuple[Ordering, ...]
    limit: int | None
    time_range: TimeRange | None
    applies_floors: bool


@dataclass(frozen=True)
class Leaf:
    """A measure under all the filters that lead to it; `column` is its name in the plan."""

    column: str
    model: SemanticModel
    measure: Measure
    filters: tuple[Filter, ...]
    is_asked: bool


@dataclass(frozen=True)
class Expanded:
    """The leaves, and each metric as a formula over their columns."""

    resolved: Resolved
    leaves: tuple[Leaf, ...]
    formulas: Mapping[str, exp.Expr]


@dataclass(frozen=True)
class Join:
    """A left join from a fact to the one row that an entity names."""

    alias: str
    relation: str
    condition: exp.Expr


@dataclass(frozen=True)
class Window:
    """Keep the rows at the first or last moment of each partition (semi-additive measures)."""

    moment: exp.Expr
    takes_last: bool
    partitions: tuple[exp.Expr, ...]
    groupings: tuple[exp.Expr, ...]


@dataclass(frozen=True)
class Source:
    """The rows that measures are aggregated from. Equal sources are read once."""

    model: str
    relation: str
    joins: tuple[Join, ...]
    conditions: tuple[exp.Expr, ...]
    groups: tuple[exp.Expr, ...]
    window: Window | None


@dataclass(frozen=True)
class Value:
    """An aggregate of an expression over a source's rows, under a column's name."""

    column: str
    aggregation: Aggregation
    rows: exp.Expr
    is_asked: bool


@dataclass(frozen=True)
class SampledSum:
    """A sum over sampled rows, and the replicate group that each row was dealt to."""

    source: Source
    rows: exp.Expr
    replicate_group: exp.Expr


@dataclass(frozen=True)
class Variance:
    """The variance of a ratio of two sampled sums, from the `replicates` groups of the design."""

    metric: str
    numerator: SampledSum
    denominator: SampledSum
    replicates: int


@dataclass(frozen=True)
class Joined:
    """Each leaf with the rows it is aggregated from."""

    expanded: Expanded
    values: tuple[tuple[Source, Value], ...]


@dataclass(frozen=True)
class Replicated:
    """The leaves, and the variances of the ratios that are estimates."""

    joined: Joined
    variances: tuple[Variance, ...]


@dataclass(frozen=True)
class Shared:
    """Each source once, with all the values taken from it."""

    expanded: Expanded
    scans: tuple[tuple[Source, tuple[Value, ...]], ...]
    variances: tuple[Variance, ...]
