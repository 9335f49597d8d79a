"""The disk that a generation needs, asked for before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from gnomon.core.errors import WarehouseError
from gnomon.publish.dbt_nodes import Node
from gnomon.semantic.model import Rollup, SemanticModel
from gnomon.warehouse import VALUE_BYTES, WorkingFile

# Rows that come in another order can be compressed less.
_MARGIN = 1.1
# Both manifests, the record and the log of what is written.
_FIXED_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Need:
    """Bytes that a generation needs, at the most."""

    tables: int
    rollups: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.tables + self.rollups + _FIXED_BYTES


def estimate_need(
    working: WorkingFile, nodes: Iterable[Node], rollups: Iterable[tuple[SemanticModel, Rollup, exp.Select]]
) -> Need:
    """Return what a generation of these tables and rollups needs: blocks of the tables, estimated rows of rollups."""
    rolled = 0
    for _, rollup, select in rollups:
        # The keys come first: the period and the dimensions.
        rows = working.count_groups(select, 1 + len(rollup.dimensions))
        rolled += rows * len(select.expressions) * VALUE_BYTES
    tables = sum(working.measure(node.table) for node in nodes)
    return Need(int(tables * _MARGIN), rolled)


def read_free_space(folder: Path) -> int:
    """Return the bytes that are free where a folder stands."""
    return shutil.disk_usage(folder).free


def check_space(folder: Path, need: Need, free_space: Callable[[Path], int]) -> None:
    """WarehouseError if the folder's disk has not the room, with both figures."""
    free = free_space(folder)
    if free < need.total:
        raise WarehouseError(
            f"{folder}: a generation needs up to {_show(need.total)} here ({_show(need.tables)} of tables, "
            f"{_show(need.rollups)} of rollups) and {_show(free)} are free. Free the rest, publish with a smaller "
            "--keep, or name a folder on another disk with GNOMON_GENERATIONS. Nothing was written."
        )


def _show(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
