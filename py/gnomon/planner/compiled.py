"""A manifest made ready to be planned with: which names each semantic model reaches, and how.

An attribute is the model's own, or one or two entities away. A join goes only to a model in which
the entity names one row at the most (at one moment, if its rows count for a period only), so that
it never fans out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

from gnomon.core.errors import QueryError, explain_unknown, join_names, suggest_nearest
from gnomon.core.names import DimensionName, EntityName, MeasureName, ModelName
from gnomon.planner.filters import Filter, parse_filter
from gnomon.planner.references import METRIC_TIME, Reference, parse_reference
from gnomon.planner.zones import check_kept, check_zone
from gnomon.semantic.grain import AnyGrain, CustomGrain, Grain, base_of
from gnomon.semantic.model import (
    Dimension,
    DimensionKind,
    EntityKind,
    Manifest,
    Measure,
    Metric,
    SemanticModel,
    TimeSpine,
)

# As MetricFlow: a name has two links at the most.
_MOST_LINKS = 2


@dataclass(frozen=True)
class Hop:
    """One join: from `left`, SQL over the table before it, to `right`, SQL over the model's own."""

    link: EntityName
    left: str
    model: ModelName
    right: str


@dataclass(frozen=True)
class Attribute:
    """A column that a name stands for: SQL over the model at the end of `hops`, or over the fact itself."""

    model: ModelName
    expr: str
    grain: Grain | None
    hops: tuple[Hop, ...] = ()
    time_dimension: DimensionName | None = None
    is_entity: bool = False
    is_date: bool = False
    zone: str | None = None


class Compiled:
    """A manifest with its join closure; each model's is made when it is first asked for.

    `dates` are the columns, as relation and name in lower case, that are known to hold dates without a time of day.
    """

    def __init__(self, manifest: Manifest, dates: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.manifest = manifest
        self._dates = dates
        self._closures: dict[ModelName, dict[str, tuple[Attribute, ...]]] = {}
        self._filters: dict[str, Filter] = {}
        self._references: dict[str, Reference] = {}
        self.zone: str | None = None

    def in_zone(self, zone: str | None) -> Compiled:
        """Return the same manifest with every time in a zone; QueryError if there is no such zone."""
        if zone == self.zone:
            return self
        moved = copy(self)
        moved.zone = None if zone is None else check_zone(zone)
        return moved

    def reference(self, word: str) -> Reference:
        """Return the reference that `word` names; QueryError if it cannot be one."""
        found = self._references.get(word)
        if found is None:
            found = self._references[word] = parse_reference(word, self.manifest.custom_grains)
        return found

    def filter(self, text: str) -> Filter:
        """Return the filter that `text` says; QueryError names the word that it cannot say."""
        found = self._filters.get(text)
        if found is None:
            if len(self._filters) >= _MOST_FILTERS:
                self._filters.clear()
            found = self._filters[text] = parse_filter(text, self.manifest.custom_grains)
        return found

    def measure(self, name: MeasureName) -> Measure:
        """Return the measure of that name."""
        return self.manifest.model_of(name).measures[name]

    def first_measure(self, metric: Metric) -> Measure:
        """Return the measure whose time is the metric's: the first that it is made of."""
        leaf = next(each for each in self.manifest.leaves_of(metric) if each.measure)
        assert leaf.measure is not None
        return self.measure(leaf.measure.name)

    def is_time_of(self, metric: Metric, reference: Reference) -> bool:
        """Tell whether the reference is the time that the metric is counted at."""
        measure = self.first_measure(metric)
        return is_aggregation_time(measure, self.find(metric.name, measure, reference), reference)

    def find(self, metric: str, measure: Measure, reference: Reference) -> Attribute:
        """Return where `reference` stands for `measure`; QueryError says why it cannot be reached."""
        model = self.manifest.model_of(measure.name)
        if not reference.links and reference.element == METRIC_TIME:
            attribute = self._own_attribute(model, model.dimensions[measure.time_dimension])
        else:
            # A metric by an entity on a path of its own is joined by that entity of the fact.
            name = reference.plain if reference.metric is None else reference.element
            found = self.closure(model).get(name, ())
            if reference.metric is not None and not (found and found[0].is_entity):
                raise QueryError(
                    f"'{reference.name}': '{reference.element}' is not an entity of '{model.name}', "
                    "so no metric is by it."
                )
            if len(found) != 1:
                raise self._explain_unreachable(metric, model, reference, found)
            attribute = found[0]
        if reference.grain is not None or reference.part is not None:
            check_time(metric, reference, attribute)
        if self.zone is not None and attribute.grain is not None:
            check_kept(reference.name, metric, self.zone, attribute.grain)
            return replace(attribute, zone=self.zone)
        return attribute

    def closure(self, model: SemanticModel) -> Mapping[str, tuple[Attribute, ...]]:
        """Return the attributes that a model's measures can be grouped and filtered by, times without a grain."""
        found = self._closures.get(model.name)
        if found is None:
            found = self._closures[model.name] = self._close(model)
        return found

    def reachable(self, model: SemanticModel) -> tuple[str, ...]:
        """Return all names that the measures of `model` can be grouped by, times without a grain."""
        return tuple(sorted({METRIC_TIME, *self.closure(model)}))

    def is_date(self, model: SemanticModel, expr: str) -> bool:
        """Tell whether a column of the model's table is known to hold dates without a time of day."""
        return self.holds_dates(model.relation, expr)

    def holds_dates(self, relation: str, column: str) -> bool:
        """Tell whether a column of a table is known to hold dates without a time of day."""
        return (relation, column.lower()) in self._dates

    def spine_for(self, references: tuple[Reference, ...], why: str) -> TimeSpine:
        """Return the coarsest time spine that can say all the times; QueryError if there is none."""
        finest = Grain.finest(tuple(_grain_needed(reference) for reference in references))
        fitting = [spine for spine in self.manifest.spines if not finest.is_finer_than(spine.grain)]
        custom = {r.grain.relation for r in references if r.grain is not None and not isinstance(r.grain, Grain)}
        fitting = [spine for spine in fitting if spine.relation in custom] or fitting
        if not fitting:
            there = ", ".join(spine.grain.value for spine in self.manifest.spines) or "none"
            raise QueryError(
                f"{why} needs a time spine by {finest.value} or finer; the project's are: {there}. "
                "Define one: a model with `time_spine:` in its YAML."
            )
        return fitting[-1]

    def spine_of(self, grain: CustomGrain) -> TimeSpine:
        """Return the time spine that a grain of the project's own is a column of."""
        return next(spine for spine in self.manifest.spines if spine.relation == grain.relation)

    def is_entity(self, reference: Reference) -> bool:
        """Tell whether the reference is a key in some table that reaches it."""
        return any(
            found.is_entity
            for model in self.manifest.models.values()
            for found in self.closure(model).get(reference.plain, ())
        )

    @cached_property
    def known(self) -> frozenset[str]:
        """All names that some model reaches."""
        return frozenset(name for model in self.manifest.models.values() for name in self.reachable(model))

    def _close(self, model: SemanticModel) -> dict[str, tuple[Attribute, ...]]:
        found: dict[str, list[Attribute]] = {}
        for name, attribute in self._walk(model, (), ()):
            same = found.setdefault(name, [])
            if attribute not in same:
                same.append(attribute)
        return {name: tuple(same) for name, same in found.items()}

    def _walk(
        self, model: SemanticModel, links: tuple[EntityName, ...], hops: tuple[Hop, ...]
    ) -> Iterator[tuple[str, Attribute]]:
        prefix = "__".join(links)
        for entity in model.entities.values():
            attribute = Attribute(model.name, entity.expr, None, hops, is_entity=True)
            if not links:
                yield entity.name, attribute
            elif entity.name not in links:
                yield f"{prefix}__{entity.name}", attribute
        own = ((),) if links else tuple((link,) for link in _own_links(model))
        for link in own:
            path = "__".join((*links, *link))
            for dimension in model.dimensions.values():
                yield f"{path}__{dimension.name}", self._own_attribute(model, dimension, hops)
            for entity in model.entities.values():
                if link and entity.name not in link:
                    yield f"{path}__{entity.name}", Attribute(model.name, entity.expr, None, hops, is_entity=True)
        if len(links) >= _MOST_LINKS:
            return
        on_path = {model.name, *(hop.model for hop in hops)}
        for entity in model.entities.values():
            if entity.name in links:
                continue
            for target in self._targets(model, entity.name):
                if target.name in on_path:
                    continue
                hop = Hop(entity.name, entity.expr, target.name, target.entities[entity.name].expr)
                yield from self._walk(target, (*links, entity.name), (*hops, hop))

    def _own_attribute(self, model: SemanticModel, dimension: Dimension, hops: tuple[Hop, ...] = ()) -> Attribute:
        is_time = dimension.kind is DimensionKind.TIME
        return Attribute(
            model=model.name,
            expr=dimension.expr,
            grain=dimension.grain if is_time else None,
            hops=hops,
            time_dimension=dimension.name if is_time else None,
            is_date=is_time and self.is_date(model, dimension.expr),
        )

    def _targets(self, model: SemanticModel, link: EntityName) -> Iterator[SemanticModel]:
        """The other models in which `link` names one row, at one moment if their rows count for a period."""
        for target in self._homes.get(link, ()):
            if target.name == model.name or (target.validity and model.validity):
                continue
            is_natural = target.entities[link].kind is EntityKind.NATURAL
            if is_natural and (not target.validity or model.entities[link].kind is EntityKind.NATURAL):
                continue
            yield target

    @cached_property
    def _homes(self) -> dict[EntityName, tuple[SemanticModel, ...]]:
        homes: dict[EntityName, list[SemanticModel]] = {}
        for model in sorted(self.manifest.models.values(), key=lambda each: each.name):
            for entity in model.entities.values():
                if entity.kind is not EntityKind.FOREIGN:
                    homes.setdefault(entity.name, []).append(model)
        return {name: tuple(models) for name, models in homes.items()}

    def _explain_unreachable(
        self, metric: str, model: SemanticModel, reference: Reference, found: tuple[Attribute, ...]
    ) -> QueryError:
        plain = reference.plain
        if found:
            homes = join_names((attribute.model for attribute in reversed(found)), "and")
            return QueryError(f"'{reference.name}' is ambiguous: {homes} both have it. Rename it in one of them.")
        if len(reference.links) > _MOST_LINKS:
            return QueryError(
                f"'{reference.name}' is {len(reference.links)} joins away, and {_MOST_LINKS} are the most. "
                "Add the attribute to a nearer table."
            )
        many = self._find_fanning(model, reference)
        if many:
            return QueryError(
                f"metric '{metric}' cannot be grouped or filtered by '{plain}': '{reference.links[0]}' does not "
                f"name one row of {join_names(many, 'or')}, so the join would count rows more than once."
            )
        reachable = self.reachable(model)
        if plain in self.known:
            nearest = suggest_nearest(plain, reachable)
            hint = (
                f"Did you mean {join_names(nearest, 'or')}?"
                if nearest
                else f"`gnomon metrics {metric}` lists what can be."
            )
            return QueryError(
                f"metric '{metric}' cannot be grouped or filtered by '{plain}': no join leads there from "
                f"'{model.name}'. {hint}"
            )
        return QueryError(f"metric '{metric}': {explain_unknown('dimension', plain, reachable)}")

    def _find_fanning(self, model: SemanticModel, reference: Reference) -> list[str]:
        if not reference.links or reference.links[0] not in model.entities:
            return []
        link = reference.links[0]
        return [
            other.name
            for other in self.manifest.models.values()
            if other is not model
            and link in other.entities
            and other not in tuple(self._targets(model, link))
            and (DimensionName(reference.element) in other.dimensions or reference.element in other.entities)
        ]


_MOST_FILTERS = 4096


def is_aggregation_time(measure: Measure, attribute: Attribute, reference: Reference) -> bool:
    """Tell whether the reference is the time that the measure is counted at, under whichever name."""
    if reference.element == METRIC_TIME and not reference.links:
        return True
    return not attribute.hops and attribute.time_dimension == measure.time_dimension


def _own_links(model: SemanticModel) -> tuple[EntityName, ...]:
    """The entities that the model's own attributes are named by."""
    own = [entity.name for entity in model.entities.values() if entity.kind is not EntityKind.FOREIGN]
    if model.primary_entity is not None and model.primary_entity not in own:
        own.append(model.primary_entity)
    return tuple(own)


def _grain_needed(reference: Reference) -> Grain:
    if reference.part is not None or reference.grain is None:
        return Grain.DAY
    return base_of(reference.grain)


def check_time(metric: str, reference: Reference, attribute: Attribute) -> None:
    """Refuse a grain or a part that the attribute does not have."""
    asked: AnyGrain | None = reference.grain
    if attribute.grain is None:
        raise QueryError(f"'{reference.name}': it is not a time, so it has no grain. Leave the grain out.")
    if asked is not None and base_of(asked).is_finer_than(attribute.grain):
        raise QueryError(
            f"'{reference.name}' is finer than metric '{metric}' is kept: by {attribute.grain.value}. "
            f"Ask for {attribute.grain.value} or coarser."
        )
    if reference.part is not None and reference.part.coarsest_grain.is_finer_than(attribute.grain):
        raise QueryError(
            f"'{reference.name}': metric '{metric}' is kept by {attribute.grain.value}, which has no "
            f"{reference.part.value}."
        )
