"""A world of a seed: a semantic_manifest.json as dbt writes it, and a DuckDB file with its tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import duckdb
from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from dbt_semantic_interfaces.transformations.add_input_metric_measures import AddInputMetricMeasuresRule
from dbt_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

from gnomon.warehouse import Warehouse
from tests.differential.metrics import write_metrics
from tests.differential.models import Json, write_models
from tests.differential.shape import CATALOG, Shape, draw_shape
from tests.differential.tables import fill_tables

CUSTOM_GRAINS = {"retail_month": "retail_month_start", "tenday": None}


@dataclass(frozen=True)
class World:
    """Where a world lies, and what its manifest says."""

    shape: Shape
    manifest_path: Path
    database: Path
    manifest: Json

    @cached_property
    def metrics(self) -> dict[str, Json]:
        """Every metric's definition by its name."""
        return {metric["name"]: metric for metric in self.manifest["metrics"]}

    @cached_property
    def models(self) -> dict[str, Json]:
        """Every semantic model by its name."""
        return {model["name"]: model for model in self.manifest["semantic_models"]}

    @cached_property
    def measures(self) -> dict[str, Json]:
        """Every measure by its name."""
        return {measure["name"]: measure for model in self.models.values() for measure in model["measures"]}

    def save_queries(self, saved: Sequence[Json]) -> World:
        """Write saved queries into the manifest and return the world that has them."""
        text = write_as_dbt({**self.manifest, "saved_queries": list(saved)})
        self.manifest_path.write_text(text, encoding="utf-8")
        return replace(self, manifest=json.loads(text))

    def open(self) -> duckdb.DuckDBPyConnection:
        """Return a connection that only reads."""
        return duckdb.connect(str(self.database), read_only=True)


@contextmanager
def serve(database: Path) -> Iterator[Warehouse]:
    """Give the warehouse that our answers over a world's file are read from, as Gnomon opens it."""
    warehouse = Warehouse.attach(database, CATALOG)
    try:
        yield warehouse
    finally:
        warehouse.close()


def make_world(seed: int, folder: Path) -> World:
    """Write the manifest and the tables of a seed's world into a folder, and return it."""
    shape = draw_shape(seed)
    database, manifest_path = folder / f"{CATALOG}.duckdb", folder / "semantic_manifest.json"
    with duckdb.connect(str(database)) as connection:
        fill_tables(connection, shape)
    text = write_as_dbt(
        {
            "semantic_models": write_models(shape),
            "metrics": write_metrics(shape),
            "project_configuration": {
                "time_spines": [write_spine("days", "day", CUSTOM_GRAINS), write_spine("hours", "hour")]
            },
            "saved_queries": [],
        }
    )
    manifest_path.write_text(text, encoding="utf-8")
    return World(shape, manifest_path, database, json.loads(text))


def write_spine(table: str, grain: str, custom: dict[str, str | None] | None = None) -> Json:
    return {
        "node_relation": {
            "alias": table,
            "schema_name": "main",
            "database": CATALOG,
            "relation_name": f'"{CATALOG}"."main"."{table}"',
        },
        "primary_column": {"name": f"date_{grain}", "time_granularity": grain},
        "custom_granularities": [{"name": name, "column_name": column} for name, column in (custom or {}).items()],
    }


def write_as_dbt(manifest: Json) -> str:
    """Return the manifest with all that dbt fills in; dbt's own validator accepts it."""
    parsed = PydanticSemanticManifest.parse_obj(manifest)
    for metric in parsed.metrics:
        metric.type_params.input_measures.clear()
    parsed = AddInputMetricMeasuresRule.transform_model(parsed)
    for metric in parsed.metrics:
        metric.type_params.input_measures.sort(key=lambda used: str(used.json()))
    errors = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(parsed).errors
    assert not errors, "\n".join(error.message for error in errors)
    return str(parsed.json())
