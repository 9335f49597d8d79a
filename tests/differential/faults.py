"""Where MetricFlow's own answer is wrong: such questions are counted and left out.

Each fault has a minimal case and the reason why our answer differs.
"""

from __future__ import annotations

import re

from tests.differential.questions import Asked

SELECTED = re.compile(r"-- Select: \[(.*?)\]", re.DOTALL)
VALIDITY = re.compile(r"'(\w+)__valid_from__day'")

# orders grouped by shopper__home and shopper__listing__tier, where the tier is valid for a time only: MetricFlow
# joins users and versions first, then both at once to orders where a version is valid. An order of a time
# without a version so loses its shopper's home, which has nothing to do with versions.
LOST_ATTRIBUTES = "the validity of a version empties the columns of the table on the way to it"


def find_fault(asked: Asked, theirs: str) -> str | None:
    """Return why MetricFlow's answer to a question is wrong, or None where it is not known to be."""
    return LOST_ATTRIBUTES if any(_loses_attributes(names) for names in SELECTED.findall(theirs)) else None


def _loses_attributes(selected: str) -> bool:
    """Whether a joined side holds versions reached from it, and more of its own than its key."""
    found = VALIDITY.search(selected)
    if not found:
        return False
    names = re.findall(r"'(\w+)'", selected)
    own = [name for name in names if not name.startswith(f"{found.group(1)}__")]
    return len(own) > 1
