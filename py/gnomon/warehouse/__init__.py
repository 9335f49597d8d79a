"""Room 1: the only room that opens a database for readers."""

from gnomon.warehouse.builds import (
    Build,
    BuildHistory,
    NodeRun,
    RowBudget,
    carry_history,
    read_history,
    settle,
    write_memory,
)
from gnomon.warehouse.estimate import Estimate, read_estimate
from gnomon.warehouse.guard import DATABASE, SCHEMA, Selection, check_select
from gnomon.warehouse.selecting import count_rows, explain, select
from gnomon.warehouse.warehouse import Warehouse

__all__ = [
    "DATABASE",
    "SCHEMA",
    "Build",
    "BuildHistory",
    "Estimate",
    "NodeRun",
    "RowBudget",
    "Selection",
    "Warehouse",
    "carry_history",
    "check_select",
    "count_rows",
    "explain",
    "read_estimate",
    "read_history",
    "select",
    "settle",
    "write_memory",
]
