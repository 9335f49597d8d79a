"""The semantic model as immutable values: what a manifest says, nothing of how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum

from gnomon.core.errors import DefinitionError
from gnomon.core.names import DimensionName, EntityName, MeasureName, MetricName, ModelName
from gnomon.semantic.grain import CustomGrain, Grain


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
    is_partition: bool = False


@dataclass(frozen=True)
class NonAdditive:
    """A semi-additive measure's rule: keep the first or last moment of each window."""

    dimension: DimensionName
    takes_last: bool
    groupings: tuple[EntityName, ...]


@dataclass(frozen=True)
class Percentile:
    """Which part of the rows lies below a percentile, and whether it is one of their values."""

    fraction: float
    is_discrete: bool


@dataclass(frozen=True)
class Measure:
    """An aggregation over a semantic model's rows."""

    name: MeasureName
    aggregation: Aggregation
    expr: str
    time_dimension: DimensionName
    non_additive: NonAdditive | None
    percentile: Percentile | None = None
    description: str = ""


@dataclass(frozen=True)
class Validity:
    """The two time dimensions between which a row of a slowly changing dimension counts."""

    start: DimensionName
    end: DimensionName


@dataclass(frozen=True)
class Rollup:
    """A table of a semantic model's measures by periods of `grain` and by `dimensions`, as its config.meta says.

    `dimensions` are names that the model's own rows have: entities, and dimensions, times with their grain.
    """

    name: str
    relation: str
    grain: Grain
    dimensions: tuple[str, ...]
    measures: tuple[MeasureName, ...]


@dataclass(frozen=True)
class SemanticModel:
    """A table with its keys, attributes and measures; with `validity`, a row counts for a period only."""

    name: ModelName
    relation: str
    database: str
    description: str
    primary_entity: EntityName | None
    entities: Mapping[EntityName, Entity]
    dimensions: Mapping[DimensionName, Dimension]
    measures: Mapping[MeasureName, Measure]
    validity: Validity | None = None
    rollups: tuple[Rollup, ...] = ()

    def identifies(self, entity: EntityName) -> bool:
        """Tell whether `entity` names one row of this model at the most."""
        if entity == self.primary_entity:
            return True
        found = self.entities.get(entity)
        return found is not None and found.kind in (EntityKind.PRIMARY, EntityKind.UNIQUE)


@dataclass(frozen=True)
class Span:
    """So many periods of a grain."""

    count: int
    grain: Grain | CustomGrain


@dataclass(frozen=True)
class Offset:
    """Values of an earlier time: `back` by a span, or those of the start of a period, `to_start_of`.

    `by_range` they are those of the time range as long as the one asked for, right before it. `by_period` the value of
    each period goes to a later one, whether a time spine has that or not.
    """

    back: Span | None = None
    to_start_of: Grain | None = None
    by_range: bool = False
    by_period: bool = False


@dataclass(frozen=True)
class MetricInput:
    """A metric used by another one, with the filters, the alias and the offset it has there.

    One that `is_total` is taken over all groups of a time.
    """

    name: MetricName
    alias: str | None
    filters: tuple[str, ...]
    offset: Offset | None
    is_total: bool = False


@dataclass(frozen=True)
class MeasureInput:
    """A measure used by a simple metric; `fill` stands where it has no value in a row."""

    name: MeasureName
    filters: tuple[str, ...]
    fill: int | None
    joins_spine: bool


class PeriodValue(Enum):
    """Which of a cumulative metric's values stands for a period coarser than its data."""

    FIRST = "first"
    LAST = "last"
    AVERAGE = "average"


@dataclass(frozen=True)
class Accumulation:
    """What a cumulative metric adds up: a window back, the period to date, or all time if neither is said."""

    window: Span | None
    to_date: Grain | None
    period_value: PeriodValue


@dataclass(frozen=True)
class Conversion:
    """Which acts of the conversion measure count as conversions of acts of the base measure.

    Both belong to one `entity`, the conversion comes within `window` of the base (any time after it if
    None), and every pair of `constants`, base and conversion, is equal. Each conversion counts for the
    latest base act before it.
    """

    measure: MeasureInput
    entity: EntityName
    window: Span | None
    constants: tuple[tuple[str, str], ...]
    is_rate: bool


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

    def mature_until(self, as_of: datetime) -> date:
        """Return the last day that cannot change much any more, for a build whose clock is `as_of`."""
        return (as_of - timedelta(days=self.matures_after_days)).date()


@dataclass(frozen=True)
class Metric:
    """A definition; `label` is its name in words. Ratio: inputs are numerator, denominator. Derived: those of `expr`.

    Simple and cumulative: `measure` is what is added up. Conversion: `measure` is the base.
    """

    name: MetricName
    kind: MetricKind
    description: str
    filters: tuple[str, ...]
    measure: MeasureInput | None
    inputs: tuple[MetricInput, ...]
    expr: str | None
    time_grain: Grain | None
    documentation: Documentation
    accumulation: Accumulation | None = None
    conversion: Conversion | None = None
    label: str = ""

    @property
    def measures(self) -> tuple[MeasureInput, ...]:
        """The measures that the metric itself names; none for ratios and derived metrics."""
        own = () if self.measure is None else (self.measure,)
        return own if self.conversion is None else (*own, self.conversion.measure)


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
class TimeSpine:
    """A table with one row for every period of `grain`, without a gap."""

    relation: str
    column: str
    grain: Grain


@dataclass(frozen=True)
class Manifest:
    """All definitions of one semantic_manifest.json; `version` is a digest of its content.

    `spines` stand from the finest to the coarsest.
    """

    version: str
    models: Mapping[ModelName, SemanticModel]
    metrics: Mapping[MetricName, Metric]
    saved_queries: Mapping[str, SavedQuery]
    measure_models: Mapping[MeasureName, ModelName]
    spines: tuple[TimeSpine, ...] = ()
    custom_grains: Mapping[str, CustomGrain] = field(default_factory=dict)

    @property
    def databases(self) -> frozenset[str]:
        """The database names that the relations carry."""
        return frozenset(model.database for model in self.models.values())

    def within(self, schema: str) -> Manifest:
        """Return the same definitions over tables of the same names that all stand in one schema.

        DefinitionError if two tables of different schemas have one name.
        """
        places: dict[str, str] = {}

        def move(relation: str) -> str:
            name = relation.rpartition(".")[2]
            other = places.setdefault(name, relation)
            if other != relation:
                raise DefinitionError(
                    f"{relation} and {other} have one name, so they cannot stand in one schema. Rename one of them."
                )
            return f'"{schema}".{name}'

        models = {
            name: replace(
                model,
                relation=move(model.relation),
                rollups=tuple(replace(rollup, relation=move(rollup.relation)) for rollup in model.rollups),
            )
            for name, model in self.models.items()
        }
        spines = tuple(replace(spine, relation=move(spine.relation)) for spine in self.spines)
        grains = {name: replace(grain, relation=move(grain.relation)) for name, grain in self.custom_grains.items()}
        return replace(self, models=models, spines=spines, custom_grains=grains)

    def model_of(self, measure: MeasureName) -> SemanticModel:
        """Return the semantic model that a measure belongs to."""
        return self.models[self.measure_models[measure]]

    def leaves_of(self, metric: Metric) -> tuple[Metric, ...]:
        """Return the metrics over measures that a metric is made of, each once, in order of use."""
        found: dict[MetricName, Metric] = {}
        self._collect_leaves(metric, found)
        return tuple(found.values())

    def outcomes_of(self, metric: Metric) -> frozenset[str]:
        """Return the dimensions that are the outcome of a metric or of one of its inputs."""
        inputs = (self.outcomes_of(self.metrics[used.name]) for used in metric.inputs)
        return frozenset(metric.documentation.never_by).union(*inputs)

    def _collect_leaves(self, metric: Metric, found: dict[MetricName, Metric]) -> None:
        if not metric.inputs:
            found.setdefault(metric.name, metric)
        for used in metric.inputs:
            self._collect_leaves(self.metrics[used.name], found)
