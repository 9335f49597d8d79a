"""One more day of a world under decisions from outside, and the same day of its twin without them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gnomon.core.lock import hold_lock
from gnomon.core.raw_set import RawSet
from gnomon.simulate import truth
from gnomon.simulate.decisions import read_decisions
from gnomon.simulate.saving import is_saved, load_world, save_world
from gnomon.simulate.seasons import check_calendar
from gnomon.simulate.simulation import advance, make_record
from gnomon.simulate.state import State
from gnomon.simulate.world import Day, World
from gnomon.simulate.writing import TRUTH_FOLDER, PartWriter

TWIN_FOLDER = "twin"
_COMPARED = "counterfactual.parquet"


@dataclass(frozen=True)
class Step:
    """What a day brought: rows that became known, by table, in the world and in its twin (empty without one)."""

    record: RawSet
    day: str
    row_counts: dict[str, int]
    twin_row_counts: dict[str, int]


def step_world(folder: Path, decisions: Path | None, twin: bool) -> Step:
    """Advance the world in `folder` by one day; see gnomon.simulate.step.

    Files of the new day appear first, then the state, the record last: a run that is killed on the
    way is done again by the next one, in place of what it left. WarehouseError if another step of
    this world is at work.
    """
    if not (folder / TRUTH_FOLDER).is_dir():
        load_world(folder)
    with hold_lock(folder / TRUTH_FOLDER / "lock", "step of this world"):
        return _step(folder, decisions, twin)


def _step(folder: Path, decisions: Path | None, twin: bool) -> Step:
    world, state = _load_recorded(folder)
    check_calendar(world.day(0).date, state.next_day + 1)
    day = world.day(state.next_day)
    # Rows delivered later than the record says are not known to anybody yet; a step replaces them.
    chosen = read_decisions(decisions) if decisions else None
    twins = _load_twin(world, state, folder) if twin else None
    advance(world, state, chosen)
    known = state.outbox.collect(day.ends_at)
    _write_day(folder, day, known)
    truth.write(world, state, folder)
    unharmed: dict[str, pa.Table] = {}
    if twins is not None:
        unharmed = _step_twin(world, twins, day, folder)
        _compare(folder, day, known, unharmed)
    save_world(world, state, folder)
    record = make_record(world, state)
    record.write(folder)
    return Step(record, day.date.isoformat(), _count(known), _count(unharmed))


def _load_recorded(folder: Path) -> tuple[World, State]:
    """Return the world at the end of the day that its record names.

    A step that was killed before its record left the state a day ahead: its day is lived again.
    """
    world, state = load_world(folder)
    if make_record(world, state).newest_ingested_at > RawSet.read(folder).newest_ingested_at:
        return load_world(folder, state.next_day - 1)
    return world, state


def _load_twin(world: World, state: State, folder: Path) -> State:
    """Return the twin's state: the one that was saved, or before the first decisions this very one."""
    place = folder / TRUTH_FOLDER / TWIN_FOLDER
    if not is_saved(place):
        twins = state.copy()
        # Kept before its first day is lived: a first step that is killed is done again from it.
        save_world(world, twins, place)
        return twins
    # A step that was killed after the twin's turn left the twin a day ahead: its day is lived again.
    return load_world(place, state.next_day)[1]


def _step_twin(world: World, twins: State, day: Day, folder: Path) -> dict[str, pa.Table]:
    place = folder / TRUTH_FOLDER / TWIN_FOLDER
    advance(world, twins)
    known = twins.outbox.collect(day.ends_at)
    _write_day(place, day, known)
    save_world(world, twins, place)
    return known


def _write_day(folder: Path, day: Day, known: dict[str, pa.Table]) -> None:
    """Write the day's files in place of all that a killed step, under other decisions perhaps, left of it."""
    for leftover in folder.glob(f"*/day-{day.date}-*.parquet"):
        leftover.unlink()
    writer = PartWriter(folder, stem=f"day-{day.date}")
    writer.add(known)
    writer.close(with_empty=False)


def _compare(folder: Path, day: Day, known: dict[str, pa.Table], unharmed: dict[str, pa.Table]) -> None:
    """Add the day to truth/counterfactual.parquet: each quantity with the decisions and without them."""
    path = folder / TRUTH_FOLDER / _COMPARED
    actual, twin = _measure(known), _measure(unharmed)
    rows = pa.table(
        {
            "day": pa.array([day.date] * len(actual), type=pa.date32()),
            "quantity": list(actual),
            "with_decisions": list(actual.values()),
            "without_decisions": [twin[name] for name in actual],
        }
    )
    if path.exists():
        earlier = pq.read_table(path)
        rows = pa.concat_tables([earlier.filter(pc.not_equal(earlier["day"], pa.scalar(day.date))), rows])
    partial = path.with_name(f"{path.name}.partial")
    pq.write_table(rows, partial)
    partial.replace(path)


def _measure(known: dict[str, pa.Table]) -> dict[str, float]:
    """Return the day's quantities: rows of each kind that became known."""
    counts = {
        f"engagement.{event}": float(pc.sum(pc.equal(known["engagement"]["event_type"], event)).as_py() or 0)
        if "engagement" in known
        else 0.0
        for event in ("impression", "view", "like", "follow")
    }
    for table in (
        "content",
        "orders",
        "order_items",
        "violations",
        "enforcements",
        "appeals",
        "complaints",
        "user_reports",
    ):
        counts[table] = float(known[table].num_rows) if table in known else 0.0
    return counts


def _count(known: dict[str, pa.Table]) -> dict[str, int]:
    return {table: rows.num_rows for table, rows in sorted(known.items())}
