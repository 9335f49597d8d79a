"""The state of every creator over time: tier, agency and standing."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.accounts import Accounts, Creators
from gnomon.simulate.enforcement import Spells
from gnomon.simulate.rows import Rows, order_by_time, pick, show_moments
from gnomon.simulate.world import DAY, LANGUAGES, NONE, REGIONS, Ints, World, draw_arrivals

TIERS = np.array(["new", "bronze", "silver", "gold"])
STATUSES = np.array(["active", "limited", "suspended", "banned"])

_NEW_FOR = 30 * DAY


def tabulate_creator_status(world: World, accounts: Accounts, creators: Creators, spells: tuple[Spells, ...]) -> Rows:
    """Return the raw table creator_status: a row at registration and at every change known by the end.

    `spells` are those of the ladder's rungs, mildest first; the most severe one counts.
    """
    rng = world.draw_stream("creator_status")
    registered = accounts.registered_at[creators.account]
    tiers, reviewed_at = _draw_tiers(world, creators)
    candidates = [registered, registered + _NEW_FOR]
    candidates += [np.full(creators.count, moment, dtype=np.int64) for moment in reviewed_at]
    for spell in spells:
        candidates += [spell.begins_at, spell.ends_at]
    creator = np.tile(np.arange(creators.count), len(candidates))
    moments = np.concatenate(candidates)
    counts = (moments >= registered[creator]) & (moments < world.end)
    pairs = np.unique(np.stack([creator[counts], moments[counts]]), axis=1)
    creator, moments = pairs[0], pairs[1]

    step = np.searchsorted(reviewed_at, moments, side="right")
    tier = np.where(moments < registered[creator] + _NEW_FOR, 0, tiers[step, creator])
    status = np.zeros(len(creator), dtype=np.int64)
    for severity, spell in enumerate(spells, start=1):
        status = np.where(spell.cover(creator, moments), severity, status)
    changes = np.ones(len(creator), dtype=bool)
    same = (creator[1:] == creator[:-1]) & (tier[1:] == tier[:-1]) & (status[1:] == status[:-1])
    changes[1:] = ~same
    ingested = draw_arrivals(rng, moments)
    # The first row comes with the account, so that no creator is without a state.
    is_first = moments == registered[creator]
    ingested = np.where(is_first, accounts.ingested_at[creators.account][creator], ingested)

    kept = np.flatnonzero(changes & (ingested <= world.end))
    kept = kept[order_by_time(rng, moments[kept])]
    whose = creators.account[creator[kept]]
    return {
        "creator_id": accounts.account_id[whose],
        "tier": TIERS[tier[kept]],
        "agency_id": pick(_name_agencies(creators), creators.agency[creator[kept]]),
        "region": REGIONS[accounts.region[whose]],
        "language": LANGUAGES[accounts.region[whose]],
        "status": STATUSES[status[kept]],
        "occurred_at": show_moments(moments[kept]),
        "ingested_at": show_moments(ingested[kept]),
    }


def _draw_tiers(world: World, creators: Creators) -> tuple[Ints, Ints]:
    """Return tiers by review and creator (not new ones), and the reviews' moments, every 30 days."""
    rng = world.draw_stream("tiers")
    reviewed_at = np.arange(world.start + 30 * DAY, world.end, 30 * DAY, dtype=np.int64)
    tiers = [creators.base_tier]
    for _ in reviewed_at:
        luck = rng.random(creators.count)
        step = np.where(luck < 0.05, -1, np.where(luck > 0.93, 1, 0))
        tiers.append(np.clip(tiers[-1] + step, 1, 3))
    return np.stack(tiers), reviewed_at


def _name_agencies(creators: Creators) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    count = int(creators.agency.max(initial=NONE)) + 1
    return np.array([f"agency-{number:03d}" for number in range(1, count + 1)], dtype=np.str_)
