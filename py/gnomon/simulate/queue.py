"""Work that waits for reviewers: teams with a capacity, their load, and the errors that load brings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.ledger import Ledger
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    LANGUAGE_NAMES,
    REGION_LANGUAGE,
    REGION_SHARES,
    Bools,
    Day,
    Floats,
    Ints,
)

THAI = 1

# Local working hours, the same for all languages, and where each language's reviewers sit.
_OPENS, _HOURS = 9, 12
_LANGUAGE_HOURS = np.array([7, 7, 7, 8, 8, 0])
# Monday to Sunday: fewer work at weekends, when more is uploaded.
_STAFFING = np.array([1.15, 1.10, 1.10, 1.10, 1.10, 0.75, 0.70])
# A team is planned for what came in the last weeks and a little more; nobody plans for a burst.
_HEADROOM = 1.25
_MEMORY_DAYS = 21.0
_LEAST = 3.0
# An old thing gains on a new one: a step of priority in so many days.
_STEP_DAYS = 4.0

# How much worse reviewers judge for each unit of load above 1, up to three times the usual load.
_ERRORS_PER_LOAD = 0.5
_MOST_EXTRA_LOAD = 2.0
# Reviewers of Thai items err more.
_THAI_MISSES = 0.09
_THAI_ALARMS = 2.0


@dataclass(frozen=True)
class Team:
    """A pool of reviewers with a queue of its own; `expected` is the things a day it is first planned for."""

    name: str
    expected: float


@dataclass(frozen=True)
class Worked:
    """What a team got done on a day, in the order of time; `load` is what waited over what could be done."""

    thing: Ints
    language: Ints
    worked_at: Ints
    load: Floats


def put(state: State, team: Team, thing: Ints, language: Ints, arrived_at: Ints, priority: Floats) -> None:
    """Put things into the team's queue; nobody looks at one before it has arrived."""
    waiting, _ = _find(state, team)
    waiting.append(thing=thing, language=language, arrived_at=arrived_at, priority=priority)


def count_waiting(state: State, team: Team) -> int:
    """Return how many things wait for the team."""
    return _find(state, team)[0].count


def work(state: State, day: Day, team: Team) -> Worked:
    """Work the queue for a day: by priority and age, inside local working hours, as far as capacity goes.

    Things that arrive after the hours begin wait for the next day. The team's size follows what
    arrived in the last weeks, language by language.
    """
    rng = day.draw_stream(f"queue {team.name}")
    waiting, staff = _find(state, team)
    staffing = np.maximum(_HEADROOM * staff["expected"], _LEAST) * _STAFFING[day.date.weekday()]
    capacity = np.floor(staffing + rng.random(len(LANGUAGE_NAMES))).astype(np.int64)
    opens = day.begins_at + (_OPENS - _LANGUAGE_HOURS) * HOUR
    language = waiting["language"]
    _plan_staff(waiting, staff, opens)
    ready = np.flatnonzero(waiting["arrived_at"] < opens[language])
    urgency = waiting["priority"][ready] + (opens[0] - waiting["arrived_at"][ready]) / (_STEP_DAYS * DAY)
    order = ready[np.lexsort((waiting["arrived_at"][ready], -urgency, language[ready]))]
    counts = np.bincount(language[order], minlength=len(LANGUAGE_NAMES))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    load = counts / np.maximum(capacity, 1)
    is_done = rank < capacity[language[order]]
    order, rank = order[is_done], rank[is_done]
    spoken = language[order].copy()
    share = (rank + rng.random(len(order))) / np.maximum(capacity[spoken], 1)
    moments = opens[spoken] + (share * _HOURS * HOUR).astype(np.int64)
    by_time = np.argsort(moments, kind="stable")
    worked = Worked(waiting["thing"][order][by_time], spoken[by_time], moments[by_time], load[spoken[by_time]])
    stays = np.ones(waiting.count, dtype=bool)
    stays[order] = False
    waiting.keep(stays)
    return worked


def _plan_staff(waiting: Ledger, staff: Ledger, opens: Ints) -> None:
    """Let the team's size follow what arrived since yesterday's hours began; before its first work it keeps it."""
    language, arrived = waiting["language"], waiting["arrived_at"]
    new = (arrived < opens[language]) & (arrived >= opens[language] - DAY)
    counts = np.bincount(language[new], minlength=len(LANGUAGE_NAMES))
    staff["has_begun"] |= counts.sum() > 0
    change = (counts - staff["expected"]) / _MEMORY_DAYS
    staff["expected"] += np.where(staff["has_begun"], change, 0.0)


def close(state: State, team: Team, before: int) -> None:
    """Take what arrived before a moment out of the queue undone: nobody will come to it."""
    waiting, _ = _find(state, team)
    waiting.keep(waiting["arrived_at"] >= before)


def judge(
    luck: Floats, truth: Bools, language: Ints, load: Floats | float, misses: Floats | float, alarms: Floats | float
) -> Bools:
    """Return what reviewers say of things that truly are or are not so.

    `misses` is how often a true one is overlooked and `alarms` how often a false one is taken for
    true, with a usual load and in any language but Thai.
    """
    worse = 1.0 + _ERRORS_PER_LOAD * np.clip(np.asarray(load) - 1.0, 0.0, _MOST_EXTRA_LOAD)
    is_thai = language == THAI
    overlooked = np.minimum((misses + np.where(is_thai, _THAI_MISSES, 0.0)) * worse, 0.6)
    taken = np.minimum(alarms * np.where(is_thai, _THAI_ALARMS, 1.0) * worse, 0.5)
    return np.asarray(luck < np.where(truth, 1.0 - overlooked, taken))


def _find(state: State, team: Team) -> tuple[Ledger, Ledger]:
    """Return the team's queue and its planning, made on first use."""
    key = f"queue.{team.name}"
    if key not in state.others:
        state.others[key] = Ledger(thing=np.int64, language=np.int64, arrived_at=np.int64, priority=float)
        shares = np.bincount(REGION_LANGUAGE, weights=REGION_SHARES, minlength=len(LANGUAGE_NAMES))
        staff = Ledger(expected=float, has_begun=bool)
        staff.append(expected=team.expected * shares, has_begun=False)
        state.others[f"{key}.staff"] = staff
    return state.others[key], state.others[f"{key}.staff"]
