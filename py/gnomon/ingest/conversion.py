"""What an adapter hands back, and the identity of the raw set that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gnomon.core.errors import WarehouseError


@dataclass(frozen=True)
class Tally:
    """Where the rows of one source table went. `reasons` splits the quarantined ones."""

    read: int
    kept: int
    dropped: int
    quarantined: int
    reasons: Mapping[str, int]

    def verify(self, name: str) -> None:
        """Raise WarehouseError unless every row read is kept, dropped or quarantined."""
        accounted = self.kept + self.dropped + self.quarantined
        if self.read != accounted or self.quarantined != sum(self.reasons.values()):
            raise WarehouseError(
                f"{name}: {self.read:,} rows were read but {accounted:,} are accounted for "
                f"({self.kept:,} kept, {self.dropped:,} dropped, {self.quarantined:,} in quarantine). "
                "Nothing was written; this is a fault of the adapter, please report it."
            )


@dataclass(frozen=True)
class Conversion:
    """A finished conversion: the raw set's identity, its rows by table, and the two balances."""

    raw_set_id: str
    source: str
    folder: Path
    newest_ingested_at: datetime
    exposures: Tally
    videos: Tally
    row_counts: Mapping[str, int]


def name_raw_set(adapter: str, version: int, files: Iterable[Path], key_fingerprint: str) -> str:
    """Return ADAPTER-HASH: the same for the same adapter version, file contents and key."""
    digest = hashlib.sha256(f"{adapter} {version} {key_fingerprint}".encode())
    for path in sorted(files, key=lambda file: file.name):
        digest.update(f"\n{path.name} ".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"{adapter}-{digest.hexdigest()[:12]}"
