"""Pass 5: values from the same relation are taken from it once, and an answer is stitched of what is left."""

from __future__ import annotations

from dataclasses import replace

from gnomon.planner.algebra import Answer, Block, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft


def share_blocks(_: Compiled, draft: Draft) -> Draft:
    """Make the answer of each block once with all its values, in the order of first use."""
    blocks: dict[Block, list[Value]] = {}
    for block, value in draft.placed.values:
        blocks.setdefault(block, []).append(value)
    answer = Answer(
        groups=tuple(group.name for group in draft.expanded.groups),
        blocks=tuple((block, tuple(values)) for block, values in blocks.items()),
        formulas=draft.expanded.formulas,
        totals=draft.placed.totals,
    )
    return replace(draft, answer=answer)
