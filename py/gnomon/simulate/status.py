"""The state of every creator over time: tier, agency and standing."""

from __future__ import annotations

import numpy as np

from gnomon.simulate import spells
from gnomon.simulate.account_events import find_arrivals
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import draw_luck
from gnomon.simulate.rows import write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    LANGUAGES,
    NEVER,
    NONE,
    REGIONS,
    Bools,
    Day,
    Floats,
    Ints,
    World,
    draw_arrivals,
)

TIERS = np.array(["new", "bronze", "silver", "gold"])
NEW, BRONZE, SILVER, GOLD = range(4)
STATUSES = np.array(["active", "limited", "suspended", "banned"])

_NEW_FOR = 30 * DAY
_REVIEW_DAYS = 30
_REVIEW_HOUR = 3
# Among established creators, the shares below silver and below gold; luck, in the same unit.
_BELOW = np.array([0.58, 0.87])
_LUCK = 0.10
# So many violations in a period keep a creator from rising; so many make it fall.
_STALLS, _FALLS = 2, 4
# In a review some creators join, leave or change their agency.
_AGENCY_CHANGES = 0.01
_PER_AGENCY = 40

# What the newest row of each creator says, and what counted at its last review.
_LAST = "status.last"


def review(state: State, day: Day) -> None:
    """Post the rows of creators whose state changes today: one per creator and second at most."""
    _welcome(state, day)
    told = state.others[_LAST].count
    accounts = state.creators["account"][:told]
    registered = state.accounts["registered_at"][accounts]
    parts = list(spells.list_edges(state, day.begins_at, day.ends_at))
    grown = np.flatnonzero((state.creators["tier"][:told] == NEW) & (registered + _NEW_FOR < day.ends_at))
    grown_at = np.maximum(registered[grown] + _NEW_FOR, day.begins_at)
    parts.append((grown, grown_at))
    # Whose tier and agency change today, and when.
    tier, agency = state.creators["tier"].copy(), state.creators["agency"].copy()
    changes_at = np.full(state.creators.count, NEVER)
    tier[grown] = BRONZE
    changes_at[grown] = grown_at
    if day.number > 0 and day.number % _REVIEW_DAYS == 0:
        reviewed_at = day.begins_at + _REVIEW_HOUR * HOUR
        old = np.flatnonzero(registered + _NEW_FOR <= reviewed_at)
        old = old[changes_at[old] == NEVER]
        tier[old], agency[old] = _judge(state, day, old)
        changes_at[old] = reviewed_at
        parts.append((old, np.full(len(old), reviewed_at, dtype=np.int64)))
    creator = np.concatenate([part[0] for part in parts])
    moments = np.concatenate([part[1] for part in parts])
    known = (creator < told) & (moments >= state.accounts["registered_at"][state.creators["account"][creator]])
    pairs = np.unique(np.stack([creator[known], moments[known]]), axis=1)
    creator, moments = pairs[0], pairs[1]
    is_changed = moments >= changes_at[creator]
    rows = {
        "tier": np.where(is_changed, tier[creator], state.creators["tier"][creator]),
        "agency": np.where(is_changed, agency[creator], state.creators["agency"][creator]),
        "standing": spells.find_standing(state, creator, moments),
    }
    state.creators["tier"], state.creators["agency"] = tier, agency
    _post_changes(state, day, creator, moments, rows)


def _welcome(state: State, day: Day) -> None:
    """Post the first row of every creator that has none: it comes with the account, so nobody is without a state."""
    last = state.others.setdefault(
        _LAST, Ledger(tier=np.int64, agency=np.int64, standing=np.int64, view_count=np.int64, violation_count=np.int64)
    )
    fresh = np.arange(last.count, state.creators.count, dtype=np.int64)
    if len(fresh) == 0:
        return
    creators = state.creators.take(fresh)
    registered = state.accounts["registered_at"][creators["account"]]
    last.append(tier=creators["tier"], agency=creators["agency"], standing=0, view_count=0, violation_count=0)
    rows = {"tier": creators["tier"], "agency": creators["agency"], "standing": np.zeros(len(fresh), dtype=np.int64)}
    _post(state, day.draw_stream("first status"), fresh, registered, find_arrivals(state, creators["account"]), rows)


def _judge(state: State, day: Day, creators: Ints) -> tuple[Ints, Ints]:
    """Return tier and agency after the review of these creators: by views and violations of the period, with luck.

    Nobody moves more than a step at a time.
    """
    world = day.world
    last = state.others[_LAST]
    owner, views = state.items["creator"], state.items["view_count"]
    seen = np.bincount(owner, weights=views, minlength=state.creators.count).astype(np.int64)[: last.count]
    of_period = (seen - last["view_count"])[creators]
    violations = (state.creators["violation_count"][: last.count] - last["violation_count"])[creators]
    last["view_count"] = seen
    last["violation_count"] = state.creators["violation_count"][: last.count]
    standing: Floats = (np.argsort(np.argsort(of_period, kind="stable"), kind="stable") + 0.5) / max(len(creators), 1)
    account = state.creators["account"][creators]
    standing = standing + _LUCK * (2.0 * draw_luck(world, "tier", account, day.number) - 1.0)
    deserved = BRONZE + np.searchsorted(_BELOW, standing)
    before = state.creators["tier"][creators]
    step = np.clip(deserved - before, -1, 1)
    step = np.where((violations >= _STALLS) & (step > 0), 0, step)
    step = np.where(violations >= _FALLS, -1, step)
    return np.clip(before + step, BRONZE, GOLD), _move_agencies(state, world, day, creators, account)


def _move_agencies(state: State, world: World, day: Day, creators: Ints, account: Ints) -> Ints:
    luck = draw_luck(world, "agency", account, day.number)
    agency = state.creators["agency"][creators]
    count = max(2, world.scale.creators // _PER_AGENCY)
    other = np.floor(luck / _AGENCY_CHANGES * count).astype(np.int64)
    # Who has one leaves it as often as not; half of those who have none join one.
    leaves: Bools = (agency >= 0) & (other % 2 == 0)
    moved = np.where(leaves, NONE, np.where((agency >= 0) | (other % 2 == 0), other, agency))
    return np.where(luck < _AGENCY_CHANGES, np.minimum(moved, count - 1), agency)


def _post_changes(state: State, day: Day, creator: Ints, moments: Ints, rows: dict[str, Ints]) -> None:
    """Post the rows that say something new; they are in the order of creators and, for each, of time."""
    last = state.others[_LAST]
    follows = np.zeros(len(creator), dtype=bool)
    follows[1:] = creator[1:] == creator[:-1]
    is_new = np.zeros(len(creator), dtype=bool)
    for name, values in rows.items():
        before = last[name][creator]
        before[1:] = np.where(follows[1:], values[:-1], before[1:])
        is_new |= values != before
    for name, values in rows.items():
        last[name][creator] = values
    rng = day.draw_stream("creator_status")
    kept = np.flatnonzero(is_new)
    kept = kept[np.lexsort((rng.random(len(kept)), moments[kept]))]
    known = draw_arrivals(rng, moments[kept])
    _post(state, rng, creator[kept], moments[kept], known, {name: values[kept] for name, values in rows.items()})


def _post(
    state: State, rng: np.random.Generator, creator: Ints, moments: Ints, known: Ints, rows: dict[str, Ints]
) -> None:
    account = state.creators["account"][creator]
    region = state.accounts["region"][account]
    agencies = np.array([f"agency-{number:03d}" for number in range(1, int(rows["agency"].max(initial=0)) + 2)])
    state.outbox.post(
        rng,
        "creator_status",
        {
            "creator_id": write_ids("a", account),
            "tier": write_words(TIERS, rows["tier"]),
            "agency_id": write_words(agencies, rows["agency"]),
            "region": write_words(REGIONS, region),
            "language": write_words(LANGUAGES, region),
            "status": write_words(STATUSES, rows["standing"]),
            "occurred_at": write_moments(moments),
            "ingested_at": write_moments(known),
        },
    )
