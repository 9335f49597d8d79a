"""What must be true of a working file before it is copied, and of the copy before it is served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from gnomon.core.errors import DefinitionError, GnomonError, WarehouseError, join_names
from gnomon.engine import BuildRecord
from gnomon.publish.dbt_nodes import Node, read_nodes
from gnomon.semantic import Manifest, parse_manifest
from gnomon.semantic.model import SemanticModel
from gnomon.warehouse import Warehouse, count_all

_GOOD = ("success", "pass", "warn")
_SHOWN = 5
_LAST = "(select run_id from gnomon.gnomon_build.runs order by started_at desc limit 1)"
_RUN_NODES = f"select node_id, status, row_count from gnomon.gnomon_build.nodes where run_id = {_LAST}"  # noqa: S608
_PROJECT = "select node_id from gnomon.gnomon_build.project_nodes"
_MANIFEST = "select dbt_manifest from gnomon.gnomon_build.runs order by started_at desc limit 1"
_TABLE_KINDS = ("model.", "seed.", "snapshot.")


@dataclass(frozen=True)
class JudgedBuild:
    """A whole and green build: its record, definitions, and the tables to publish with their rows."""

    record: BuildRecord
    manifest: Manifest
    dbt_manifest: str
    nodes: tuple[Node, ...]
    row_counts: Mapping[str, int]


def judge_build(working: Warehouse) -> JudgedBuild:
    """Return the working file's last build if it may be published; WarehouseError says all that is wrong with it."""
    record = BuildRecord.read(working)
    statuses, recorded = {}, {}
    for row in working.query(_RUN_NODES).to_pylist():
        statuses[row["node_id"]] = row["status"]
        recorded[row["node_id"]] = row["row_count"]
    if not record.is_passed:
        failed = [f"'{node}' ({status})" for node, status in sorted(statuses.items()) if status not in _GOOD]
        raise WarehouseError(
            f"{working.path}: the last build did not pass: {_list(failed)}. Mend them and run `dbt build`."
        )
    if not record.is_whole:
        raise WarehouseError(
            f"{working.path}: the last build was of a part of the project, so tables outside it are of an earlier "
            "build. Run `dbt build` without a selection."
        )
    asked = [row["node_id"] for row in working.query(_PROJECT).to_pylist()]
    missing = sorted(node for node in asked if node.startswith(_TABLE_KINDS) and node not in statuses)
    if missing:
        raise WarehouseError(
            f"{working.path}: the build record does not have {join_names(missing[:_SHOWN], 'and')}. Run `dbt build`."
        )
    text = read_dbt_manifest(working)
    nodes = read_nodes(text, record.run_id, str(working.path))
    counts = count_all(working, [node.table for node in nodes])
    changed = [
        f"'{node.table.name}' has {counts[node.table.name]:,} rows and was built with {recorded[node.node_id]:,}"
        for node in nodes
        if recorded.get(node.node_id) not in (None, counts[node.table.name])
    ]
    if changed:
        raise WarehouseError(
            f"{working.path}: something wrote to it after the build: {_list(changed)}. Run `dbt build`."
        )
    return JudgedBuild(record, parse_manifest(record.semantic_manifest, str(working.path)), text, nodes, counts)


def check_contract(warehouse: Warehouse, manifest: Manifest, nodes: Iterable[Node]) -> None:
    """Hold a file against both manifests: each relation is there, with all that definitions read of it.

    DefinitionError lists what is not, and which definition names it.
    """
    published = list(nodes)
    columns = _list_columns(warehouse)
    problems = [
        f"'{node.table.name}' has no column '{column}', which its YAML names"
        for node in published
        for column in node.columns
        if column.lower() not in columns.get(node.table.name, ())
    ]
    names = {f'"{manifest_name}"."{node.table.schema}"."{node.table.name}"' for node in published
             for manifest_name in manifest.databases}  # fmt: skip
    for model in manifest.models.values():
        if model.relation not in names:
            problems.append(f"semantic model '{model.name}' reads {model.relation}, which is not published")
        else:
            problems += _check_model(warehouse, model)
    for spine in manifest.spines:
        if spine.relation not in names:
            problems.append(f"the time spine {spine.relation} is not published")
        else:
            problems += _check_expression(warehouse, spine.relation, spine.column, f"the time spine {spine.relation}")
    if problems:
        raise DefinitionError(
            f"{warehouse.path}: the tables are not those that definitions read: {_list(problems)}. "
            "Mend the model or the definition and run `dbt build`."
        )


def check_counts(warehouse: Warehouse, build: JudgedBuild) -> None:
    """Hold the copy's numbers of rows against the working file's; WarehouseError names what differs."""
    counts = count_all(warehouse, [node.table for node in build.nodes])
    wrong = [
        f"'{name}' has {counts[name]:,} rows of {rows:,}" for name, rows in build.row_counts.items()
        if counts[name] != rows
    ]  # fmt: skip
    if wrong:
        raise WarehouseError(f"{warehouse.path}: the copy is not whole: {_list(wrong)}. Publish again.")


def read_dbt_manifest(working: Warehouse) -> str:
    """Return the manifest of dbt's that a build was made with; WarehouseError if there is none."""
    try:
        (text,) = working.query(_MANIFEST).column("dbt_manifest").to_pylist()
    except (GnomonError, ValueError):
        text = None
    if not text:
        raise WarehouseError(f"{working.path}: the build record has no manifest of dbt's. Run `dbt build`.")
    return str(text)


def _list_columns(warehouse: Warehouse) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    query = "select table_name, lower(column_name) as column_name from duckdb_columns() where database_name = 'gnomon'"
    for row in warehouse.query(query).to_pylist():
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


def _check_model(warehouse: Warehouse, model: SemanticModel) -> Iterator[str]:
    parts = [("entity", model.entities), ("dimension", model.dimensions), ("measure", model.measures)]
    for kind, items in parts:
        for item in items.values():  # type: ignore[attr-defined]
            yield from _check_expression(
                warehouse, model.relation, item.expr, f"{kind} '{item.name}' of semantic model '{model.name}'"
            )


def _check_expression(warehouse: Warehouse, relation: str, text: str, named: str) -> Iterator[str]:
    """Have DuckDB bind what a definition reads; it says which column is not there."""
    query = exp.select(sqlglot.parse_one(text, read="duckdb")).from_(exp.to_table(relation, dialect="duckdb")).limit(0)
    try:
        warehouse.query(query.sql(dialect="duckdb"))
    except GnomonError as error:
        yield f"{named}: {str(error).split(': ', 1)[-1]}"


def _list(items: list[str]) -> str:
    more = f"; and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + more
