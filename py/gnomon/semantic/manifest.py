"""Reading semantic_manifest.json, as dbt writes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from gnomon.core.errors import DefinitionError, WarehouseError, explain_unknown
from gnomon.core.names import DimensionName, EntityName, MeasureName, MetricName, ModelName
from gnomon.semantic.grain import AnyGrain, CustomGrain, Grain
from gnomon.semantic.laws import LAWS
from gnomon.semantic.model import (
    Accumulation,
    Aggregation,
    Conversion,
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
    Offset,
    Percentile,
    PeriodValue,
    Rollup,
    SavedQuery,
    SemanticModel,
    Span,
    TimeSpine,
    Validity,
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
    bodies = [_with_measures(body, document["metrics"]) for body in document["semantic_models"]]
    models = _by_name("semantic model", ((model.name, model) for model in map(_read_model, bodies)))
    spines, grains = _read_spines(document.get("project_configuration") or {})
    metrics = (_read_metric(body, grains) for body in document["metrics"])
    return Manifest(
        version=version,
        models=models,
        metrics=_by_name("metric", ((metric.name, metric) for metric in metrics)),
        saved_queries={body["name"]: _read_saved_query(body) for body in document.get("saved_queries") or ()},
        measure_models={measure: model.name for model in models.values() for measure in model.measures},
        spines=spines,
        custom_grains=grains,
    )


def _with_measures(body: Json, metrics: Iterable[Json]) -> Json:
    """Add the measures that dbt's newest form writes into the metrics themselves, under the metric's name."""
    added = []
    for metric in metrics:
        params = metric["type_params"]
        own = params.get("metric_aggregation_params")
        if own and not params.get("measure") and own["semantic_model"] == body["name"]:
            added.append({**own, "name": metric["name"], "expr": own.get("expr") or params.get("expr")})
    return {**body, "measures": [*(body.get("measures") or ()), *added]} if added else body


def _read_spines(body: Json) -> tuple[tuple[TimeSpine, ...], dict[str, CustomGrain]]:
    spines: dict[Grain, TimeSpine] = {}
    grains: dict[str, CustomGrain] = {}
    for item in body.get("time_spines") or ():
        relation, primary = item["node_relation"]["relation_name"], item["primary_column"]
        spine = TimeSpine(relation, primary["name"], Grain(primary["time_granularity"]))
        spines[spine.grain] = spine
        for custom in item.get("custom_granularities") or ():
            column = custom.get("column_name") or custom["name"]
            grains[custom["name"]] = CustomGrain(custom["name"], spine.grain, column, relation, spine.column)
    for item in body.get("time_spine_table_configurations") or ():
        grain = Grain(item["grain"])
        spines.setdefault(grain, TimeSpine(item["location"], item["column_name"], grain))
    order = list(Grain)
    return tuple(sorted(spines.values(), key=lambda spine: order.index(spine.grain))), grains


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
    stated = _read_meta(body).get("rollups") or ()
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
        validity=_read_validity(body),
        rollups=tuple(_read_rollup(item, body, [measure.name for measure in measures]) for item in stated),
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
        return Grain(word.lower())
    except ValueError:
        raise DefinitionError(
            f"{place}: the grain '{word}' is not a standard one: {', '.join(grain.value for grain in Grain)}."
        ) from None


def _read_meta(body: Json) -> Json:
    meta: Json = (body.get("config") or {}).get("meta") or {}
    return meta


def _read_rollup(item: Json, body: Json, measures: list[MeasureName]) -> Rollup:
    place = f"semantic model '{body['name']}', config.meta.rollups"
    name = str(item.get("name") or "")
    grain = _read_grain(item.get("grain"), place)
    if not name or grain is None:
        raise DefinitionError(f"{place}: a rollup says its `name` and its `grain`.")
    asked = [MeasureName(measure) for measure in item.get("measures") or measures]
    unknown = [measure for measure in asked if measure not in measures]
    if unknown:
        raise DefinitionError(f"{place}, '{name}': {explain_unknown('measure', unknown[0], measures)}")
    schema = str(body["node_relation"]["relation_name"]).rpartition(".")[0]
    return Rollup(
        name=name,
        relation=f'{schema}."rollup_{name}"' if schema else f'"rollup_{name}"',
        grain=grain,
        dimensions=tuple(str(dimension) for dimension in item.get("dimensions") or ()),
        measures=tuple(asked),
    )


def _read_validity(body: Json) -> Validity | None:
    found: dict[str, DimensionName] = {}
    for item in body.get("dimensions") or ():
        params = (item.get("type_params") or {}).get("validity_params") or {}
        found.update({edge: DimensionName(item["name"]) for edge in ("is_start", "is_end") if params.get(edge)})
    if not found:
        return None
    if len(found) < 2:
        raise DefinitionError(f"semantic model '{body['name']}': its validity needs a start and an end dimension.")
    return Validity(start=found["is_start"], end=found["is_end"])


def _read_dimension(item: Json) -> Dimension:
    params = item.get("type_params") or {}
    return Dimension(
        name=DimensionName(item["name"]),
        kind=DimensionKind(item["type"]),
        expr=item.get("expr") or item["name"],
        description=item.get("description") or "",
        grain=_read_grain(params.get("time_granularity"), f"dimension '{item['name']}'"),
        is_partition=bool(item.get("is_partition")),
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
        percentile=_read_percentile(item),
        description=item.get("description") or "",
    )


def _read_percentile(item: Json) -> Percentile | None:
    params = item.get("agg_params") or {}
    if item["agg"] == Aggregation.MEDIAN.value:
        return Percentile(fraction=0.5, is_discrete=False)
    if params.get("use_approximate_percentile"):
        raise DefinitionError(f"measure '{item['name']}': approximate percentiles are never exact; leave it out.")
    if params.get("percentile") is None:
        return None
    return Percentile(float(params["percentile"]), bool(params.get("use_discrete_percentile")))


def _read_metric(body: Json, grains: Mapping[str, CustomGrain]) -> Metric:
    params = body["type_params"]
    kind = MetricKind(body["type"])
    place = f"metric '{body['name']}'"
    inputs: list[Json] = []
    if kind is MetricKind.RATIO:
        inputs = [params["numerator"], params["denominator"]]
    elif kind is MetricKind.DERIVED:
        inputs = list(params["metrics"])
    conversion = params.get("conversion_type_params") or {}
    measure = conversion.get("base_measure") or conversion.get("base_metric") or params.get("measure")
    if measure is None and kind is MetricKind.CUMULATIVE:
        measure = (params.get("cumulative_type_params") or {}).get("metric")
    if measure is None and params.get("metric_aggregation_params"):
        measure = {**params, "name": body["name"], "filter": None}
    return Metric(
        name=MetricName(body["name"]),
        kind=kind,
        description=body.get("description") or "",
        filters=_read_filters(body.get("filter")),
        measure=_read_measure_input(measure) if measure else None,
        inputs=tuple(_read_metric_input(item, grains, place) for item in inputs),
        expr=params.get("expr"),
        time_grain=_read_grain(body.get("time_granularity"), place),
        documentation=_read_documentation(_read_meta(body)),
        accumulation=_read_accumulation(params, grains, place) if kind is MetricKind.CUMULATIVE else None,
        conversion=_read_conversion(conversion, grains, place) if kind is MetricKind.CONVERSION else None,
        label=body.get("label") or "",
    )


def _read_measure_input(body: Json) -> MeasureInput:
    return MeasureInput(
        name=MeasureName(body["name"]),
        filters=_read_filters(body.get("filter")),
        fill=body.get("fill_nulls_with"),
        joins_spine=bool(body.get("join_to_timespine")),
    )


def _read_metric_input(item: Json, grains: Mapping[str, CustomGrain], place: str) -> MetricInput:
    place = f"{place}, input '{item['name']}'"
    back = _read_span(item.get("offset_window"), grains, place)
    start = _read_grain(item.get("offset_to_grain"), place)
    return MetricInput(
        name=MetricName(item["name"]),
        alias=item.get("alias"),
        filters=_read_filters(item.get("filter")),
        offset=None if back is None and start is None else Offset(back=back, to_start_of=start),
    )


def _read_span(body: Json | None, grains: Mapping[str, CustomGrain], place: str) -> Span | None:
    if not body:
        return None
    word = str(body["granularity"])
    grain: AnyGrain | None = grains.get(word) or _read_grain(word.removesuffix("s"), place)
    assert grain is not None
    return Span(count=int(body["count"]), grain=grain)


def _read_accumulation(params: Json, grains: Mapping[str, CustomGrain], place: str) -> Accumulation:
    own = params.get("cumulative_type_params") or {}
    return Accumulation(
        window=_read_span(own.get("window") or params.get("window"), grains, place),
        to_date=_read_grain(own.get("grain_to_date") or params.get("grain_to_date"), place),
        period_value=PeriodValue(own.get("period_agg") or "first"),
    )


def _read_conversion(params: Json, grains: Mapping[str, CustomGrain], place: str) -> Conversion:
    return Conversion(
        measure=_read_measure_input(params.get("conversion_measure") or params["conversion_metric"]),
        entity=EntityName(params["entity"]),
        window=_read_span(params.get("window"), grains, place),
        constants=tuple(
            (item["base_property"], item["conversion_property"]) for item in params.get("constant_properties") or ()
        ),
        is_rate=(params.get("calculation") or "conversion_rate") == "conversion_rate",
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
