"""Which tab and which tile of a dashboard is which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.publish.metabase.documents import write_document
from gnomon.publish.metabase.wanted import Dashboard


def pair_tabs(
    answers: Sequence[Mapping[str, Any]], known: Mapping[int, str], wanted: Dashboard | None
) -> dict[int, str]:
    """Return our key of each tab's id: as remembered, else by its name; #ID where it is not ours."""
    paired = {each["id"]: known[each["id"]] for each in answers if each["id"] in known}
    left = {tab.name: tab.key for tab in (wanted.tabs if wanted else ()) if tab.key not in paired.values()}
    for each in answers:
        if each["id"] not in paired:
            paired[each["id"]] = left.pop(each["name"], f"#{each['id']}")
    return paired


def pair_dashcards(
    tiles: Mapping[int, Mapping[str, Any]], known: Mapping[int, str], wanted: Dashboard | None
) -> dict[int, str]:
    """Return our key of each tile's id: as remembered, else by all it says, else by its place; else #ID."""
    paired = {tile_id: known[tile_id] for tile_id in tiles if tile_id in known}
    documents = {tile.key: write_document(tile) for tile in (wanted.dashcards if wanted else ())}
    left = {key: each for key, each in documents.items() if key not in paired.values()}
    for tell in (dict, _tell_place):
        for tile_id, tile in tiles.items():
            if tile_id in paired:
                continue
            key = next((key for key, each in left.items() if tell(each) == tell(tile)), None)
            if key is not None:
                paired[tile_id] = key
                del left[key]
    return {tile_id: paired.get(tile_id, f"#{tile_id}") for tile_id in tiles}


def _tell_place(tile: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tile.get(name) for name in ("tab", "row", "column")}
