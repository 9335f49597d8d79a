"""Room 2: a question and a manifest become SQL. A row of pure passes; no I/O."""

from gnomon.planner.algebra import IS_OTHER, IS_ROW, IS_SUPPRESSED
from gnomon.planner.compiled import Compiled
from gnomon.planner.conditions import Condition
from gnomon.planner.copy import Copy
from gnomon.planner.dialects import DIALECTS, DUCKDB
from gnomon.planner.draft import Cell
from gnomon.planner.plan import Hiding, Plan, plan
from gnomon.planner.planner import Planner
from gnomon.planner.propose_rollups import Logged, Proposal, Recommendation, Unserved, propose_rollups
from gnomon.planner.question import Question
from gnomon.planner.write_sql import REPLICATES_PREFIX, UNITS_PREFIX, VARIANCE_PREFIX

__all__ = [
    "DIALECTS",
    "DUCKDB",
    "IS_OTHER",
    "IS_ROW",
    "IS_SUPPRESSED",
    "REPLICATES_PREFIX",
    "UNITS_PREFIX",
    "VARIANCE_PREFIX",
    "Cell",
    "Compiled",
    "Condition",
    "Copy",
    "Hiding",
    "Logged",
    "Plan",
    "Planner",
    "Proposal",
    "Question",
    "Recommendation",
    "Unserved",
    "plan",
    "propose_rollups",
]
