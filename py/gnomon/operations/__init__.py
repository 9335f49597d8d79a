"""Room 5, operations: the daily run from a batch to numbers, and the doctor who reads what builds recorded."""

from gnomon.operations.daily import DailyRun, Outcome, run_daily
from gnomon.operations.doctor import Diagnosis, Problem, diagnose
from gnomon.operations.examination import examine
from gnomon.operations.north_stars import NorthStar, read_north_stars

__all__ = [
    "DailyRun",
    "Diagnosis",
    "NorthStar",
    "Outcome",
    "Problem",
    "diagnose",
    "examine",
    "read_north_stars",
    "run_daily",
]
