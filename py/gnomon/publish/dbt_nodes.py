"""What dbt's manifest.json says of the tables that a generation holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import WarehouseError
from gnomon.warehouse import Table

_LAYERS = ("marts", "features", "scores")
_REF = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Reference:
    """A promise that a data test holds: each value of `column` is one of `parent_column` of the table `parent`."""

    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True)
class Node:
    """A model or a seed that is published, with the columns that its YAML names and what it says of them.

    `unique_key` and `references` are promises that data tests held when it was built; `serving_copy` is the word of
    its config.meta, if it has one.
    """

    node_id: str
    table: Table
    columns: Mapping[str, str]
    layer: str = ""
    path: str = ""
    description: str = ""
    unique_key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    serving_copy: object = None


def read_nodes(text: str, run_id: str, origin: str) -> tuple[Node, ...]:
    """Return marts, features, scores and seeds, by name; WarehouseError if the manifest is another build's."""
    try:
        document = json.loads(text)
        if document["metadata"]["invocation_id"] != run_id:
            raise WarehouseError(
                f"{origin}: the manifest in the build record is of another run than the build. Run `dbt build`."
            )
        rules = dict(_list_rules(document["nodes"]))
        nodes = [_read_node(body, rules) for body in document["nodes"].values() if _is_published(body)]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WarehouseError(
            f"{origin}: the manifest in the build record is not one of dbt 1.11. Run `dbt build`."
        ) from None
    return tuple(sorted(nodes, key=lambda node: node.table.name))


def _is_published(body: Mapping[str, Any]) -> bool:
    if body["resource_type"] == "seed":
        return True
    return body["resource_type"] == "model" and body["fqn"][1] in _LAYERS


def _list_rules(bodies: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rules of each model that its data test holds (macros/data_tests.sql)."""
    for body in bodies.values():
        if body["resource_type"] == "test" and (body.get("test_metadata") or {}).get("name") == "rules":
            yield body["attached_node"], body["test_metadata"]["kwargs"]


def _read_node(body: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> Node:
    of_node = rules.get(body["unique_id"], {})
    references = [
        Reference(column, match[1], other["field"])
        for column, other in of_node.get("relationships", {}).items()
        if (match := _REF.fullmatch(other["to"])) is not None
    ]
    return Node(
        node_id=body["unique_id"],
        table=Table(body["schema"], body["alias"]),
        columns={name: column.get("description") or "" for name, column in body["columns"].items()},
        layer=body["fqn"][1] if body["resource_type"] == "model" else "seeds",
        path=(body.get("patch_path") or "").rpartition("://")[2] or body.get("original_file_path", ""),
        description=body.get("description") or "",
        unique_key=tuple(of_node.get("unique_key", ())),
        references=tuple(references),
        serving_copy=(body.get("config") or {}).get("meta", {}).get("serving_copy"),
    )
