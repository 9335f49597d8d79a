"""Room 2: a question and a manifest become SQL. A row of pure passes; no I/O."""

from gnomon.planner.plan import Plan, plan
from gnomon.planner.question import Question

__all__ = ["Plan", "Question", "plan"]
