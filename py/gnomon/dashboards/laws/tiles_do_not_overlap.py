"""No two tiles of a tab stand on the same place of its grid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from gnomon.dashboards.door import Door
from gnomon.dashboards.loading import Written
from gnomon.dashboards.model import Grid


def check_tiles_do_not_overlap(written: Written, door: Door) -> Iterator[str]:
    """Yield each two tiles that share a place."""
    for tab in written.dashboard.tabs:
        for one, other in combinations(tab.tiles, 2):
            if _meet(one.grid, other.grid):
                where = written.lines.locate((*other.place, "grid"))
                bottom = one.grid.row + one.grid.height
                yield (
                    f"{where}: tile '{other.name}' overlaps tile '{one.name}' (columns {_say_columns(one.grid)}, rows "
                    f"{one.grid.row} to {bottom - 1}). Move it: row {bottom} is below that tile."
                )


def _say_columns(grid: Grid) -> str:
    return f"{grid.column} to {grid.column + grid.width - 1}"


def _meet(one: Grid, other: Grid) -> bool:
    return (
        one.column < other.column + other.width
        and other.column < one.column + one.width
        and one.row < other.row + other.height
        and other.row < one.row + one.height
    )
