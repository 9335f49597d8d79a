"""Pass 4: values from the same relation are taken from it once, and an answer is stitched of what is left."""

from __future__ import annotations

from gnomon.planner.algebra import Answer, Block, Value
from gnomon.planner.draft import Expanded, Placed


def share_blocks(expanded: Expanded, placed: Placed) -> Answer:
    """Return the answer of each block once with all its values, in the order of first use."""
    blocks: dict[Block, list[Value]] = {}
    for block, value in placed.values:
        blocks.setdefault(block, []).append(value)
    return Answer(
        groups=tuple(group.name for group in expanded.groups),
        blocks=tuple((block, tuple(values)) for block, values in blocks.items()),
        formulas=expanded.formulas,
        totals=placed.totals,
    )
