"""The form that each part of a model has in Cube's YAML.

The keys and their meaning are those of Cube's reference of the data model, for 1.7.
"""

from __future__ import annotations

from collections.abc import Iterable

from gnomon.publish.cube.model import Cube, Dimension, Measure, Policy, PreAggregation, View, Yaml
from gnomon.publish.cube.sql import write_marked_rows, write_table

_EVERY = "*"
# What a rollup is made from changes with the build only, and the build says its name.
_REFRESH = "SELECT run_id FROM gnomon_build.runs ORDER BY started_at DESC LIMIT 1"


def describe_cube(cube: Cube) -> Yaml:
    """Return a cube as Cube's YAML has it; nothing outside of its views asks it."""
    source: dict[str, Yaml] = {"sql_table": write_table(cube.relation)}
    if cube.marks_rows:
        source = {"sql": write_marked_rows(cube.relation)}
    return _drop_empty(
        {
            "name": cube.name,
            **source,
            "description": cube.description,
            "public": False,
            "joins": [
                {"name": each.cube, "relationship": "many_to_one", "sql": each.sql} for each in cube.joins.values()
            ],
            "dimensions": [_describe_dimension(each) for each in cube.dimensions.values()],
            "segments": [{"name": each.name, "sql": each.sql} for each in cube.segments.values()],
            "measures": [_describe_measure(each) for each in cube.measures.values()],
            "pre_aggregations": [_describe_rollup(each) for each in cube.pre_aggregations],
        }
    )


def describe_view(view: View) -> Yaml:
    """Return a view as Cube's YAML has it, with what each role may see of it."""
    return _drop_empty(
        {
            "name": view.name,
            "title": view.title,
            "description": view.description,
            "cubes": [
                {"join_path": path, "includes": [_include(*each) for each in names]}
                for path, names in view.members.items()
            ],
            "access_policy": [_describe_policy(each) for each in view.policies],
        }
    )


def _describe_dimension(each: Dimension) -> Yaml:
    return _drop_empty(
        {
            "name": each.name,
            "type": each.kind.value,
            "sql": each.sql,
            "description": each.description,
            # Cube hides a primary key unless told otherwise.
            **({"primary_key": True, "public": True} if each.is_key else {}),
        }
    )


def _describe_measure(each: Measure) -> Yaml:
    return _drop_empty(
        {
            "name": each.name,
            "title": each.title,
            "description": each.description,
            "type": each.kind,
            "sql": each.sql,
            "filters": [{"sql": condition} for condition in each.filters],
            "rolling_window": {"trailing": "unbounded", "offset": "end"} if each.is_running else {},
            **each.looks,
            "meta": dict(each.meta),
        }
    )


def _describe_rollup(each: PreAggregation) -> Yaml:
    return _drop_empty(
        {
            "name": each.name,
            "type": "rollup",
            "measures": _refer(each.measures),
            "dimensions": _refer(each.dimensions),
            "time_dimension": f"CUBE.{each.time}",
            "granularity": each.granularity,
            "external": False,
            "refresh_key": {"sql": _REFRESH},
        }
    )


def _describe_policy(each: Policy) -> Yaml:
    level: dict[str, Yaml] = {"includes": _EVERY}
    rows: dict[str, Yaml] = {"allow_all": True}
    if each.excluded:
        level["excludes"] = list(each.excluded)
    if each.rows:
        rows = {"filters": [{"member": name, "operator": "equals", "values": ["yes"]} for name in each.rows]}
    return {"group": each.role, "member_level": level, "row_level": rows}


def _include(name: str, shown: str) -> Yaml:
    if name == shown:
        return name
    return {"name": name, "alias": shown}


def _refer(names: Iterable[str]) -> list[Yaml]:
    return [f"CUBE.{name}" for name in names]


def _drop_empty(body: dict[str, Yaml]) -> Yaml:
    return {key: value for key, value in body.items() if value not in ("", [], {})}
