"""The journal of daily runs: one line of JSON for each that judged a batch, never rewritten."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gnomon.core.errors import WarehouseError

FILE_NAME = "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """One daily run. `run_id` is the build's, None if none ended; `fingerprint` is of what it was made from."""

    ended_at: str
    outcome: str
    raw_set_id: str | None
    fingerprint: str
    rows_read: int
    rows_quarantined: int
    run_id: str | None
    seconds: float


def read_journal(folder: Path) -> tuple[Entry, ...]:
    """Return the entries, oldest first; WarehouseError names a line that is none."""
    path = folder / FILE_NAME
    if not path.exists():
        return ()
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise WarehouseError(f"{path}:{number}: not a line of the journal: {error}. Remove the line.") from None
    return tuple(entries)


def append_entry(folder: Path, entry: Entry) -> None:
    """Add one line."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry)) + "\n")
