"""Where MetricFlow's own answer is wrong: such questions are counted and left out where ours differs.

Each fault has a minimal case and the reason why our answer differs. More of its faults are kept out of what is
asked: features.py (IMPOSSIBLE), conditions.py and questions.py say where and why.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

VALID_FROM = "__valid_from__day"

# orders grouped by shopper__home and shopper__listing__tier, where the tier is valid for a time only: MetricFlow
# joins users and versions first, then both at once to orders where a version is valid. An order of a time
# without a version so loses its shopper's home, which has nothing to do with versions.
LOST_ATTRIBUTES = "the validity of a version empties the columns of the table on the way to it"
# visits by channel, where an order follows two visits of one moment: the visit it is counted for is drawn by lot.
NOT_ONE_ANSWER = "one query, two answers"


def find_fault(theirs: str) -> str | None:
    """Return why MetricFlow's answer is wrong, or None where its SQL shows no fault."""
    if VALID_FROM not in theirs:
        return None
    joins = sqlglot.parse_one(theirs, read="duckdb").find_all(exp.Join)
    return LOST_ATTRIBUTES if any(_loses_attributes(join) for join in joins) else None


def _loses_attributes(join: exp.Join) -> bool:
    """Whether a side joined by the validity of what it reaches gives more than what it reaches."""
    condition, side, select = join.args.get("on"), join.this.alias_or_name, join.parent
    if condition is None or select is None:
        return False
    bounds = [column for column in _columns_of(condition, side) if column.name.endswith(VALID_FROM)]
    if not bounds:
        return False
    reached = bounds[0].name.removesuffix(VALID_FROM)
    tested = {id(column) for column in _columns_of(condition, side)}
    given = [column for column in _columns_of(select, side) if id(column) not in tested]
    return any(not column.name.startswith(f"{reached}__") for column in given)


def _columns_of(part: exp.Expr, side: str) -> list[exp.Column]:
    return [column for column in part.find_all(exp.Column) if column.table == side]
