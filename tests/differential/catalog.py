"""What a world's metrics can be grouped and filtered by, as MetricFlow lists it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from metricflow_semantic_interfaces.references import MetricReference
from metricflow_semantics.model.linkable_element_property import GroupByItemProperty
from metricflow_semantics.model.semantics.linkable_element import LinkableElementType
from metricflow_semantics.model.semantics.linkable_element_set_base import AnnotatedSpec, BaseGroupByItemSet

from tests.differential.worlds import CUSTOM_GRAINS, World
from tests.oracle import Oracle

SCD_MODEL, STORE_MODEL, TIME = "listing_history_model", "stores_model", "metric_time"
KINDS = {
    LinkableElementType.DIMENSION: "category",
    LinkableElementType.TIME_DIMENSION: "time",
    LinkableElementType.ENTITY: "entity",
}


@dataclass(frozen=True)
class Item:
    """One thing to group or filter by."""

    name: str
    kind: str  # category, time or entity
    element: str
    links: tuple[str, ...]
    grain: str | None
    date_part: str | None
    models: tuple[str, ...]
    is_clock: bool  # metric_time, or a time that some measure of its own model counts at
    features: frozenset[str] = field(default_factory=frozenset)

    @property
    def subject(self) -> tuple[tuple[str, ...], str]:
        """The item without its grain or part."""
        return self.links, self.element

    @property
    def object_name(self) -> str:
        """The item in the object form, as a group or in a saved query; parts of a date have no other."""
        if self.date_part:
            return f"{self.dimension_call}.date_part('{self.date_part}')"
        if self.kind == "time":
            return f"TimeDimension('{self.last_links}', '{self.grain}'{self.path})"
        return f"Entity('{self.element}'{self.path})" if self.kind == "entity" else self.dimension_call

    @property
    def dimension_call(self) -> str:
        """The item in the object form, without its grain."""
        return f"Dimension('{self.last_links}'{self.path})"

    @property
    def last_links(self) -> str:
        """The name with no more than one entity before it."""
        return "__".join((*self.links[-1:], self.element)) if self.kind != "entity" else self.element

    @property
    def path(self) -> str:
        """The entities that a filter names apart, as an argument."""
        links = self.links if self.kind == "entity" else self.links[:-1]
        return f", entity_path={list(links)}" if links else ""

    @property
    def reference(self) -> str:
        """The item inside a filter."""
        return f"{{{{ {self.object_name} }}}}"


class Catalog:
    """Items and example values of one world."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self.world = world
        self.lookup = oracle.engine._semantic_manifest_lookup.metric_lookup
        self.known: dict[tuple[str, ...], tuple[Item, ...]] = {}
        self.values: dict[tuple[str, str], tuple[Any, ...]] = {}

    def items(self, metrics: Iterable[str]) -> tuple[Item, ...]:
        """Return what all the metrics can be grouped by; without metrics, what has distinct values."""
        key = tuple(sorted(set(metrics)))
        if key not in self.known:
            found: BaseGroupByItemSet
            if key:
                found = self.lookup.get_common_group_by_items(tuple(MetricReference(name) for name in key))
            else:
                found = self.lookup.get_group_by_items_for_distinct_values_query()
            items = [self._read(spec) for spec in found.annotated_specs if spec.element_type in KINDS]
            self.known[key] = tuple(sorted(items, key=lambda item: item.name))
        return self.known[key]

    def examples(self, item: Item) -> tuple[Any, ...]:
        """Return values that the item takes somewhere, without NULL."""
        if item.element == TIME:
            shape = self.world.shape
            return tuple(shape.start + timedelta(days=day) for day in range(0, shape.days, 5))
        model = next(name for name in item.models if name in self.world.models)
        return self._sample(model, item.element)

    def _sample(self, model: str, element: str) -> tuple[Any, ...]:
        if (model, element) not in self.values:
            definition = self.world.models[model]
            parts = [*definition["dimensions"], *definition["entities"]]
            part = next(part for part in parts if part["name"] == element)
            expr, table = part["expr"] or element, definition["node_relation"]["alias"]
            # What is frequent comes first, so that filters find rows.
            sql = f"select v from (select ({expr}) as v from {table}) where v is not null group by v"
            with self.world.open() as connection:
                rows = connection.execute(f"{sql} order by count(*) desc, v limit 12").fetchall()
            self.values[model, element] = tuple(row[0] for row in rows)
        return self.values[model, element]

    def _read(self, spec: AnnotatedSpec) -> Item:
        kind = KINDS[spec.element_type]
        grain = spec.time_grain.name if spec.time_grain else None
        part = spec.date_part.value if spec.date_part else None
        return Item(
            name=str(spec.spec.dunder_name),
            kind=kind,
            element=spec.element_name,
            links=spec.entity_link_names,
            grain=None if part else grain,
            date_part=part,
            models=spec.origin_semantic_model_names,
            is_clock=spec.element_name == TIME or (_is_own(spec.property_set) and self._is_clock(spec)),
            features=frozenset(self._features(spec, kind, None if part else grain)),
        )

    def _is_clock(self, spec: AnnotatedSpec) -> bool:
        models = [self.world.models[name] for name in spec.origin_semantic_model_names if name in self.world.models]
        return any(
            spec.element_name in ((model["defaults"] or {}).get("agg_time_dimension"), measure["agg_time_dimension"])
            for model in models
            for measure in model["measures"]
        )

    def _features(self, spec: AnnotatedSpec, kind: str, grain: str | None) -> Iterable[str]:
        properties, is_metric_time = spec.property_set, spec.element_name == TIME
        yield (
            {"category": "by_category", "entity": "by_entity", "time": "by_time"}[kind] if not is_metric_time else TIME
        )
        if grain:
            yield "custom_grain" if grain in CUSTOM_GRAINS else f"grain_{grain}"
        if spec.date_part:
            yield "date_part"
        if GroupByItemProperty.MULTI_HOP in properties:
            yield "multi_hop"
        elif GroupByItemProperty.JOINED in properties:
            yield "one_hop"
        reached = {*spec.origin_semantic_model_names, *spec.derived_from_semantic_model_names}
        if SCD_MODEL in reached and GroupByItemProperty.JOINED in properties:
            yield "scd"
        if STORE_MODEL in reached and self.world.shape.has_partition and GroupByItemProperty.JOINED in properties:
            yield "partition"
        for name in spec.origin_semantic_model_names:
            definition = self.world.models.get(name)
            if definition is None:
                continue
            parts = {part["name"]: part for part in [*definition["dimensions"], *definition["entities"]]}
            expr = parts[spec.element_name]["expr"] if spec.element_name in parts else None
            if expr and not expr.isidentifier():
                yield "expression"
            is_own = spec.entity_link_names == (definition["primary_entity"],)
            if definition["primary_entity"] and is_own and kind != "entity":
                yield "virtual_entity"


def write_literal(value: Any) -> str:
    """Return a value as SQL writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime, date)):
        return f"'{value}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def write_list(values: Sequence[Any]) -> str:
    """Return values as the inside of IN."""
    return ", ".join(write_literal(value) for value in values)


def _is_own(properties: AbstractSet[GroupByItemProperty]) -> bool:
    """Whether some metric has it in its own table, though another one may have to join it."""
    own = (GroupByItemProperty.LOCAL, GroupByItemProperty.LOCAL_LINKED)
    return GroupByItemProperty.JOINED not in properties or not properties.isdisjoint(own)
