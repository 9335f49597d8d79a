"""How an operator answers what is done to its accounts; it sees actions a day later, whoever decided them."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.scenarios.crew import MEMBER, find_members, find_rest, gather_accounts, open_crew
from gnomon.simulate.scenarios.disguise import draw_disguise
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, NEVER, Ints

ADAPTATIONS = ("none", "pause", "replace_accounts", "probe_thresholds")
# The share of its accounts that must be hit at once before an operator stops all of them.
_ALARM = 0.15
# An operator gives up once it has replaced its crew this many times over.
_MOST_REPLACED = 3.0


def answer_actions(turn: Turn) -> None:
    """Notice the actions taken before today, and do what the scenario's policy of adaptation says."""
    hit, gone = _notice(turn)
    if not turn.scenario.runs_on(turn.day.number):
        return
    policy = turn.scenario.adaptation
    if policy == "pause" and len(hit) > _ALARM * len(find_members(turn)):
        # Each account that is hit rests anyway; now all of them do.
        turn.state.numbers[f"{turn.key}.paused_until"] = turn.day.number + find_rest(turn)
    elif policy == "replace_accounts":
        _replace(turn, gone)
    elif policy == "probe_thresholds":
        _probe(turn, hit)


def _notice(turn: Turn) -> tuple[Ints, Ints]:
    """Return the rows of the crew that were acted on, and those lost, since the last look."""
    state, crew = turn.state, open_crew(turn)
    name = f"{turn.key}.actions_seen"
    first = state.numbers.get(name, 0)
    state.numbers[name] = state.actions.count
    members = crew["role"] == MEMBER
    struck = np.zeros(max(state.creators.count, 1), dtype=bool)
    against = state.actions["creator"][first:]
    struck[against[against >= 0]] = True
    hit = members & (crew["creator"] >= 0) & struck[np.maximum(crew["creator"], 0)]

    closed = state.accounts["left_at"][crew["account"]] <= turn.day.begins_at
    if state.creators.count:
        creator = np.maximum(crew["creator"], 0)
        banned = state.creators["banned_at"][creator] <= turn.day.begins_at
        banned &= turn.day.begins_at < state.creators["banned_until"][creator]
        closed |= banned & (crew["creator"] >= 0)
    gone = members & closed & (crew["gone_at"] >= NEVER)
    back = members & ~closed & (crew["gone_at"] < NEVER)
    crew["gone_at"] = np.where(gone, turn.day.begins_at, np.where(back, NEVER, crew["gone_at"]))
    hit |= gone
    crew["hit_at"] = np.where(hit, turn.day.begins_at, crew["hit_at"])
    return np.flatnonzero(hit), np.flatnonzero(gone)


def _replace(turn: Turn, gone: Ints) -> None:
    """Gather an account for each one lost, over the next one to three days."""
    crew = open_crew(turn)
    made = int((crew["role"] == MEMBER).sum())
    first_crew = turn.state.numbers.setdefault(f"{turn.key}.first_crew", max(made, 1))
    count = min(len(gone), max(0, round(first_crew * (1.0 + _MOST_REPLACED)) - made))
    if count == 0:
        return
    creators = int((crew["creator"][gone[:count]] >= 0).sum())
    first = turn.day.begins_at
    gather_accounts(turn, count - creators, creators, first, first + round(1 + 2 * turn.stealth) * DAY)


def _probe(turn: Turn, hit: Ints) -> None:
    """Move volumes: an account that was hit does less than the others do unharmed; these creep up."""
    crew = open_crew(turn)
    members = np.flatnonzero((crew["role"] == MEMBER) & (crew["gone_at"] >= NEVER))
    name = f"{turn.key}.probed"
    if name not in turn.state.numbers and len(members):
        # At first each account tries another volume.
        luck = turn.draw_lasting_stream("probe").random(len(members))
        crew["volume"][members] *= np.exp(1.4 * (luck - 0.5))
        turn.state.numbers[name] = 1
    unharmed = members[crew["hit_at"][members] >= NEVER]
    crew["volume"][unharmed] = np.minimum(crew["volume"][unharmed] * 1.02, 4.0)
    struck = np.intersect1d(hit, members)
    if len(struck):
        lowest = crew["volume"][struck] * 0.6
        usual = float(np.median(crew["volume"][unharmed])) if len(unharmed) else np.inf
        crew["volume"][struck] = np.minimum(lowest, 0.9 * usual)


def rotate_origins(turn: Turn) -> None:
    """Move some of the accounts to other devices and networks, as operators between lazy and careful do."""
    share = 0.12 * turn.stealth * max(0.0, 0.8 - turn.stealth)
    crew = open_crew(turn)
    members = np.flatnonzero((crew["role"] == MEMBER) & (crew["gone_at"] >= NEVER))
    if share == 0.0 or len(members) == 0:
        return
    rng = turn.draw_stream("rotation")
    moves = rng.random(len(members)) < share
    rows = crew["account"][members]
    # The first wave's things again: an operator has no others.
    other = draw_disguise(turn, rng, turn.state.accounts["region"][rows], 0)
    turn.state.accounts["device"][rows[moves]] = other.device[moves]
    turn.state.accounts["network"][rows[moves]] = other.network[moves]
