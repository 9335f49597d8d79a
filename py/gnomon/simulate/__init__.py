"""Room 1: a synthetic ecosystem of creators, written as a raw set with its truth beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypedDict

from gnomon.core.errors import QueryError
from gnomon.core.raw_set import RawSet, check_vacant

__all__ = ["SAMPLE", "check_arguments", "simulate"]

DEFAULT_START = date(2026, 3, 2)
LEAST_DAYS = 7
LEAST_CREATORS = 10


class Arguments(TypedDict):
    """The arguments that decide every row of a world."""

    seed: int
    days: int
    creators: int
    start: date


# data/sample is made with these; a test makes it again and compares every row.
SAMPLE: Arguments = {"seed": 7, "days": 120, "creators": 300, "start": DEFAULT_START}


def check_arguments(out: Path, *, seed: int, days: int, creators: int) -> None:
    """Raise QueryError if there is no such world, WarehouseError if `out` is taken."""
    if seed < 0:
        raise QueryError(f"seed {seed}: a seed is 0 or more.")
    if days < LEAST_DAYS:
        raise QueryError(f"days {days}: a world has at least {LEAST_DAYS} days, for it has a weekly season.")
    if creators < LEAST_CREATORS:
        raise QueryError(f"creators {creators}: a world has at least {LEAST_CREATORS} creators.")
    check_vacant(out)


def simulate(out: Path, *, seed: int, days: int, creators: int, start: date = DEFAULT_START) -> RawSet:
    """Write a synthetic raw set into the new folder `out` and return its record.

    The world runs `days` days from midnight UTC of `start`. The same arguments give the same
    rows. `out`/truth holds what really is so; only evaluation may read it. QueryError if the
    world is too small, WarehouseError if `out` exists and is not empty.
    """
    check_arguments(out, seed=seed, days=days, creators=creators)
    # Imported here: `import gnomon` and `gnomon --help` must not pay for numpy and pyarrow.
    from gnomon.simulate.simulation import run_simulation

    return run_simulation(out, seed=seed, days=days, creators=creators, start=start)
