"""Spells: from when until when an item is out of sight or slowed, and a creator under an action."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gnomon.simulate.state import State
from gnomon.simulate.world import NEVER, WEEK, Bools, Floats, Ints

# As in the raw contract.
ACTIONS = np.array(["remove", "limit_reach", "warn", "delay_payout", "suspend", "ban"])
REMOVE, LIMIT, WARN, DELAY_PAYOUT, SUSPEND, BAN = range(6)

# The share of its reach that a limited item keeps, and an item of a limited creator.
_LIMITED_ITEM, _LIMITED_CREATOR = 0.4, 0.6
_ITEM_SPELLS = {REMOVE: ("removed_at", "returned_at"), LIMIT: ("limited_at", "unlimited_at")}
_CREATOR_SPELLS = {
    LIMIT: ("limited_at", "limited_until", WEEK),
    SUSPEND: ("suspended_at", "suspended_until", WEEK),
    BAN: ("banned_at", "banned_until", int(NEVER)),
}


def hides(state: State, item: Ints, moments: Ints) -> Bools:
    """Return whether each item is out of sight at each moment: removed, or its creator banned."""
    items, creators = state.items, state.creators
    hidden = np.zeros(len(item), dtype=bool)
    # Few items ever are: the moments of all others need no look.
    suspects = (items["removed_at"] < NEVER) | (creators["banned_at"] < NEVER)[items["creator"]]
    rows = np.flatnonzero(suspects[item])
    chosen, at = item[rows], moments[rows]
    removed = (items["removed_at"][chosen] <= at) & (at < items["returned_at"][chosen])
    hidden[rows] = removed | _is_under(state, BAN, items["creator"][chosen], at)
    return hidden


def slows(state: State, item: Ints, moments: Ints) -> Floats:
    """Return the share of its reach that each item keeps at each moment."""
    items, creators = state.items, state.creators
    kept = np.ones(len(item))
    suspects = (items["limited_at"] < NEVER) | (creators["limited_at"] < NEVER)[items["creator"]]
    rows = np.flatnonzero(suspects[item])
    chosen, at = item[rows], moments[rows]
    limited = (items["limited_at"][chosen] <= at) & (at < items["unlimited_at"][chosen])
    slowed = _is_under(state, LIMIT, items["creator"][chosen], at)
    kept[rows] = np.where(limited, _LIMITED_ITEM, 1.0) * np.where(slowed, _LIMITED_CREATOR, 1.0)
    return kept


def is_suspended(state: State, creator: Ints, moments: Ints) -> Bools:
    """Return whether each creator may not upload at each moment: suspended or banned."""
    return _is_under(state, SUSPEND, creator, moments) | _is_under(state, BAN, creator, moments)


def find_standing(state: State, creator: Ints, moments: Ints) -> Ints:
    """Return the most severe action that each creator is under at each moment: 0 none, 1 limited, 2, 3 banned."""
    standing = np.zeros(len(creator), dtype=np.int64)
    for severity, action in enumerate(_CREATOR_SPELLS, start=1):
        standing = np.where(_is_under(state, action, creator, moments), severity, standing)
    return standing


def list_edges(state: State, low: int, high: int) -> Iterator[tuple[Ints, Ints]]:
    """Give creators and moments in [low, high) at which a spell of theirs begins or ends."""
    for begins, ends, _ in _CREATOR_SPELLS.values():
        for name in (begins, ends):
            moments = state.creators[name]
            creator = np.flatnonzero((moments >= low) & (moments < high))
            yield creator, moments[creator]


def is_redundant(state: State, account: Ints, creator: Ints, item: Ints, action: Ints, moments: Ints) -> Bools:
    """Return which actions would change nothing: their target is gone, or under the same action already."""
    redundant = (creator < 0) & (state.accounts["left_at"][account] <= moments)
    known = np.flatnonzero(creator >= 0)
    redundant[known] = _is_under(state, BAN, creator[known], moments[known])
    for kind in (LIMIT, SUSPEND):
        same = np.flatnonzero((creator >= 0) & (item < 0) & (action == kind))
        redundant[same] |= _is_under(state, kind, creator[same], moments[same])
    on_item = np.flatnonzero(item >= 0)
    redundant[on_item] |= hides(state, item[on_item], moments[on_item])
    limits = on_item[action[on_item] == LIMIT]
    since, until = (state.items[name][item[limits]] for name in _ITEM_SPELLS[LIMIT])
    redundant[limits] |= (since <= moments[limits]) & (moments[limits] < until)
    return redundant


def begin(state: State, account: Ints, creator: Ints, item: Ints, action: Ints, acted_at: Ints) -> None:
    """Begin the spells of these actions; a moment may lie ahead.

    A ban closes the accounts of viewers, of fakes and of operators; others might come back.
    """
    for kind, (begins, ends) in _ITEM_SPELLS.items():
        rows = (item >= 0) & (action == kind)
        state.items[begins][item[rows]] = acted_at[rows]
        state.items[ends][item[rows]] = NEVER
    for kind, (begins, ends, seconds) in _CREATOR_SPELLS.items():
        rows = (item < 0) & (creator >= 0) & (action == kind)
        state.creators[begins][creator[rows]] = acted_at[rows]
        state.creators[ends][creator[rows]] = np.minimum(acted_at[rows] + seconds, NEVER)
    accounts = state.accounts
    closes = (item < 0) & (action == BAN)
    closes &= (creator < 0) | accounts["is_fake"][account] | (accounts["operator"][account] >= 0)
    accounts["left_at"][account[closes]] = np.minimum(accounts["left_at"][account[closes]], acted_at[closes])


def end(state: State, actions: Ints, moments: Ints) -> None:
    """End the spells of these enforcements at these moments, where no other action keeps up the same one."""
    done = state.actions.take(actions)
    for kind, (begins, ends) in _ITEM_SPELLS.items():
        rows = np.flatnonzero((done["item"] >= 0) & (done["action"] == kind))
        item = done["item"][rows]
        same = state.actions["action"] == kind
        standing = state.actions["item"][same & (state.actions["restored_at"] >= NEVER)]
        free = ~np.isin(item, standing)
        is_begun = state.items[begins][item] < NEVER
        rows = rows[free & is_begun]
        state.items[ends][done["item"][rows]] = moments[rows]
    for kind, (begins, ends, _) in _CREATOR_SPELLS.items():
        rows = np.flatnonzero((done["item"] < 0) & (done["creator"] >= 0) & (done["action"] == kind))
        rows = rows[state.creators[begins][done["creator"][rows]] == done["acted_at"][rows]]
        creator = done["creator"][rows]
        state.creators[ends][creator] = np.minimum(state.creators[ends][creator], moments[rows])
    bans = np.flatnonzero((done["item"] < 0) & (done["action"] == BAN))
    closed = state.accounts["left_at"][done["account"][bans]] == done["acted_at"][bans]
    state.accounts["left_at"][done["account"][bans[closed]]] = NEVER


def _is_under(state: State, action: int, creator: Ints, moments: Ints) -> Bools:
    begins, ends, _ = _CREATOR_SPELLS[action]
    creators = state.creators
    return np.asarray((creators[begins][creator] <= moments) & (moments < creators[ends][creator]))
