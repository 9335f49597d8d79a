"""The semantic model as immutable values: what a manifest says, nothing of how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gnomon.core.names import DimensionName, EntityName, MeasureName, MetricName, ModelName
from gnomon.semantic.grain import Grain


class EntityKind(Enum):
    """How an entity identifies the rows of its semantic model."""

    PRIMARY = "primary"
    UNIQUE = "unique"
    FOREIGN = "foreign"
    NATURAL = "natural"


class DimensionKind(Enum):
    """Whether a dimension is a category or a moment."""

    CATEGORICAL = "categorical"
    TIME = "time"


class Aggregation(Enum):
    """How a measure's rows become one value."""

    SUM = "sum"
    SUM_BOOLEAN = "sum_boolean"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    MEDIAN = "median"
    PERCENTILE = "percentile"


class MetricKind(Enum):
    """The kinds of metric that MetricFlow defines."""

    SIMPLE = "simple"
    RATIO = "ratio"
    DERIVED = "derived"
    CUMULATIVE = "cumulative"
    CONVERSION = "conversion"


@dataclass(frozen=True)
class Entity:
    """A key of a semantic model's rows; `expr` is SQL over its table."""

    name: EntityName
    kind: EntityKind
    expr: str


@dataclass(frozen=True)
class Dimension:
    """An attribute of a semantic model's rows; `grain` is its finest grain if it is a time."""

    name: DimensionName
    kind: DimensionKind
    expr: str
    description: str
    grain: Grain | None


@dataclass(frozen=True)
class NonAdditive:
    """A semi-additive measure's rule: keep the first or last moment of each window."""

    dimension: DimensionName
    takes_last: bool
    groupings: tuple[EntityName, ...]


@dataclass(frozen=True)
class Measure:
    """An aggregation over a semantic model's rows."""

    name: MeasureName
    aggregation: Aggregation
    expr: str
    time_dimension: DimensionName
    non_additive: NonAdditive | None


@dataclass(frozen=True)
class SemanticModel:
    """A table with its keys, attributes and measures; with validity, a row counts for a period only."""

    name: ModelName
    relation: str
    database: str
    description: str
    primary_entity: EntityName | None
    entities: Mapping[EntityName, Entity]
    dimensions: Mapping[DimensionName, Dimension]
    measures: Mapping[MeasureName, Measure]
    has_validity: bool = False

    def identifies(self, entity: EntityName) -> bool:
        """Tell whether `entity` names one row of this model at the most."""
        if entity == self.primary_entity:
            return True
        found = self.entities.get(entity)
        return found is not None and found.kind in (EntityKind.PRIMARY, EntityKind.UNIQUE)


@dataclass(frozen=True)
class MetricInput:
    """A metric used by another one, with the filters and the alias it has there."""

    name: MetricName
    alias: str | None
    filters: tuple[str, ...]
    offset: str | None


@dataclass(frozen=True)
class MeasureInput:
    """A measure used by a simple metric; `fill` stands where it has no value in a row."""

    name: MeasureName
    filters: tuple[str, ...]
    fill: int | None
    joins_spine: bool


@dataclass(frozen=True)
class Documentation:
    """What `config.meta` says of a metric for people and for the engine's judgement.

    `needs` are the raw tables without which a metric has no meaning; None means all that
    its table is built from. `units` is the metric that counts the units behind a value,
    and fewer than `minimum_units` of them give null with the reason. `replicate_group` names
    the dimension that deals the sampled rows out to `replicates` groups, for intervals.
    `never_by` are dimensions that are the metric's own outcome: grouped by them it says nothing.
    """

    owner: str | None = None
    unit: str = "number"
    direction: str | None = None
    target: float | None = None
    certification: str | None = None
    matures_after_days: int = 0
    units: MetricName | None = None
    minimum_units: int = 0
    replicate_group: str | None = None
    replicates: int = 0
    always_with: tuple[MetricName, ...] = ()
    never_by: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None
    missing_inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A definition. Ratio: inputs are numerator, denominator. Derived: inputs of `expr`."""

    name: MetricName
    kind: MetricKind
    description: str
    filters: tuple[str, ...]
    measure: MeasureInput | None
    inputs: tuple[MetricInput, ...]
    expr: str | None
    time_grain: Grain | None
    documentation: Documentation


@dataclass(frozen=True)
class SavedQuery:
    """A question with a name."""

    name: str
    metrics: tuple[str, ...]
    group_by: tuple[str, ...]
    where: tuple[str, ...]
    order_by: tuple[str, ...]
    limit: int | None


@dataclass(frozen=True)
class Manifest:
    """All definitions of one semantic_manifest.json; `version` is a digest of its content."""

    version: str
    models: Mapping[ModelName, SemanticModel]
    metrics: Mapping[MetricName, Metric]
    saved_queries: Mapping[str, SavedQuery]
    measure_models: Mapping[MeasureName, ModelName]

    @property
    def databases(self) -> frozenset[str]:
        """The database names that the relations carry."""
        return frozenset(model.database for model in self.models.values())

    def model_of(self, measure: MeasureName) -> SemanticModel:
        """Return the semantic model that a measure belongs to."""
        return self.models[self.measure_models[measure]]

    def leaves_of(self, metric: MetricName) -> tuple[Metric, ...]:
        """Return the simple metrics that a metric is made of, each once, in order of use."""
        found: dict[MetricName, Metric] = {}
        self._collect_leaves(self.metrics[metric], found)
        return tuple(found.values())

    def _collect_leaves(self, metric: Metric, found: dict[MetricName, Metric]) -> None:
        if not metric.inputs:
            found.setdefault(metric.name, metric)
        for used in metric.inputs:
            self._collect_leaves(self.metrics[used.name], found)
