"""What dbt's manifest.json says of the tables that a generation holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gnomon.core.errors import WarehouseError
from gnomon.warehouse import Table

_LAYERS = ("marts", "features", "scores")


@dataclass(frozen=True)
class Node:
    """A model or a seed that is published, with the columns that its YAML names."""

    node_id: str
    table: Table
    columns: tuple[str, ...]


def read_nodes(text: str, run_id: str, origin: str) -> tuple[Node, ...]:
    """Return marts, features, scores and seeds, by name; WarehouseError if the manifest is another build's."""
    try:
        document = json.loads(text)
        if document["metadata"]["invocation_id"] != run_id:
            raise WarehouseError(
                f"{origin}: the manifest in the build record is of another run than the build. Run `dbt build`."
            )
        nodes = [_read_node(body) for body in document["nodes"].values() if _is_published(body)]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WarehouseError(
            f"{origin}: the manifest in the build record is not one of dbt 1.11. Run `dbt build`."
        ) from None
    return tuple(sorted(nodes, key=lambda node: node.table.name))


def _is_published(body: Mapping[str, object]) -> bool:
    if body["resource_type"] == "seed":
        return True
    folders = body["fqn"]
    return body["resource_type"] == "model" and isinstance(folders, list) and folders[1] in _LAYERS


def _read_node(body: Mapping[str, object]) -> Node:
    columns = body["columns"]
    assert isinstance(columns, dict)
    return Node(str(body["unique_id"]), Table(str(body["schema"]), str(body["alias"])), tuple(columns))
