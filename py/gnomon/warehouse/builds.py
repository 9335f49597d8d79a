"""The history of builds that a working file keeps: what each node took, made and whether it passed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from sqlglot import exp

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.warehouse.guard import DATABASE
from gnomon.warehouse.warehouse import Warehouse

_RUNS = "select run_id, started_at, raw_set_id, as_of_at, is_whole, is_passed from {0}.runs order by started_at"
_NODES = "select run_id, node_id, status, seconds, row_count, peak_memory_bytes from {0}.nodes"
_PROJECT = "select node_id, budget_rows, budget_per from {0}.project_nodes"
_EDGES = "select node_id, parent_id from {0}.edges"
_SCHEMA = f"{DATABASE}.gnomon_build"


@dataclass(frozen=True)
class NodeRun:
    """One node in one build. What was not measured is None; memory is the whole process's while the node ran."""

    node_id: str
    status: str
    seconds: float | None
    row_count: int | None
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Build:
    """One run of dbt. `started_at` and `as_of` are UTC; `is_whole` tells whether every node was asked for."""

    run_id: str
    started_at: datetime
    raw_set_id: str
    as_of: datetime
    is_whole: bool
    is_passed: bool
    nodes: Mapping[str, NodeRun]


@dataclass(frozen=True)
class RowBudget:
    """The most rows that a model may have for each row of some raw tables, counted together."""

    rows: float
    per: tuple[str, ...]


@dataclass(frozen=True)
class BuildHistory:
    """All builds, oldest first; the nodes of the project, with their budget of rows if any; the edges of its graph."""

    builds: tuple[Build, ...]
    project: Mapping[str, RowBudget | None]
    parents: Mapping[str, tuple[str, ...]]

    @property
    def last(self) -> Build:
        """Return the newest build."""
        return self.builds[-1]


def read_history(path: Path) -> BuildHistory:
    """Return the builds recorded in the working file; WarehouseError if none has ended in it, or none like these."""
    warehouse = Warehouse.attach(path, DATABASE)
    try:
        runs, nodes, project, edges = (
            warehouse.query(query.format(_SCHEMA)).to_pylist() for query in (_RUNS, _NODES, _PROJECT, _EDGES)
        )
    except GnomonError:
        raise WarehouseError(f"{path}: has no record of builds that can be read. Run `dbt build`.") from None
    finally:
        warehouse.close()
    if not runs:
        raise WarehouseError(f"{path}: no build has ended in this file. Run `dbt build`.")
    by_run: defaultdict[str, dict[str, NodeRun]] = defaultdict(dict)
    for node in nodes:
        run_id = node.pop("run_id")
        by_run[run_id][node["node_id"]] = NodeRun(**node)
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        parents[edge["node_id"]].append(edge["parent_id"])
    return BuildHistory(
        builds=tuple(Build(as_of=run.pop("as_of_at"), nodes=by_run[run["run_id"]], **run) for run in runs),
        project={node["node_id"]: _read_budget(node["budget_rows"], node["budget_per"]) for node in project},
        parents={name: tuple(found) for name, found in parents.items()},
    )


def _read_budget(rows: float | None, per: str | None) -> RowBudget | None:
    return None if rows is None or per is None else RowBudget(rows, tuple(per.split(",")))


def settle(path: Path) -> None:
    """Write what a program that ended badly left in the log beside `path`; WarehouseError if one is writing now."""
    with _open(path) as connection:
        connection.execute("checkpoint")


def write_memory(path: Path, run_id: str, peaks: Mapping[str, int]) -> None:
    """Add the peak memory of each node, in bytes, to the record of a build."""
    with _open(path) as connection:
        for node_id, peak in peaks.items():
            connection.execute(
                "update gnomon_build.nodes set peak_memory_bytes = ? where run_id = ? and node_id = ?",
                [peak, run_id, node_id],
            )


def carry_history(old: Path, new: Path) -> None:
    """Copy the builds recorded in `old` into the file `new`, but for those that it has."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(_write_attach(old, "old"))
        connection.execute(_write_attach(new, "new"))
        for table in ("nodes", "runs"):
            connection.execute(
                f"insert into new.gnomon_build.{table} by name from old.gnomon_build.{table}"  # noqa: S608
                " where run_id not in (select run_id from new.gnomon_build.runs)"
            )


def _write_attach(path: Path, name: str) -> str:
    return exp.Attach(this=exp.alias_(exp.Literal.string(str(path)), name, quoted=True)).sql(dialect="duckdb")


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path))
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise WarehouseError(f"{path}: another program is writing to it. Ask again when it has ended.") from None
        raise WarehouseError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None
