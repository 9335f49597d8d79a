"""The truth about scenarios: what was played when, and which accounts and items were part of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gnomon.simulate.rows import Rows, write_ids, write_moments
from gnomon.simulate.scenarios.crew import ROLES
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, NEVER, NONE, Ints, World


def tell_scenarios(world: World) -> Rows:
    """Return one row per scenario of the world: for evaluation only.

    `starts_at` is when its operator begins to gather accounts, `begins_at` when it is to be seen.
    """
    played = world.scenarios
    ends = [NEVER if scenario.ends_on is None else world.start + scenario.ends_on * DAY for scenario in played]
    return {
        "scenario": pa.array([scenario.name for scenario in played], pa.string()),
        "kind": pa.array([scenario.kind for scenario in played], pa.string()),
        "twin_of": pa.array([scenario.twin_of for scenario in played], pa.string()),
        "size": np.array([scenario.size for scenario in played], dtype=np.float64),
        "stealth": pa.array([scenario.stealth for scenario in played], pa.float64()),
        "is_benign": np.array([scenario.is_benign for scenario in played], dtype=bool),
        "starts_at": _write(world.start + DAY * np.array([scenario.starts_on for scenario in played], dtype=np.int64)),
        "begins_at": _write(world.start + DAY * np.array([scenario.begins_on for scenario in played], dtype=np.int64)),
        "ends_at": _write(np.array(ends, dtype=np.int64)),
    }


def tell_members(world: World, state: State) -> Rows:
    """Return the accounts and items of each scenario, one row each: for evaluation only.

    Role `member` is an operator's account, `client` one that pays it, `touched` whom a scenario
    happens to or who makes a benign twin, `item` what was uploaded in it, `hit` what a strategy in
    it acted on. account_id or content_id is empty where the row is not about one.
    """
    names: list[str] = []
    roles: list[str] = []
    accounts: list[Ints] = []
    items: list[Ints] = []
    for number, scenario in enumerate(world.scenarios):
        for role, account, item in _list_parts(state, number):
            names += [scenario.name] * len(account)
            roles += role
            accounts.append(account)
            items.append(item)
    nobody = np.zeros(0, dtype=np.int64)
    return {
        "scenario": pa.array(names, pa.string()),
        "role": pa.array(roles, pa.string()),
        "account_id": write_ids("a", np.concatenate([nobody, *accounts])),
        "content_id": write_ids("c", np.concatenate([nobody, *items])),
    }


def _list_parts(state: State, number: int) -> list[tuple[list[str], Ints, Ints]]:
    """Return roles, accounts and items of one scenario, in parts."""
    parts = []
    if f"scenario.{number}" in state.others:
        crew = state.others[f"scenario.{number}"]
        parts.append((ROLES[crew["role"]].tolist(), crew["account"].copy(), np.full(crew.count, NONE)))
    made = np.flatnonzero(state.items["scenario"] == number).astype(np.int64)
    parts.append((["item"] * len(made), state.creators["account"][state.items["creator"][made]], made))
    hits = np.flatnonzero(state.actions["scenario"] == number)
    creator = state.actions["creator"][hits]
    account = np.where(creator >= 0, state.creators["account"][creator], NONE) if state.creators.count else creator
    parts.append((["hit"] * len(hits), account, state.actions["item"][hits].astype(np.int64)))
    return parts


def _write(moments: Ints) -> pa.Array:
    return write_moments(moments)
