"""Room 1: the only room that opens a database for readers."""

from gnomon.warehouse.estimate import Estimate, read_estimate
from gnomon.warehouse.guard import DATABASE, SCHEMA, Selection, check_select
from gnomon.warehouse.selecting import count_rows, explain, select
from gnomon.warehouse.warehouse import Warehouse

__all__ = [
    "DATABASE",
    "SCHEMA",
    "Estimate",
    "Selection",
    "Warehouse",
    "check_select",
    "count_rows",
    "explain",
    "read_estimate",
    "select",
]
