"""Small semantic manifests for tests, in the form that dbt writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DATABASE = "small"


def semantic_model(
    name: str,
    *,
    entities: Mapping[str, tuple[str, str]],
    dimensions: Mapping[str, str | None] | None = None,
    measures: Sequence[Json] = (),
    time: str | None = None,
    primary_entity: str | None = None,
) -> Json:
    """`entities` name → (kind, column); `dimensions` name → grain, or None for a category."""
    return {
        "name": name,
        "description": None,
        "defaults": {"agg_time_dimension": time} if time else None,
        "node_relation": {
            "alias": name,
            "schema_name": "main",
            "database": DATABASE,
            "relation_name": f'"{DATABASE}"."main"."{name}"',
        },
        "primary_entity": primary_entity,
        "entities": [{"name": key, "type": kind, "expr": column} for key, (kind, column) in entities.items()],
        "dimensions": [
            {"name": key, "type": "categorical"}
            if grain is None
            else {"name": key, "type": "time", "type_params": {"time_granularity": grain}}
            for key, grain in (dimensions or {}).items()
        ],
        "measures": list(measures),
    }


def measure(name: str, agg: str, expr: str | None = None, **more: Any) -> Json:
    return {"name": name, "agg": agg, "expr": expr or name, **more}


def simple(name: str, of: str | None = None, *, where: str | None = None, **meta: Any) -> Json:
    return _metric(name, "simple", {"measure": {"name": of or name}}, where, meta)


def ratio(name: str, numerator: str, denominator: str, **meta: Any) -> Json:
    return _metric(name, "ratio", {"numerator": {"name": numerator}, "denominator": {"name": denominator}}, None, meta)


def derived(name: str, expr: str, inputs: Sequence[str | Json], **meta: Any) -> Json:
    metrics = [{"name": used} if isinstance(used, str) else used for used in inputs]
    return _metric(name, "derived", {"expr": expr, "metrics": metrics}, None, meta)


def cumulative(name: str, of: str, **params: Any) -> Json:
    return _metric(name, "cumulative", {"measure": {"name": of}, "cumulative_type_params": params}, None, {})


def conversion(name: str, base: str, converted: str, entity: str, **params: Any) -> Json:
    own = {"base_measure": {"name": base}, "conversion_measure": {"name": converted}, "entity": entity, **params}
    return _metric(name, "conversion", {"conversion_type_params": own}, None, {})


def where_filter(*templates: str) -> Json:
    return {"where_filters": [{"where_sql_template": template} for template in templates]}


def write_manifest(
    path: Path,
    models: Sequence[Json],
    metrics: Sequence[Json],
    saved: Sequence[Json] = (),
    spines: Sequence[str] = ("day",),
) -> Path:
    """Write the manifest; the spine of each grain is a table such as `days`, with a column such as `date_day`."""
    path.write_text(
        json.dumps(
            {
                "semantic_models": list(models),
                "metrics": list(metrics),
                "project_configuration": {
                    "time_spine_table_configurations": [],
                    "time_spines": [
                        {
                            "node_relation": {
                                "alias": f"{grain}s",
                                "schema_name": "main",
                                "database": DATABASE,
                                "relation_name": f'"{DATABASE}"."main"."{grain}s"',
                            },
                            "primary_column": {"name": f"date_{grain}", "time_granularity": grain},
                            "custom_granularities": [],
                        }
                        for grain in spines
                    ],
                },
                "saved_queries": list(saved),
            }
        ),
        encoding="utf-8",
    )
    return path


def _metric(name: str, kind: str, params: Json, where: str | None, meta: Json) -> Json:
    return {
        "name": name,
        "label": name,
        "type": kind,
        "type_params": params,
        "filter": where_filter(where) if where else None,
        "config": {"meta": meta},
    }
