"""Words of `gnomon publish`, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING

from gnomon.publish import Effect

if TYPE_CHECKING:
    from gnomon.publish import Publication, Rollback, Shown
    from gnomon.publish.serving_copy import CopyPublication, ShownCopy


def tell_publication(done: Publication) -> str:
    """Return what a publish did, in a few sentences."""
    name, build = done.generation_id, done.run_id
    match done.effect:
        case Effect.DRY if name is not None:
            lines = [f"build {build} is published as {name}; nothing would be made."]
        case Effect.DRY:
            assert done.need is not None
            lines = [
                f"would publish build {build}: {done.tables} tables of {done.rows:,} rows, "
                f"{len(done.rollups)} rollups, up to {show_size(done.need.total)} of disk."
            ]
        case Effect.PUBLISHED:
            lines = [
                f"in service: {name}, of build {build}: {done.tables} tables of {done.rows:,} rows, "
                f"{len(done.rollups)} rollups of {sum(done.rollups.values()):,} rows, {show_size(done.size)}. "
                f"{done.questions} answers from rollups equal those from the tables. It took {done.seconds:,.0f} s."
            ]
        case Effect.NOTHING_NEW:
            lines = [f"nothing is new: build {build} is in service as {name}."]
        case Effect.RESTORED:
            lines = [f"in service again: {name}, of build {build}."]
        case Effect.WITHDRAWN:
            lines = [
                f"nothing was published: build {build} is {name}, which a rollback took out of service. "
                "`gnomon publish` serves it again."
            ]
    if done.removed:
        lines.append(f"removed: {', '.join(done.removed)}.")
    if done.held:
        lines.append(f"kept for now, as a reader holds it: {', '.join(done.held)}. The next publish removes it.")
    return "\n".join(lines)


def tell_rollback(back: Rollback, is_dry: bool) -> str:
    """Return what a rollback did."""
    lines = [f"{skipped} cannot be read and was passed over." for skipped in back.skipped]
    verb = "would serve" if is_dry else "in service:"
    lines.append(f"{verb} {back.serving}; {back.withdrawn} is withdrawn. `gnomon publish` serves it again.")
    return "\n".join(lines)


def render_list(shown: Sequence[Shown]) -> str:
    """Return the generations as a table, the newest first."""
    if not shown:
        return "nothing is published. `gnomon publish` makes the first generation."
    head = ("generation", "state", "as of", "published", "size", "rollups", "read")
    table = align_rows([head, *(_list_cells(each) for each in shown)])
    return "\n".join([table, *(f"{each.generation_id}: {each.fault}" for each in shown if each.fault)])


def align_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines with their columns one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def describe(document: Publication | CopyPublication | Rollback | Sequence[Shown] | Sequence[ShownCopy]) -> str:
    """Return the same as JSON."""
    body = [asdict(each) for each in document] if isinstance(document, Sequence) else asdict(document)
    return json.dumps(body, indent=2, default=write_value)


def _list_cells(each: Shown) -> tuple[str, ...]:
    moments = [f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in (each.as_of, each.published_at)]
    held = "yes" if each.is_held else "no"
    return each.generation_id, each.state, *moments, show_size(each.size), str(each.rollups), held


def show_size(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def write_value(value: object) -> object:
    """Return what JSON has no form of as a text."""
    return value.value if isinstance(value, Enum) else str(value)
