"""Reads the metric definitions out of dbt's manifests, for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

Definition = Mapping[str, Any]
Metrics = dict[str, Definition]


def read_json(path: Path) -> Definition:
    document: Definition = json.loads(path.read_text(encoding="utf-8"))
    return document


def read_metrics(path: Path) -> Metrics:
    return {metric["name"]: metric for metric in read_json(path)["metrics"]}


def meta_of(metric: Definition) -> Definition:
    meta: Definition = metric["config"]["meta"]
    return meta


def inputs_of(metric: Definition) -> list[str]:
    params = metric["type_params"]
    if metric["type"] == "ratio":
        return [params["numerator"]["name"], params["denominator"]["name"]]
    return [part["name"] for part in params["metrics"] or []]


def measure_of(metric: Definition) -> str:
    return str(metric["type_params"]["measure"]["name"])


def filters_of(metric: Definition) -> list[str]:
    return [part["where_sql_template"] for part in (metric["filter"] or {"where_filters": []})["where_filters"]]


def model_named(manifest: Definition, name: str) -> Definition:
    return next(model for model in manifest["semantic_models"] if model["name"] == name)


def model_of(manifest: Definition, metric: Definition) -> Definition:
    for model in manifest["semantic_models"]:
        if any(measure["name"] == measure_of(metric) for measure in model["measures"]):
            found: Definition = model
            return found
    raise AssertionError(f"no measure {measure_of(metric)}")


def primary_entity_of(model: Definition) -> str:
    named = [entity["name"] for entity in model["entities"] if entity["type"] == "primary"]
    return named[0] if named else model["primary_entity"]


def read_models(manifest: Definition, metric: Definition) -> Iterator[Definition]:
    """The model of the measure, and those that the metric's filters reach through an entity."""
    yield model_of(manifest, metric)
    for entity in re.findall(r"Dimension\('(\w+?)__", " ".join(filters_of(metric))):
        yield from (model for model in manifest["semantic_models"] if primary_entity_of(model) == entity)


def raw_tables_behind(dbt_manifest: Definition, model: str) -> set[str]:
    waiting, seen = [f"model.gnomon.{model}"], set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += dbt_manifest["parent_map"].get(node, [])
    return {node.removeprefix("source.gnomon.raw.") for node in seen if node.startswith("source.gnomon.raw.")}


def parse(expression: str) -> exp.Expression:
    return sqlglot.parse_one(expression, dialect="duckdb")


def columns_in(expression: str) -> set[str]:
    return {column.name for column in parse(expression).find_all(exp.Column)}


def numbers_as_float(expression: str) -> str:
    """The expression in one spelling, so that 0.10 and 0.1 are the same number."""
    tree = parse(expression)
    for number in tree.find_all(exp.Literal):
        number.set("this", repr(float(number.name)))
    return tree.sql(dialect="duckdb")


def evaluate(metric: Definition, values: Mapping[str, float | None]) -> float | None:
    """The metric's own expression, run by DuckDB on one row of inputs."""
    columns = ", ".join(f"?::double as {name}" for name in values)
    query = f"select {metric['type_params']['expr']} from (select {columns})"
    with duckdb.connect() as connection:
        row = connection.execute(query, list(values.values())).fetchone()
    assert row is not None
    return None if row[0] is None else float(row[0])
