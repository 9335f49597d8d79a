"""What a view of sums is made of: its columns, and the ratios that may be made of their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlglot import exp

from gnomon.core.names import MetricName
from gnomon.planner import Copy
from gnomon.planner.dialects import Types, write_in
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Metric, SemanticModel


class Role(Enum):
    """What a column is for: rows are told apart by all but sums, and sums alone are added up."""

    PERIOD = "period"
    ATTRIBUTE = "attribute"
    MATURITY = "maturity"
    SUM = "sum"


@dataclass(frozen=True)
class ViewColumn:
    """A column: its SQL over the view's rows, DuckDB's type of it, and what is said of it to people.

    `metric` is the metric that a sum is; None for a sum that only ratios are made of.
    """

    name: str
    role: Role
    sql: exp.Expr
    label: str
    comment: str
    kind: str = ""
    metric: MetricName | None = None

    @property
    def is_filled(self) -> bool:
        """Tell whether it is 0 in rows that have no value."""
        return self.sql.find(exp.Coalesce) is not None

    @property
    def is_filtered(self) -> bool:
        """Tell whether it is of some of the rows only."""
        return self.sql.find(exp.Case) is not None


@dataclass(frozen=True)
class Ratio:
    """A metric that is made of sums; the columns of `formula` are those of the view, each added up."""

    metric: Metric
    formula: exp.Expr

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns that it is made of, each once."""
        return tuple(dict.fromkeys(column.name for column in self.formula.find_all(exp.Column)))


@dataclass(frozen=True)
class View:
    """A view over a rollup and what its keys lead to. `matures` are its columns of maturity, by days."""

    name: str
    model: SemanticModel
    rollup: str
    grain: Grain
    comment: str
    columns: tuple[ViewColumn, ...]
    ratios: tuple[Ratio, ...]
    matures: Mapping[int, str]
    query: exp.Select

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that can be had from it: sums, then ratios."""
        sums = [column.metric for column in self.columns if column.metric is not None]
        return (*sums, *(ratio.metric.name for ratio in self.ratios))

    def take(self, *roles: Role) -> tuple[ViewColumn, ...]:
        """Return the columns of some roles, in their order."""
        return tuple(column for column in self.columns if column.role in roles)

    def write(self, copy: Copy, types: Types) -> str:
        """Return its SELECT in the words of a copy; `types` are those of the warehouse."""
        query = self.query.copy()
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
            table.set("db", exp.to_identifier(copy.schema, quoted=True))
        return write_in(copy.dialect, query, copy.move(types))


@dataclass(frozen=True)
class LeftOut:
    """What is in no view, each with the reason: metrics, rollups, and by view attributes that its rows would reach."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    rollups: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Views:
    """All views of a copy, by name, and what is in none."""

    views: tuple[View, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut)
