"""The generation that a copy is made of, or planned for: held, so that it stays while it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gnomon.access import read_policies
from gnomon.core.errors import WarehouseError
from gnomon.engine import Engine
from gnomon.engine.served import Served
from gnomon.planner import Compiled
from gnomon.publish.contract import read_dbt_manifest
from gnomon.publish.dbt_nodes import read_nodes
from gnomon.publish.serving_copy.contents import Contents, read_contents
from gnomon.publish.views import build_views
from gnomon.semantic import parse_manifest
from gnomon.warehouse import Warehouse, read_receipt

_COLUMNS = """
    select table_name, column_name, data_type from duckdb_columns()
    where database_name = 'gnomon' and not internal order by table_name, column_index
"""


@dataclass(frozen=True)
class Source:
    """An open generation, the engine over it, the rows of its rollups, and what a copy of it holds."""

    served: Served
    engine: Engine
    rollups: Mapping[str, int]
    contents: Contents

    @classmethod
    @contextmanager
    def open(cls, project_dir: Path, generation: str | None = None) -> Iterator[Source]:
        """Hold the generation in service, or another one that is kept, for the block; WarehouseError if there is none.

        DefinitionError says what of it cannot be in a copy.
        """
        served = Served.open(project_dir, generation=generation)
        try:
            if served.lease is None:
                raise WarehouseError(
                    f"{served.warehouse.path}: nothing is published, and only a generation is copied. Run `gnomon "
                    "publish` first."
                )
            origin = str(served.warehouse.path)
            manifest = parse_manifest(served.record.semantic_manifest, origin)
            rollups = served.count_rollups(manifest)
            nodes = read_nodes(read_dbt_manifest(served.warehouse), served.record.run_id, origin)
            contents = read_contents(manifest, nodes, rollups, _read_columns(served.warehouse))
            compiled = Compiled(manifest, served.warehouse.date_columns())
            held = [table.name for table in contents.tables]
            contents = replace(contents, views=build_views(compiled, served.warehouse, served.record, rollups, held))
            engine = Engine(manifest, served.warehouse, served, policies=read_policies(project_dir))
            yield cls(served, engine, rollups, contents)
        finally:
            served.close()

    @property
    def published_at(self) -> datetime:
        """When it was published, UTC."""
        receipt = read_receipt(self.served.warehouse)
        assert receipt is not None
        return receipt.published_at

    @property
    def generation_id(self) -> str:
        """The generation."""
        return self.served.data_version


def _read_columns(warehouse: Warehouse) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in warehouse.query(_COLUMNS).to_pylist():
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    return found
