"""The order of a day, and the run of a world from its founding to the record on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from gnomon.core.contract import read_contract
from gnomon.core.raw_set import RawSet, make_folder
from gnomon.simulate import (
    after_sales,
    appeals,
    catalogue,
    content,
    enforcement,
    engagement,
    history,
    live_sessions,
    people,
    policies,
    reports,
    sampling,
    scenarios,
    seasons,
    shopping,
    status,
    truth,
)
from gnomon.simulate.decisions import Decisions, check_decisions
from gnomon.simulate.saving import save_world
from gnomon.simulate.state import State
from gnomon.simulate.world import World
from gnomon.simulate.writing import PartWriter

# Raised when the same arguments come to give other rows: a working file is bound to a set by its name.
_EDITION = 5


def found(world: World) -> State:
    """Return the world as it is when its first day begins."""
    state = State()
    policies.found(world, state)
    people.found(world, state)
    catalogue.found(world, state)
    return state


def advance(world: World, state: State, decisions: Decisions | None = None) -> None:
    """Live one day: people first, then what they upload, what is decided, what is seen and bought.

    `decisions` come from outside; the incumbent decides besides them. QueryError, with nothing
    changed, if one of them makes no sense.
    """
    day = world.day(state.next_day)
    if decisions is not None:
        decisions = check_decisions(state, day, decisions)
    effects = scenarios.collect_effects(state, day)
    effects.demand = effects.demand * seasons.lift_demand(day.date)
    effects.orders = effects.orders * seasons.lift_orders(day.date)
    people.live(state, day, effects)
    catalogue.list_products(state, day)
    enforcement.strike(state, day, effects, decisions)
    items = content.upload(state, day, effects)
    enforcement.enforce(state, day, effects)
    scenarios.place_pushes(state, day, effects)
    acts = engagement.act(state, day, effects)
    live_sessions.broadcast(state, day, items)
    reports.report(state, day, acts)
    shopping.shop(state, day, effects, acts)
    after_sales.follow(state, day, effects)
    appeals.hear(state, day)
    status.review(state, day)
    sampling.sample(state, day, acts)
    state.next_day += 1


def run_simulation(out: Path, world: World, *, keep_state: bool, tell: Callable[[int, int], None]) -> RawSet:
    """Write the world's planned days into the new folder `out`; `tell` hears of each day that is done.

    Memory does not grow with the rows: they are written as they become known.
    """
    with make_folder(out) as folder:
        state = found(world)
        writer = PartWriter(folder)
        for number in range(world.scale.days):
            advance(world, state)
            writer.add(state.outbox.collect(world.day(number).ends_at))
            tell(number + 1, world.scale.days)
        writer.close()
        history.write_totals(world, folder)
        truth.write(world, state, folder)
        if keep_state:
            save_world(world, state, folder)
        record = make_record(world, state)
        # What the platform wrote down of its own changes; the rows are those of the seed of this name.
        log = pa.table(scenarios.log_interventions(world, record.raw_set_id))
        csv.write_csv(log, folder / "intervention_log.csv", csv.WriteOptions(quoting_style="needed"))
        record.write(folder)
    return record


def make_record(world: World, state: State) -> RawSet:
    """Return the record of the raw set as it is at the end of the last day."""
    scale = world.scale
    until = world.day(state.next_day - 1).ends_at
    return RawSet(
        raw_set_id=name_world(world),
        source=f"gnomon simulate: seed {world.seed}, {scale.days} days from {world.day(0).date}, "
        f"{scale.creators} creators. Nobody in it is real.",
        newest_ingested_at=datetime.fromtimestamp(until, tz=UTC).replace(tzinfo=None),
        absent={},
        contract_version=read_contract().version,
    )


def name_world(world: World) -> str:
    """Return the identity of a world: its main numbers, and a digest of all that decides its rows."""
    decided = json.dumps(
        {"world": asdict(world), "contract": read_contract().version, "edition": _EDITION}, sort_keys=True
    )
    digest = hashlib.sha256(decided.encode()).hexdigest()[:8]
    scale = world.scale
    return f"simulated-s{world.seed}-d{scale.days}-c{scale.creators}-{world.day(0).date:%Y%m%d}-{digest}"
