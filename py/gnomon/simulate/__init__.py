"""Room 1: a synthetic ecosystem of creators, written as a raw set with its truth beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypedDict

from gnomon.core.raw_set import RawSet

__all__ = ["SAMPLE", "simulate"]

DEFAULT_START = date(2026, 3, 2)


class Arguments(TypedDict):
    """The arguments that decide every row of a world."""

    seed: int
    days: int
    creators: int
    start: date


# data/sample is made with these; a test makes it again and compares every row.
SAMPLE: Arguments = {"seed": 7, "days": 120, "creators": 300, "start": DEFAULT_START}


def simulate(out: Path, *, seed: int, days: int, creators: int, start: date = DEFAULT_START) -> RawSet:
    """Write a synthetic raw set into the new folder `out` and return its record.

    The world runs `days` days from midnight UTC of `start`. The same arguments give the same
    rows. `out`/truth holds what really is so; only evaluation may read it. QueryError if the
    world is too small, WarehouseError if `out` exists and is not empty.
    """
    # Imported here: `import gnomon` and `gnomon --help` must not pay for numpy and pyarrow.
    from gnomon.simulate.simulation import run_simulation

    return run_simulation(out, seed=seed, days=days, creators=creators, start=start)
