"""Rollups of generations that were found to answer otherwise than their tables: a file of JSON lines.

It stands beside the generations and not in them: a generation never changes, and only publishing writes there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from gnomon.core.errors import WarehouseError


def read_withdrawn(path: Path, generation_id: str) -> frozenset[str]:
    """Return the rollups of a generation that may not be read; WarehouseError if the file says it in another form."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise WarehouseError(f"{path}: says which rollups are wrong, and cannot be read: {error.strerror}.") from None
    withdrawn = set()
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            generation, rollup = entry["generation"], str(entry["rollup"])
        except (ValueError, KeyError, TypeError):
            raise WarehouseError(
                f"{path}:{number}: names no rollup of a generation. Only `gnomon serve` writes it. Remove the line."
            ) from None
        if generation == generation_id:
            withdrawn.add(rollup)
    return frozenset(withdrawn)


def write_withdrawn(path: Path, generation_id: str, rollups: Sequence[str], found_at: datetime) -> None:
    """Add rollups of a generation to the file, in one write; `found_at` is UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = (
        {"generation": generation_id, "rollup": rollup, "found_at": found_at.isoformat(sep=" ")} for rollup in rollups
    )
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(entry) + "\n" for entry in entries))
