"""Reading semantic_manifest.json, as dbt writes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from gnomon.core.errors import DefinitionError, WarehouseError
from gnomon.core.names import DimensionName, EntityName, MeasureName, MetricName, ModelName
from gnomon.semantic.grain import Grain
from gnomon.semantic.laws import LAWS
from gnomon.semantic.model import (
    Aggregation,
    Dimension,
    DimensionKind,
    Documentation,
    Entity,
    EntityKind,
    Manifest,
    Measure,
    MeasureInput,
    Metric,
    MetricInput,
    MetricKind,
    NonAdditive,
    SavedQuery,
    SemanticModel,
)

Json = Mapping[str, Any]
N = TypeVar("N", bound=str)
T = TypeVar("T")


def read_manifest(path: Path) -> Manifest:
    """Return the manifest at `path`; WarehouseError if it is not there, DefinitionError if wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WarehouseError(
            f"{path}: no semantic manifest ({error.strerror}). `dbt parse` writes it from metrics/."
        ) from None
    return parse_manifest(text, origin=str(path))


def parse_manifest(text: str, origin: str) -> Manifest:
    """Return the manifest that `text` holds, every law checked; `origin` names it in errors."""
    try:
        document = json.loads(text)
        manifest = _build(document, version=digest_manifest(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DefinitionError(
            f"{origin}: not a semantic manifest of dbt ({type(error).__name__}: {error}). `dbt parse` writes one."
        ) from None
    faults = [fault for law in LAWS for fault in law(manifest)]
    if faults:
        raise DefinitionError("\n".join(f"{origin}: {fault}" for fault in faults))
    return manifest


def digest_manifest(text: str) -> str:
    """Return the version of the definitions in `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _build(document: Json, version: str) -> Manifest:
    models = _by_name(
        "semantic model", ((model.name, model) for model in map(_read_model, document["semantic_models"]))
    )
    metrics = _by_name("metric", ((metric.name, metric) for metric in map(_read_metric, document["metrics"])))
    return Manifest(
        version=version,
        models=models,
        metrics=metrics,
        saved_queries={body["name"]: _read_saved_query(body) for body in document.get("saved_queries") or ()},
        measure_models={measure: model.name for model in models.values() for measure in model.measures},
    )


def _read_model(body: Json) -> SemanticModel:
    default_time = (body.get("defaults") or {}).get("agg_time_dimension")
    entities = [
        Entity(EntityName(item["name"]), EntityKind(item["type"]), item.get("expr") or item["name"])
        for item in body.get("entities") or ()
    ]
    primary = next((entity.name for entity in entities if entity.kind is EntityKind.PRIMARY), None)
    dimensions = [_read_dimension(item) for item in body.get("dimensions") or ()]
    measures = [_read_measure(item, default_time) for item in body.get("measures") or ()]
    relation = body["node_relation"]
    place = f"semantic model '{body['name']}'"
    return SemanticModel(
        name=ModelName(body["name"]),
        relation=relation["relation_name"],
        database=relation.get("database") or "",
        description=body.get("description") or "",
        primary_entity=primary or (EntityName(body["primary_entity"]) if body.get("primary_entity") else None),
        entities=_by_name(f"{place}: entity", ((entity.name, entity) for entity in entities)),
        dimensions=_by_name(f"{place}: dimension", ((dimension.name, dimension) for dimension in dimensions)),
        measures=_by_name(f"{place}: measure", ((measure.name, measure) for measure in measures)),
        has_validity=any(
            (item.get("type_params") or {}).get("validity_params") for item in body.get("dimensions") or ()
        ),
    )


def _by_name(kind: str, items: Iterable[tuple[N, T]]) -> dict[N, T]:
    """Return the items by name; a name that stands twice would hide one of them."""
    found: dict[N, T] = {}
    for name, item in items:
        if name in found:
            raise DefinitionError(f"{kind} '{name}' is defined twice. Rename or delete one.")
        found[name] = item
    return found


def _read_grain(word: str | None, place: str) -> Grain | None:
    if word is None:
        return None
    try:
        return Grain(word)
    except ValueError:
        raise DefinitionError(
            f"{place}: the grain '{word}' is not a standard one; custom grains are not there yet."
        ) from None


def _read_dimension(item: Json) -> Dimension:
    params = item.get("type_params") or {}
    return Dimension(
        name=DimensionName(item["name"]),
        kind=DimensionKind(item["type"]),
        expr=item.get("expr") or item["name"],
        description=item.get("description") or "",
        grain=_read_grain(params.get("time_granularity"), f"dimension '{item['name']}'"),
    )


def _read_measure(item: Json, default_time: str | None) -> Measure:
    rule = item.get("non_additive_dimension")
    return Measure(
        name=MeasureName(item["name"]),
        aggregation=Aggregation(item["agg"]),
        expr=item.get("expr") or item["name"],
        time_dimension=DimensionName(item.get("agg_time_dimension") or default_time or ""),
        non_additive=NonAdditive(
            dimension=DimensionName(rule["name"]),
            takes_last=rule["window_choice"] == "max",
            groupings=tuple(EntityName(name) for name in rule.get("window_groupings") or ()),
        )
        if rule
        else None,
    )


def _read_metric(body: Json) -> Metric:
    params = body["type_params"]
    kind = MetricKind(body["type"])
    inputs: list[Json] = []
    if kind is MetricKind.RATIO:
        inputs = [params["numerator"], params["denominator"]]
    elif kind is MetricKind.DERIVED:
        inputs = list(params["metrics"])
    measure = params.get("measure")
    return Metric(
        name=MetricName(body["name"]),
        kind=kind,
        description=body.get("description") or "",
        filters=_read_filters(body.get("filter")),
        measure=MeasureInput(
            name=MeasureName(measure["name"]),
            filters=_read_filters(measure.get("filter")),
            fill=measure.get("fill_nulls_with"),
            joins_spine=bool(measure.get("join_to_timespine")),
        )
        if measure
        else None,
        inputs=tuple(_read_metric_input(item) for item in inputs),
        expr=params.get("expr"),
        time_grain=_read_grain(body.get("time_granularity"), f"metric '{body['name']}'"),
        documentation=_read_documentation((body.get("config") or {}).get("meta") or {}),
    )


def _read_metric_input(item: Json) -> MetricInput:
    return MetricInput(
        name=MetricName(item["name"]),
        alias=item.get("alias"),
        filters=_read_filters(item.get("filter")),
        offset="offset_window"
        if item.get("offset_window")
        else "offset_to_grain"
        if item.get("offset_to_grain")
        else None,
    )


def _read_filters(body: Json | None) -> tuple[str, ...]:
    return tuple(item["where_sql_template"] for item in (body or {}).get("where_filters") or ())


def _read_documentation(meta: Json) -> Documentation:
    interval = meta.get("interval") or {}
    target = meta.get("target")
    return Documentation(
        owner=meta.get("owner"),
        unit=meta.get("unit") or "number",
        direction=meta.get("direction"),
        target=None if target is None else float(target),
        certification=meta.get("certification"),
        matures_after_days=int(meta.get("matures_after_days") or 0),
        units=MetricName(meta["units"]) if meta.get("units") else None,
        minimum_units=int(meta.get("minimum_units") or 0),
        replicate_group=interval.get("replicate_group"),
        replicates=int(interval.get("replicates") or 0),
        always_with=tuple(MetricName(name) for name in meta.get("always_with") or ()),
        never_by=tuple(meta.get("never_by") or ()),
        needs=tuple(meta["needs"]) if "needs" in meta else None,
        missing_inputs=tuple(
            f"{item['sub_score']}: {item['metric']} ({item['reason']})" for item in meta.get("missing_inputs") or ()
        ),
    )


def _read_saved_query(body: Json) -> SavedQuery:
    params = body["query_params"]
    return SavedQuery(
        name=body["name"],
        metrics=tuple(params.get("metrics") or ()),
        group_by=tuple(params.get("group_by") or ()),
        where=_read_filters(params.get("where")),
        order_by=tuple(params.get("order_by") or ()),
        limit=params.get("limit"),
    )
