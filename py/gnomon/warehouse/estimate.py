"""What a query would cost, read from DuckDB's plan before it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """The cost of a query in rows.

    `scans` has a pair (table, its rows) for each time that a table is read: an upper bound,
    since a filter may skip blocks. `widest_step_rows` is the largest number of rows that
    the plan expects between two steps: a guess.
    """

    scans: tuple[tuple[str, int], ...]
    widest_step_rows: int

    @property
    def scan_rows(self) -> int:
        """Rows read from all tables, a table read twice counted twice."""
        return sum(rows for _, rows in self.scans)


def read_estimate(plan: str, row_counts: Mapping[str, int]) -> Estimate:
    """Return the cost of a plan as EXPLAIN (FORMAT JSON) writes it.

    `row_counts` are the rows of the tables of the file. A table that is not in it keeps
    the plan's own guess.
    """
    steps = [step for root in json.loads(plan) for step in _walk(root)]
    return Estimate(
        scans=tuple(
            (table, row_counts.get(table, _expect_rows(step)))
            for step in steps
            if (table := _scanned_table(step)) is not None
        ),
        widest_step_rows=max(map(_expect_rows, steps), default=0),
    )


def _walk(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for child in step["children"]:
        yield from _walk(child)


def _scanned_table(step: dict[str, Any]) -> str | None:
    name = step["extra_info"].get("Table")
    return None if name is None else str(name).rsplit(".", 1)[-1]


def _expect_rows(step: dict[str, Any]) -> int:
    """Return the rows that a step hands on; DuckDB leaves some steps without a guess."""
    told = step["extra_info"].get("Estimated Cardinality")
    if told is not None:
        return int(told)
    below = [_expect_rows(child) for child in step["children"]]
    return prod(below) if step["name"] == "CROSS_PRODUCT" else max(below, default=0)
