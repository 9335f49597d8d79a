"""Room 1: the only room that opens a database for readers."""

from gnomon.warehouse.warehouse import Warehouse

__all__ = ["Warehouse"]
