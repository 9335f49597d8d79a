"""Room 1, ingest: the door. Holds raw sets against the contract and makes them from real logs."""

from gnomon.ingest.adapters import check_conversion, convert, find_adapter
from gnomon.ingest.check import check
from gnomon.ingest.conversion import Conversion, Tally
from gnomon.ingest.report import CheckReport, Finding
from gnomon.ingest.validate import DEFAULT_HISTORY, validate
from gnomon.ingest.verdict import Decision, Verdict

__all__ = [
    "DEFAULT_HISTORY", "CheckReport", "Conversion", "Decision", "Finding", "Tally", "Verdict", "check",
    "check_conversion", "convert", "find_adapter", "validate",
]  # fmt: skip
