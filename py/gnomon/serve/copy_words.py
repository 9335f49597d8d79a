"""Words of `gnomon publish --to`, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnomon.publish import Effect
from gnomon.serve.publish_words import align_rows, show_size

if TYPE_CHECKING:
    from gnomon.publish import Rollback
    from gnomon.publish.serving_copy import CopyPublication, ShownCopy


def tell_copy(done: CopyPublication, shown: str) -> str:
    """Return what a publish into Postgres did, in a few sentences; `shown` is the address as it may be told."""
    name = done.generation_id
    match done.effect:
        case Effect.DRY if not done.tables:
            lines = [f"{shown} has a copy of {name}; none would be loaded."]
        case Effect.DRY:
            lines = [f"would copy {name} to {shown}: {_count(done)}, {done.links} foreign keys."]
        case Effect.PUBLISHED:
            lines = [
                f"in service at {shown}: {name}: {_count(done)}, {done.links} foreign keys, {show_size(done.size)}. "
                f"{done.questions} answers, and the count, the least and the greatest value of each column, equal the "
                f"generation's. It took {done.seconds:,.0f} s."
            ]
        case Effect.RESTORED:
            lines = [f"in service again at {shown}: {name}."]
        case _:
            lines = [f"nothing is new: {name} is in service at {shown}."]
    lines += [f"no foreign key: {why}." for why in done.left_out]
    lines += [f"the copy does not answer saved query '{query}': {why}" for query, why in done.refused.items()]
    lines += [f"view {view} still reads the copy before. Make it anew, or drop it." for view in done.bound]
    if done.removed:
        lines.append(f"removed: {', '.join(done.removed)}.")
    lines += [f"kept for now: {copy}: {why}. The next publish tries again." for copy, why in done.held.items()]
    return "\n".join(lines)


def tell_rollback(back: Rollback, is_dry: bool) -> str:
    """Return what a rollback of the copy did."""
    verb = "would serve" if is_dry else "in service:"
    return f"{verb} {back.serving}; {back.withdrawn} is withdrawn. `gnomon publish --to ADDRESS` serves it again."


def render_list(shown: Sequence[ShownCopy]) -> str:
    """Return the copies as a table, the one in service first."""
    if not shown:
        return "no copy is there. `gnomon publish --to ADDRESS` makes the first one."
    head = ("generation", "state", "as of", "copied", "size")
    rows = [
        (each.generation_id, each.state, f"{each.as_of:%Y-%m-%d %H:%M}", f"{each.copied_at:%Y-%m-%d %H:%M}",
         show_size(each.size))
        for each in shown
    ]  # fmt: skip
    return align_rows([head, *rows])


def _count(done: CopyPublication) -> str:
    return f"{len(done.tables)} tables of {sum(done.tables.values()):,} rows, {len(done.views)} views"
