"""What is served, as a complete data model for Cube: each metric that Cube can answer exactly, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gnomon.access import Policy
from gnomon.core.names import MetricName, ModelName
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.judgement import explain_absent, find_absent_tables
from gnomon.planner import Compiled
from gnomon.publish.cube.columns import describe_columns
from gnomon.publish.cube.model import Cube, Measure, View, Yaml
from gnomon.publish.cube.planned import plan_for_cube
from gnomon.publish.cube.roles import share_views
from gnomon.publish.cube.rollups import add_rollups
from gnomon.publish.cube.root import Kinds, Root
from gnomon.publish.cube.sql import escape
from gnomon.publish.cube.views import Shown, build_views
from gnomon.publish.planned import Inexpressible, Planned
from gnomon.semantic import Manifest
from gnomon.semantic.model import Metric, MetricKind, SemanticModel
from gnomon.warehouse import Warehouse

# The domain of a metric whose file nobody knows.
_NO_DOMAIN = "metrics"
_OUTCOME = "is its own outcome, so every value would be all or none"
_PASSING = "counts for a period, and Cube takes it as it was at each row instead of at the end of the period"
_OWN_TIME = "is the time that it adds up over, which is asked as metric_time"
_LOOKS: Mapping[str, Mapping[str, Yaml]] = {
    "rate": {"format": "percent"},
    "usd": {"format": "currency", "currency": "USD"},
}


@dataclass(frozen=True)
class LeftOut:
    """What is not exported, by name, each with the reason."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    intervals: tuple[str, ...] = ()
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    rollups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """A data model: cubes by the semantic model that they are of, views, and what is left out.

    `not_by` are the attributes by which a metric of a view is refused, with the reason; one of `running` is refused
    without a period, since it is of all rows so far.
    """

    definition_version: str
    cubes: Mapping[ModelName, tuple[Cube, ...]]
    views: tuple[View, ...]
    metrics: Mapping[str, tuple[str, ...]]
    not_by: Mapping[str, Mapping[str, str]]
    running: tuple[str, ...]
    left_out: LeftOut


def export_model(
    manifest: Manifest,
    warehouse: Warehouse,
    record: BuildRecord,
    policies: Mapping[str, Policy],
    domains: Mapping[MetricName, str],
) -> Export:
    """Return the data model over a build; DefinitionError if access.yml names what is not there."""
    compiled = Compiled(manifest, warehouse.date_columns())
    roots, left_out = _place_metrics(compiled, describe_columns(warehouse, manifest), record)
    known = {metric: domains.get(metric, _NO_DOMAIN) for metric in manifest.metrics}
    shown = [
        each
        for root, metrics in roots.values()
        for each in build_views(root, metrics, known, _name_rows(manifest, root.model))
    ]
    views, refused = share_views(compiled, shown, policies)
    rollups = {name: reason for root, _ in roots.values() for name, reason in add_rollups(compiled, root).items()}
    rollups |= {
        rollup.name: "no metric over its table is exported"
        for model in manifest.models.values() if model.name not in roots for rollup in model.rollups
    }  # fmt: skip
    asked = [planned.metric for _, metrics in roots.values() for planned in metrics]
    return Export(
        definition_version=manifest.version,
        cubes={name: tuple(root.cubes.values()) for name, (root, _) in roots.items()},
        views=tuple(sorted(views, key=lambda view: (view.domain, view.name))),
        metrics={each.view.name: tuple(planned.metric.name for planned in each.metrics) for each in shown},
        not_by=dict(_refuse_attributes(manifest, shown)),
        running=tuple(
            f"{each.view.name}.{planned.metric.name}"
            for each in shown
            for planned in each.metrics
            if planned.is_running
        ),
        left_out=LeftOut(
            metrics=dict(sorted(left_out.items())),
            intervals=tuple(sorted(metric.name for metric in asked if metric.documentation.replicates)),
            attributes={name: root.left_out for name, (root, _) in roots.items() if root.left_out},
            roles=refused,
            rollups=dict(sorted(rollups.items())),
        ),
    )


def _place_metrics(
    compiled: Compiled, kinds: Kinds, record: BuildRecord
) -> tuple[dict[ModelName, tuple[Root, list[Planned]]], dict[str, str]]:
    """Return the tables with the metrics over each, and why each other metric is left out."""
    manifest = compiled.manifest
    roots: dict[ModelName, tuple[Root, list[Planned]]] = {}
    left_out: dict[str, str] = {}
    # What is made of others is called by their names, so they come first.
    for metric in sorted(manifest.metrics.values(), key=lambda each: (each.kind is not MetricKind.SIMPLE, each.name)):
        try:
            absent = find_absent_tables(manifest, record, metric)
            if absent:
                raise Inexpressible(explain_absent(record, absent))
            planned = plan_for_cube(compiled, metric)
            model = planned.model
            root, metrics = roots.setdefault(model.name, (Root(compiled, model, kinds), []))
            root.add_metric(planned, _describe(metric, manifest.version))
            metrics.append(planned)
        except Inexpressible as reason:
            left_out[metric.name] = str(reason)
    return {name: roots[name] for name in sorted(roots) if roots[name][1]}, left_out


def read_domains(dbt_manifest: str) -> dict[MetricName, str]:
    """Return the domain of each metric by dbt's manifest.json: the folder under metrics/, or else the file, of it."""
    found: dict[MetricName, str] = {}
    for body in json.loads(dbt_manifest).get("metrics", {}).values():
        path = PurePosixPath(body["original_file_path"])
        folder = path.parts[1] if len(path.parts) > 2 else path.stem
        found[MetricName(body["name"])] = re.sub(r"\W", "_", folder)
    return found


def _name_rows(manifest: Manifest, model: SemanticModel) -> str:
    """Return what the rows of a table are called: its entity, unless another table with measures has the same one."""
    same = [each for each in manifest.models.values() if each.measures and each.primary_entity == model.primary_entity]
    return str(model.primary_entity) if model.primary_entity and len(same) == 1 else str(model.name)


def _describe(metric: Metric, version: str) -> Measure:
    """Return what a metric's measure says to people; the rest is filled in where it is added."""
    told = metric.documentation
    meta: dict[str, Yaml | None] = {
        "definition_version": version,
        "owner": told.owner,
        "unit": told.unit,
        "direction": told.direction,
        "target": told.target,
        "certification": told.certification,
        "matures_after_days": told.matures_after_days or None,
        "units": told.units,
        "minimum_units": told.minimum_units or None,
        "always_with": list(told.always_with) or None,
        "never_by": list(told.never_by) or None,
    }
    return Measure(
        name=str(metric.name),
        kind="",
        sql="",
        title=escape(metric.label),
        description=escape(metric.description.strip()),
        looks=_LOOKS.get(told.unit, {}),
        meta={
            key: escape(value) if isinstance(value, str) else value for key, value in meta.items() if value is not None
        },
    )


def _refuse_attributes(manifest: Manifest, shown: Sequence[Shown]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the metrics of views that are not asked by some attributes, with the reason of each."""
    for each in shown:
        for planned in each.metrics:
            reasons = dict.fromkeys(sorted(_find_outcomes(manifest, planned.metric)), _OUTCOME)
            if planned.is_running:
                reasons |= dict.fromkeys(each.root.list_passing(), _PASSING)
                reasons |= dict.fromkeys(each.root.list_times(planned.time), _OWN_TIME)
            if reasons:
                yield f"{each.view.name}.{planned.metric.name}", reasons


def _find_outcomes(manifest: Manifest, metric: Metric) -> set[str]:
    inputs = (_find_outcomes(manifest, manifest.metrics[used.name]) for used in metric.inputs)
    return set(metric.documentation.never_by).union(*inputs)
