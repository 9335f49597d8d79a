"""What the working file says of itself: the last build, its definitions, its raw set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gnomon.core.errors import WarehouseError
from gnomon.warehouse import Warehouse

_LAST_RUN = """
    select run_id, raw_set_id, as_of_at, is_whole, is_passed, semantic_manifest, started_at
    from gnomon.gnomon_build.runs
    order by started_at desc
    limit 1
"""
_ABSENT = "select table_name, reason from gnomon.gnomon_build.absent_tables"
_EDGES = "select node_id, parent_id from gnomon.gnomon_build.edges"
_RAW_SOURCE = "source.gnomon.raw."


@dataclass(frozen=True)
class BuildRecord:
    """The last build of a working file.

    `absent` gives the reason for each raw table that the source does not have; `parents`
    are the edges of dbt's graph, by which a mart is traced back to raw tables.
    """

    run_id: str
    raw_set_id: str
    as_of: datetime
    is_whole: bool
    is_passed: bool
    semantic_manifest: str
    absent: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    started_at: datetime = datetime.min

    @classmethod
    def read(cls, warehouse: Warehouse) -> BuildRecord:
        """Return the record in the attached file; WarehouseError if no build has ended there."""
        try:
            rows = warehouse.query(_LAST_RUN).to_pylist()
        except WarehouseError:
            rows = []
        if not rows:
            raise WarehouseError(f"{warehouse.path}: no build has ended in this file. Run `dbt build`.")
        parents: defaultdict[str, list[str]] = defaultdict(list)
        for edge in warehouse.query(_EDGES).to_pylist():
            parents[edge["node_id"]].append(edge["parent_id"])
        last = rows[0]
        return cls(
            run_id=last["run_id"],
            raw_set_id=last["raw_set_id"],
            as_of=last["as_of_at"],
            is_whole=last["is_whole"],
            is_passed=last["is_passed"],
            semantic_manifest=last["semantic_manifest"],
            started_at=last["started_at"],
            absent={row["table_name"]: row["reason"] for row in warehouse.query(_ABSENT).to_pylist()},
            parents={node: tuple(found) for node, found in parents.items()},
        )

    def raw_tables_behind(self, model: str) -> frozenset[str] | None:
        """Return the raw tables that a dbt model is built from, however far back; None if it is unknown."""
        start = f"model.gnomon.{model}"
        if start not in self.parents:
            return None
        reached: set[str] = set()
        open_nodes = [start]
        while open_nodes:
            node = open_nodes.pop()
            if node not in reached:
                reached.add(node)
                open_nodes.extend(self.parents.get(node, ()))
        return frozenset(node.removeprefix(_RAW_SOURCE) for node in reached if node.startswith(_RAW_SOURCE))
