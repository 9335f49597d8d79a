"""The ladder for repeaters: at the nth violation, an action on the account."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.rulings import BY_RULE, INCUMBENT, Deeds
from gnomon.simulate.spells import BAN, LIMIT, SUSPEND, is_redundant
from gnomon.simulate.state import State
from gnomon.simulate.world import MINUTE, NONE, Day, Ints


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: which action, at how many violations."""

    action: int
    at_count: int


LADDER = (Rung(LIMIT, 3), Rung(SUSPEND, 6), Rung(BAN, 12))


def climb(state: State, day: Day, violations: Ints) -> Deeds:
    """Count today's new violations of items, and return what follows for their creators in the coming night.

    A nightly run acts within the first half hour of the next day, and who reached several rungs at
    once gets the most severe. The action is wrong where at least half of the violations were.
    """
    ledger = state.violations
    creator = ledger["creator"][violations]
    order = violations[np.argsort(creator, kind="stable")]
    whose = ledger["creator"][order]
    who, starts, counts = np.unique(whose, return_index=True, return_counts=True)
    before = state.creators["violation_count"][who]
    after = before + counts
    state.creators["violation_count"][who] = after

    action = np.full(len(who), NONE)
    cause = np.full(len(who), NONE)
    for rung in LADDER:
        there = (before < rung.at_count) & (after >= rung.at_count)
        action[there] = rung.action
        cause[there] = order[(starts + rung.at_count - 1 - before)[there]]
    reached = action >= 0
    who, action, cause = who[reached], action[reached], cause[reached]
    acted = day.ends_at + 5 * MINUTE + make_codes(day.world, "nightly run", who, day.number) % (25 * MINUTE)
    account = state.creators["account"][who]
    deeds = Deeds(
        violation=cause,
        account=account,
        creator=who,
        item=np.full(len(who), NONE),
        action=action,
        source=np.full(len(who), BY_RULE),
        decision=np.full(len(who), NONE),
        policy=ledger["policy"][cause],
        detected_by=ledger["detected_by"][cause],
        acted_at=acted,
        is_right=_count_right(state, who) > 0.5,
        scenario=np.full(len(who), INCUMBENT),
    )
    return deeds.take(~is_redundant(state, account, who, deeds.item, action, acted))


def _count_right(state: State, creators: Ints) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the share of each creator's violations so far that were right; `creators` ascend."""
    if len(creators) == 0:
        return np.zeros(0)
    ledger = state.violations
    rows = np.flatnonzero(np.isin(ledger["creator"], creators) & (ledger["item"] >= 0))
    place = np.searchsorted(creators, ledger["creator"][rows])
    right = state.items["policy"][ledger["item"][rows]] >= 0
    counts = np.bincount(place, minlength=len(creators))
    return np.bincount(place, weights=right, minlength=len(creators)) / np.maximum(counts, 1)
