"""Which names a semantic model can be grouped and filtered by, and where their columns stand.

An attribute is the model's own, or one entity away: the join goes from the fact to the
model in which that entity names one row at the most, so that it never fans out.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.errors import QueryError, explain_unknown, join_names, suggest_nearest
from gnomon.core.names import DimensionName, EntityName
from gnomon.planner.references import METRIC_TIME, Reference
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Dimension, DimensionKind, Entity, EntityKind, Manifest, Measure, SemanticModel


@dataclass(frozen=True)
class Attribute:
    """A column of `model`, reached over the entity `via` of the fact, or the fact's own."""

    model: SemanticModel
    expr: str
    grain: Grain | None
    via: Entity | None = None
    target: Entity | None = None
    time_dimension: DimensionName | None = None


def find_attribute(manifest: Manifest, metric: str, measure: Measure, reference: Reference) -> Attribute:
    """Return where `reference` stands for `measure`; QueryError says why it cannot be reached."""
    model = manifest.model_of(measure.name)
    attribute = _find(manifest, model, measure, reference)
    if attribute is None:
        raise _explain_unreachable(manifest, metric, model, reference)
    if reference.grain is not None:
        _check_grain(metric, reference, attribute)
    return attribute


def list_reachable(manifest: Manifest, model: SemanticModel) -> tuple[str, ...]:
    """Return all names that the measures of `model` can be grouped by, times without a grain."""
    names = [METRIC_TIME]
    for entity in model.entities.values():
        names.append(entity.name)
        for _, target in _targets(manifest, model, entity.name):
            names += [f"{entity.name}__{dimension.name}" for dimension in target.dimensions.values()]
    for link in _own_links(model):
        names += [f"{link}__{dimension.name}" for dimension in model.dimensions.values()]
    return tuple(sorted(set(names)))


def _find(manifest: Manifest, model: SemanticModel, measure: Measure, reference: Reference) -> Attribute | None:
    if not reference.links:
        if reference.element == METRIC_TIME:
            time = model.dimensions[measure.time_dimension]
            return _attribute(model, time)
        entity = model.entities.get(EntityName(reference.element))
        return Attribute(model, entity.expr, grain=None) if entity else None
    if len(reference.links) > 1:
        raise QueryError(
            f"'{reference.name}' is {len(reference.links)} joins away. Joins of one hop are there, "
            "longer ones not yet; add the attribute to a nearer table."
        )
    link = reference.links[0]
    found = [
        Attribute(element.model, element.expr, element.grain, via=model.entities[link], target=entity)
        for entity, target in _targets(manifest, model, link)
        if (element := _element_of(target, reference.element)) is not None
    ]
    own = _element_of(model, reference.element) if link in _own_links(model) else None
    found += [own] if own is not None else []
    if len(found) > 1:
        homes = join_names((attribute.model.name for attribute in found), "and")
        raise QueryError(f"'{reference.name}' is ambiguous: {homes} both have it. Rename it in one of them.")
    return found[0] if found else None


def _attribute(model: SemanticModel, dimension: Dimension) -> Attribute:
    is_time = dimension.kind is DimensionKind.TIME
    return Attribute(
        model=model,
        expr=dimension.expr,
        grain=dimension.grain if is_time else None,
        time_dimension=dimension.name if is_time else None,
    )


def _element_of(model: SemanticModel, element: str) -> Attribute | None:
    dimension = model.dimensions.get(DimensionName(element))
    if dimension is not None:
        return _attribute(model, dimension)
    entity = model.entities.get(EntityName(element))
    return Attribute(model, entity.expr, grain=None) if entity else None


def _own_links(model: SemanticModel) -> tuple[EntityName, ...]:
    """The entities that the model's own attributes are named by."""
    own = [
        entity.name
        for entity in model.entities.values()
        if entity.kind in (EntityKind.PRIMARY, EntityKind.UNIQUE, EntityKind.NATURAL)
    ]
    if model.primary_entity is not None and model.primary_entity not in own:
        own.append(model.primary_entity)
    return tuple(own)


def _targets(manifest: Manifest, model: SemanticModel, link: EntityName) -> tuple[tuple[Entity, SemanticModel], ...]:
    """The other models in which `link` names one row, with their entity, in name order.

    A model with validity periods holds several rows of an entity; joining it in time is not there yet.
    """
    if link not in model.entities:
        return ()
    return tuple(
        (target.entities[link], target)
        for target in sorted(manifest.models.values(), key=lambda other: other.name)
        if target.name != model.name and link in target.entities and target.identifies(link) and not target.has_validity
    )


def _check_grain(metric: str, reference: Reference, attribute: Attribute) -> None:
    assert reference.grain is not None
    if attribute.grain is None:
        raise QueryError(f"'{reference.name}': it is not a time, so it has no grain. Leave the grain out.")
    if reference.grain.is_finer_than(attribute.grain):
        raise QueryError(
            f"'{reference.name}' is finer than metric '{metric}' is kept: by {attribute.grain.value}. "
            f"Ask for {attribute.grain.value} or coarser."
        )


def _explain_unreachable(manifest: Manifest, metric: str, model: SemanticModel, reference: Reference) -> QueryError:
    reachable = list_reachable(manifest, model)
    link = reference.links[0] if reference.links else None
    plain = Reference(reference.links, reference.element).name
    many = [
        other.name
        for other in manifest.models.values()
        if other is not model
        and link is not None
        and link in model.entities
        and link in other.entities
        and (other.has_validity or not other.identifies(link))
        and _element_of(other, reference.element) is not None
    ]
    if many:
        return QueryError(
            f"metric '{metric}' cannot be grouped or filtered by '{plain}': '{link}' does not name one row of "
            f"{join_names(many, 'or')}, so the join would count rows more than once."
        )
    nearest = suggest_nearest(plain, reachable)
    known = {name for other in manifest.models.values() for name in list_reachable(manifest, other)}
    if plain in known:
        hint = (
            f"Did you mean {join_names(nearest, 'or')}?" if nearest else f"`gnomon metrics {metric}` lists what can be."
        )
        return QueryError(
            f"metric '{metric}' cannot be grouped or filtered by '{plain}': no join leads there from "
            f"'{model.name}'. {hint}"
        )
    return QueryError(f"metric '{metric}': {explain_unknown('dimension', plain, reachable)}")
