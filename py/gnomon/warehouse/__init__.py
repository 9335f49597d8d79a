"""Room 1: the only room that opens a database for readers, and that makes the files that they read."""

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
from gnomon.warehouse.generation_file import (
    VALUE_BYTES,
    MadeRollup,
    Receipt,
    Table,
    WorkingFile,
    count_all,
    make_rollups,
    read_receipt,
)
from gnomon.warehouse.generations import (
    LEASE,
    Generations,
    Lease,
    Service,
    name_generation,
    read_number,
    read_run,
    sync,
    write_durably,
)
from gnomon.warehouse.guard import DATABASE, SCHEMA, Selection, check_select
from gnomon.warehouse.interruption import Interruption
from gnomon.warehouse.selecting import count_rows, explain, select
from gnomon.warehouse.warehouse import Warehouse
from gnomon.warehouse.withdrawn_rollups import read_withdrawn, write_withdrawn

__all__ = [
    "DATABASE",
    "LEASE",
    "SCHEMA",
    "VALUE_BYTES",
    "Build",
    "BuildHistory",
    "Estimate",
    "Generations",
    "Interruption",
    "Lease",
    "MadeRollup",
    "NodeRun",
    "Receipt",
    "RowBudget",
    "Selection",
    "Service",
    "Table",
    "Warehouse",
    "WorkingFile",
    "carry_history",
    "check_select",
    "count_all",
    "count_rows",
    "explain",
    "make_rollups",
    "name_generation",
    "read_estimate",
    "read_history",
    "read_number",
    "read_receipt",
    "read_run",
    "read_withdrawn",
    "select",
    "settle",
    "sync",
    "write_durably",
    "write_memory",
    "write_withdrawn",
]
