"""Room 1: a synthetic ecosystem of creators, written as a raw set with its truth beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gnomon.core.errors import QueryError
from gnomon.core.raw_set import RawSet, check_vacant
from gnomon.simulate.scale import SCALES, Scale, choose_scale

if TYPE_CHECKING:
    from gnomon.simulate.scenarios import Scenario
    from gnomon.simulate.stepping import Step

__all__ = ["SAMPLE", "SCALES", "Scale", "check_arguments", "choose_scale", "simulate", "step"]

DEFAULT_START = date(2026, 3, 2)


class Arguments(TypedDict):
    """The arguments that decide every row of a world."""

    seed: int
    scale: Scale
    start: date


# data/sample is made with these; a test makes it again and compares every row.
SAMPLE: Arguments = {"seed": 7, "scale": SCALES["tiny"], "start": DEFAULT_START}


def _tell_nobody(done: int, days: int) -> None:
    """Hear of a finished day and say nothing."""


def check_arguments(
    out: Path, *, seed: int, scale: Scale, start: date = DEFAULT_START, scenarios: Sequence[str] | None = None
) -> tuple[Scenario, ...]:
    """Return what such a world plays.

    QueryError or DefinitionError if there is no such world, WarehouseError if `out` is taken.
    """
    # Imported here: `import gnomon` and `gnomon --help` must not pay for numpy and pyarrow.
    from gnomon.simulate.scenarios import load_scenarios
    from gnomon.simulate.seasons import check_calendar

    if seed < 0:
        raise QueryError(f"seed {seed}: a seed is 0 or more.")
    check_calendar(start, scale.days)
    check_vacant(out)
    return load_scenarios(scenarios, start, scale.days)


def simulate(
    out: Path,
    *,
    seed: int,
    scale: Scale,
    start: date = DEFAULT_START,
    scenarios: Sequence[str] | None = None,
    keep_state: bool = False,
    tell: Callable[[int, int], None] = _tell_nobody,
) -> RawSet:
    """Write a synthetic raw set into the new folder `out` and return its record.

    The world runs `scale.days` days from midnight UTC of `start`. `scenarios` are names of the
    library or files; None plays the default ones. The same arguments give the same rows.
    `out`/truth holds what really is so; only evaluation may read it. With `keep_state` the world
    can be stepped on. `tell` hears after each day how many are done, of how many. QueryError or
    DefinitionError if there is no such world, WarehouseError if `out` exists and is not empty.
    """
    chosen = check_arguments(out, seed=seed, scale=scale, start=start, scenarios=scenarios)
    from gnomon.simulate.simulation import run_simulation
    from gnomon.simulate.world import make_world

    return run_simulation(out, make_world(seed, scale, start, chosen), keep_state=keep_state, tell=tell)


def step(folder: Path, *, decisions: Path | None = None, twin: bool = True) -> Step:
    """Live one more day of the world in `folder` under the given decisions, and return what it brought.

    `decisions` is a CSV, JSON-lines or Parquet file of actions on creators and items. With `twin`,
    the same world without any decisions is stepped beside it, on common random numbers, under
    `folder`/truth/twin. The raw set keeps its identity and gets new files. WarehouseError if the
    world was written without its state; QueryError names what is wrong in the decisions.
    """
    from gnomon.simulate.stepping import step_world

    return step_world(folder, decisions, twin)
