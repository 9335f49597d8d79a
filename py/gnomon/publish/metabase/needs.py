"""What a thing cannot be without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gnomon.publish.metabase.identity import Ref


def list_needs(ref: Ref, thing: Any, database: str) -> Iterator[Ref]:
    """Give what must be there before a thing can be made or changed; `database` is the key of the connection."""
    if ref.kind in ("table", "card"):
        yield Ref("database", database)
    if ref.kind == "collection" and thing.parent:
        yield Ref("collection", thing.parent)
    if ref.kind in ("card", "dashboard"):
        yield Ref("collection", thing.collection)
    if ref.kind == "dashboard":
        for tile in thing.dashcards:
            if tile.card:
                yield Ref("card", tile.card)
            if tile.click:
                yield Ref("card", tile.click.card)
    if ref.kind == "alert":
        yield Ref("card", thing.card)
    if ref.kind == "subscription":
        yield Ref("dashboard", thing.dashboard)
    if ref.kind == "group":
        yield from (Ref("collection", key) for key in thing.reads)
