"""Room 1, ingest: the door. Holds raw sets against the contract and makes them from real logs."""

from gnomon.ingest.adapters import check_conversion, convert, find_adapter
from gnomon.ingest.check import check
from gnomon.ingest.conversion import Conversion, Tally
from gnomon.ingest.report import CheckReport, Finding

__all__ = ["CheckReport", "Conversion", "Finding", "Tally", "check", "check_conversion", "convert", "find_adapter"]
