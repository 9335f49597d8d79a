"""Room 2: a question and a manifest become SQL. A row of pure passes; no I/O."""

from gnomon.planner.plan import Plan, plan
from gnomon.planner.question import Question
from gnomon.planner.reach import list_reachable
from gnomon.planner.write_sql import REPLICATES_PREFIX, UNITS_PREFIX, VARIANCE_PREFIX

__all__ = ["REPLICATES_PREFIX", "UNITS_PREFIX", "VARIANCE_PREFIX", "Plan", "Question", "list_reachable", "plan"]
