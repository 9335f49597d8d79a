"""What can be sampled: each day's items of every frame with their strata, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.luck import name_items
from gnomon.simulate.rulings import RULE
from gnomon.simulate.spells import hides
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, NONE, REGION_LANGUAGE, WEEK, Bools, Day, Ints, World

DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Frame:
    """A frame of weekly designs; `sizes` is the sample of each stratum in a world of 575 reviews a week.

    `letter` begins the ids of its targets. It closes `lag` days after its week has ended.
    """

    name: str
    target_type: str
    letter: str
    strata: tuple[str, ...]
    sizes: tuple[int, ...]
    cluster_unit: str = "item"
    lag: int = 0

    def scale_sizes(self, world: World) -> list[int]:
        """Return the weekly sample of each stratum in this world, at least 4."""
        return [max(4, round(size * world.scale.reviews_per_week / _REVIEWS)) for size in self.sizes]


_REVIEWS = 575
FRAMES = (
    Frame("view", "view", "e", ("feed", "elsewhere"), (150, 90)),
    Frame("upload", "content", "c", ("large_markets", "small_markets"), (150, 60)),
    Frame("live_content", "content", "c", ("all",), (90,), lag=1),
    Frame("active_creator", "account", "a", ("all",), (70,), cluster_unit="creator"),
    Frame("registration", "account", "a", ("all",), (25,)),
    Frame("action", "action", "x", ("rule", "other"), (12, 18)),
)
VIEWS, UPLOADS, LIVE_CONTENT, ACTIVE_CREATORS, REGISTRATIONS, ACTIONS = range(len(FRAMES))
_LARGE_MARKETS = 4


@dataclass(frozen=True)
class Members:
    """Members of one frame, one element each; `item` or `account` is -1 where that is no part of what it is.

    `known_at` is when it can be looked at, `names` what identifies it in every twin of its world.
    """

    frame: int
    stratum: Ints
    target: Ints
    item: Ints
    account: Ints
    occurred_at: Ints
    known_at: Ints
    names: tuple[Ints, ...]

    def take(self, rows: Ints) -> Members:
        """Return these members."""
        return Members(
            self.frame,
            self.stratum[rows],
            self.target[rows],
            self.item[rows],
            self.account[rows],
            self.occurred_at[rows],
            self.known_at[rows],
            tuple(name[rows] for name in self.names),
        )


def list_members(state: State, day: Day, acts: Acts) -> Iterator[Members]:
    """Give the members that come into each frame today, truth left aside."""
    yield _list_views(acts)
    yield _list_uploads(state, UPLOADS, day.begins_at, day.ends_at)
    yield _list_standing(state, day)
    if day.number % DAYS_PER_WEEK == DAYS_PER_WEEK - 1:
        yield _list_active_creators(state, day)
    yield _list_registrations(state, day)
    yield _list_actions(state, day)


def _list_views(acts: Acts) -> Members:
    """Return all views but ads and owners' own; views outside the feed are sampled more densely."""
    rows = np.flatnonzero((acts.event == VIEW) & ~acts.is_ad & ~acts.is_owner)
    occurred = acts.occurred_at[rows]
    return Members(
        frame=VIEWS,
        stratum=(acts.surface[rows] != 0).astype(np.int64),
        target=acts.number[rows],
        item=acts.item[rows],
        account=np.full(len(rows), NONE),
        occurred_at=occurred,
        known_at=acts.ingested_at[rows],
        names=(acts.viewer[rows], occurred),
    )


def _list_uploads(state: State, frame: int, low: int, high: int) -> Members:
    """Return all uploads of [low, high), removed ones too: each is kept for review as it was uploaded."""
    first, last = np.searchsorted(state.items["uploaded_at"], [low, high])
    item = np.arange(first, last, dtype=np.int64)
    uploaded = state.items["uploaded_at"][first:last].copy()
    region = state.accounts["region"][state.creators["account"][state.items["creator"][item]]]
    return Members(
        frame=frame,
        stratum=(region >= _LARGE_MARKETS).astype(np.int64),
        target=item,
        item=item,
        account=np.full(len(item), NONE),
        occurred_at=uploaded,
        known_at=uploaded + HOUR,
        names=name_items(state, item),
    )


def _list_standing(state: State, day: Day) -> Members:
    """Return yesterday's uploads that were in sight a day later: what a sample of standing content sees."""
    uploads = _list_uploads(state, LIVE_CONTENT, day.begins_at - DAY, day.begins_at)
    stands = ~hides(state, uploads.item, uploads.occurred_at + DAY)
    members = uploads.take(np.flatnonzero(stands))
    return Members(
        frame=LIVE_CONTENT,
        stratum=np.zeros_like(members.stratum),
        target=members.target,
        item=members.item,
        account=members.account,
        occurred_at=members.occurred_at,
        known_at=members.occurred_at + DAY,
        names=members.names,
    )


def _list_active_creators(state: State, day: Day) -> Members:
    """Return creators with a post in the 28 days up to the week's end; their moment is its last second."""
    creator = np.unique(_list_recent(state, day.ends_at)[1])
    account = state.creators["account"][creator]
    last = np.full(len(creator), day.ends_at - 1)
    nothing = np.full(len(creator), NONE)
    return Members(ACTIVE_CREATORS, np.zeros_like(nothing), account, nothing, account, last, last + 1, (account, last))


def _list_recent(state: State, until: int) -> tuple[Ints, Ints]:
    """Return the items of the 28 days before a moment, and their creators."""
    first, last = np.searchsorted(state.items["uploaded_at"], [until - 4 * WEEK, until])
    return np.arange(first, last, dtype=np.int64), state.items["creator"][first:last]


def _list_registrations(state: State, day: Day) -> Members:
    """Return the accounts registered today."""
    first, last = np.searchsorted(state.accounts["registered_at"], [day.begins_at, day.ends_at])
    account = np.arange(first, last, dtype=np.int64)
    registered = state.accounts["registered_at"][first:last].copy()
    nothing = np.full(len(account), NONE)
    return Members(
        REGISTRATIONS,
        np.zeros_like(nothing),
        account,
        nothing,
        account,
        registered,
        registered + HOUR,
        (account, registered),
    )


def _list_actions(state: State, day: Day) -> Members:
    """Return the actions of today, for blind re-review."""
    first, last = np.searchsorted(state.actions["acted_at"], [day.begins_at, day.ends_at])
    number = np.arange(first, last, dtype=np.int64)
    done = state.actions.take(number)
    return Members(
        frame=ACTIONS,
        stratum=(done["detected_by"] != RULE).astype(np.int64),
        target=number,
        item=done["item"],
        account=done["account"],
        occurred_at=done["acted_at"],
        known_at=done["known_at"],
        names=(done["account"], name_items(state, done["item"])[1], done["acted_at"]),
    )


@dataclass(frozen=True)
class Traits:
    """What reviewers work with, and what is true: the policy broken (-1: none, or no item), and the right answer."""

    account: Ints
    language: Ints
    policy: Ints
    is_positive: Bools


def describe(state: State, members: Members) -> Traits:
    """Return what is so of these members now.

    For `registration`, positive means fake; for `action`, that it was right; for `active_creator`,
    a violating item in the 28 days.
    """
    item = np.maximum(members.item, 0)
    account = members.account
    policy = np.full(len(account), NONE)
    language = REGION_LANGUAGE[state.accounts["region"][np.maximum(account, 0)]]
    if members.frame in (VIEWS, UPLOADS, LIVE_CONTENT):
        account = state.creators["account"][state.items["creator"][item]]
        language = state.items["language"][item]
        policy = state.items["policy"][item]
        return Traits(account, language, policy, policy >= 0)
    if members.frame == ACTIVE_CREATORS:
        until = int(members.occurred_at[0]) + 1 if len(account) else 0
        recent, whose = _list_recent(state, until)
        bad = whose[state.items["policy"][recent] >= 0]
        return Traits(account, language, policy, np.isin(state.accounts["creator"][account], bad))
    if members.frame == REGISTRATIONS:
        return Traits(account, language, policy, state.accounts["is_fake"][account].copy())
    return Traits(account, language, policy, state.actions["is_right"][members.target].copy())
