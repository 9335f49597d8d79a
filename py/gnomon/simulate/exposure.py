"""Who is shown what on a day, and who watches: the showings that all engagement grows from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gnomon.simulate.content import LIVE, VIDEO
from gnomon.simulate.effects import Effects
from gnomon.simulate.enforcement import hides, slows
from gnomon.simulate.people import draw_viewers
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    MINUTE,
    NONE,
    REGION_SHARES,
    REGIONS,
    SETTLED,
    Bools,
    Day,
    Floats,
    Ints,
    draw_choices,
    draw_delays,
    draw_moments,
    weigh_weekday,
)

SURFACES = np.array(["feed", "search", "profile", "live", "shop", "other"])
FEED, PROFILE = 0, 2
_SURFACE_SHARES = np.array([0.74, 0.09, 0.09, 0.0, 0.06, 0.02])
_LIVE_SHARES = np.array([0.18, 0.0, 0.04, 0.76, 0.02, 0.0])
_LIFETIME = 21
# Showings come with a log-normal delay after upload: median in hours, spread in logs.
_FADE_HOURS, _FADE_SPREAD = 9.0, 1.25
# What is hidden or slowed is mostly replaced by something else in the same region.
_SUBSTITUTES = 0.8
# Without supply there is no demand: the share of a region's demand that this many fresh items serve is a half.
_HALF_SUPPLY = 6.0


@dataclass(frozen=True)
class Showings:
    """Items shown to viewers in no particular order; watch_ms is -1 where no playback started."""

    item: Ints
    viewer: Ints
    shown_at: Ints
    surface: Ints
    watch_ms: Ints
    is_ad: Bools
    is_owner: Bools
    eagerness: Floats
    text: Ints

    def take(self, keep: Bools) -> Showings:
        """Return the showings to keep."""
        return Showings(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


@dataclass(frozen=True)
class _Supply:
    """The items of the last weeks, each with its weight today and the region of its creator."""

    items: Ints
    weight: Floats
    region: Ints


def show(state: State, day: Day, effects: Effects) -> Showings:
    """Return the day's showings of items in sight: demand by region, spread over items by reach and age."""
    supply = _weigh_supply(state, day)
    organic = _draw_organic(state, day, effects, supply)
    farmed = _draw_farmed(state, day, supply)
    own = _draw_owners(state, day)
    sent = [(visit.item, visit.viewer, visit.shown_at, visit.eagerness, visit.text) for visit in effects.visits]
    parts = [organic, farmed, *sent, own]
    item, viewer, moments = (np.concatenate([part[n] for part in parts]).astype(np.int64) for n in range(3))
    eager = np.concatenate([part[3] for part in parts])
    text = np.concatenate([part[4] for part in parts])
    is_owner = np.arange(len(item)) >= len(item) - len(own[0])
    there = (viewer >= 0) & (moments < day.ends_at) & (moments >= state.items["uploaded_at"][item] + SETTLED)
    there &= ~hides(state, item, moments)
    # A viewer whose account is new or closed sees nothing.
    who = np.maximum(viewer, 0)
    there &= (state.accounts["left_at"][who] > moments) & (moments >= state.accounts["registered_at"][who] + SETTLED)
    return _watch(state, day, item, viewer, moments, is_owner, eager, text).take(there)


def _weigh_supply(state: State, day: Day) -> _Supply:
    """Return what can be shown today, by weight: reach times the share of its showings that fall on today."""
    items = state.items
    first = int(np.searchsorted(items["uploaded_at"], day.begins_at - _LIFETIME * DAY))
    number = np.arange(first, items.count, dtype=np.int64)
    creator = items["creator"][first:]
    age = (day.begins_at - items["uploaded_at"][first:]) / HOUR
    shares = _fade(age + 24.0) - _fade(age)
    weight = items["reach"][first:] * state.creators["favour"][creator] * shares
    return _Supply(number, weight, state.accounts["region"][state.creators["account"][creator]])


_TABLE_HOURS = np.concatenate([[0.0], np.geomspace(0.05, 24.0 * (_LIFETIME + 2), 400)])


def _make_fade_table() -> Floats:
    from math import erf, log, sqrt

    return np.array(
        [0.0, *(0.5 * (1 + erf(log(hours / _FADE_HOURS) / (_FADE_SPREAD * sqrt(2.0)))) for hours in _TABLE_HOURS[1:])]
    )


_TABLE_SHARES = _make_fade_table()


def _fade(hours: Floats) -> Floats:
    """Return the share of an item's showings in its first `hours`; 0 before its upload."""
    return np.interp(np.maximum(hours, 0.0), _TABLE_HOURS, _TABLE_SHARES)


_Part = tuple[Ints, Ints, Ints, Floats, Ints]


def _draw_organic(state: State, day: Day, effects: Effects, supply: _Supply) -> _Part:
    """Return showings to people: for each, the item is drawn by weight, and again if it is out of sight.

    The first draw does not know what was decided about items, so that views move to substitutes
    and everything else stays as it would have been.
    """
    rng = day.draw_stream("showings")
    scale = day.world.scale
    wanted = scale.creators * scale.impressions_per_creator * weigh_weekday(day) * REGION_SHARES * effects.demand
    chosen, moments, regions = [], [], []
    for place in range(len(REGIONS)):
        there = np.flatnonzero(supply.region == place)
        size = int(wanted[place] * len(there) / (len(there) + _HALF_SUPPLY) + rng.random())
        luck = rng.random((4, size))
        if len(there) == 0 or size == 0:
            continue
        items, weight = supply.items[there], supply.weight[there]
        low = np.full(size, day.begins_at, dtype=np.int64)
        when = draw_moments(rng, low, low + DAY, np.full(size, place))
        first = _choose(items, weight, luck[0])
        gone = hides(state, first, when) | (luck[1] >= slows(state, first, when))
        standing = ~hides(state, items, np.full(len(items), day.begins_at + DAY // 2, dtype=np.int64))
        other = _choose(items[standing], weight[standing], luck[2]) if standing.any() else np.full(size, NONE)
        item = np.where(gone, np.where(luck[3] < _SUBSTITUTES, other, NONE), first)
        chosen.append(item)
        moments.append(when)
        regions.append(np.full(size, place))
    nothing = np.zeros(0, dtype=np.int64)
    item = np.concatenate([nothing, *chosen])
    moment = np.concatenate([nothing, *moments])
    region = np.concatenate([nothing, *regions])
    moment = _fit_to_upload(state, day, rng, item, moment)
    abroad = rng.random(len(item)) < 0.08
    region = np.where(abroad, draw_choices(rng, REGION_SHARES, len(item)), region)
    viewer = draw_viewers(rng, state, region, moment)
    seen = item >= 0
    count = int(seen.sum())
    return item[seen], viewer[seen], moment[seen], np.zeros(count), np.full(count, NONE)


def _choose(items: Ints, weight: Floats, luck: Floats) -> Ints:
    summed = np.cumsum(weight)
    place = np.searchsorted(summed, luck * summed[-1], side="right")
    return np.asarray(items[np.minimum(place, len(items) - 1)], dtype=np.int64)


def _fit_to_upload(state: State, day: Day, rng: np.random.Generator, item: Ints, moment: Ints) -> Ints:
    """Return the moments with those before their item's upload moved after it, inside the day.

    A LIVE is seen while it runs: its showings of the day fall into it.
    """
    if not state.items.count:
        return moment
    uploaded = state.items["uploaded_at"][np.maximum(item, 0)]
    region = state.accounts["region"][state.creators["account"][state.items["creator"][np.maximum(item, 0)]]]
    luck = rng.random(len(item))
    early = moment < uploaded + SETTLED
    late = draw_moments(rng, uploaded + SETTLED, np.full(len(item), day.ends_at, dtype=np.int64), region)
    moment = np.where(early, late, moment)
    is_live = (state.items["kind"][np.maximum(item, 0)] == LIVE) & (uploaded >= day.begins_at)
    length = np.maximum(state.items["duration"][np.maximum(item, 0)] // 1000 - SETTLED, 1)
    within = uploaded + SETTLED + (luck * length).astype(np.int64)
    return np.where(is_live, within, moment)


def _draw_farmed(state: State, day: Day, supply: _Supply) -> _Part:
    """Return what the fake viewers of standing operators are sent to see: their operator's items, and cover.

    Each fake has some sessions; four visits in ten go to its operator's items, the others to
    whatever is popular, as people's do.
    """
    rng = day.draw_stream("farms")
    accounts = state.accounts
    fakes = np.flatnonzero(accounts["is_fake"] & (accounts["operator"] < state.numbers["standing"]))
    sessions = np.minimum((-np.log1p(-rng.random(len(fakes))) * 4.0 * accounts["weight"][fakes]).astype(np.int64), 40)
    viewer = np.repeat(fakes, sessions)
    count = len(viewer)
    luck = rng.random((2, count))
    low = np.maximum(accounts["registered_at"][viewer] + SETTLED, day.begins_at)
    moments = draw_moments(rng, low, np.full(count, day.ends_at, dtype=np.int64), accounts["region"][viewer])
    runs = state.creators["operator"][state.items["creator"][supply.items]]
    item = (
        _choose(supply.items, supply.weight, luck[0])
        if len(supply.items) and supply.weight.sum() > 0
        else np.full(count, NONE)
    )
    eager = np.zeros(count)
    order = np.argsort(runs, kind="stable")
    begins = np.searchsorted(runs[order], accounts["operator"][viewer], side="left")
    ends = np.searchsorted(runs[order], accounts["operator"][viewer], side="right")
    sent = (ends > begins) & (luck[1] < 0.4)
    place = begins + (luck[0] * (ends - begins)).astype(np.int64)
    if len(order):
        item = np.where(sent, supply.items[order[np.minimum(place, len(order) - 1)]], item)
    eager = np.where(sent, 0.6, 0.0)
    there = item >= 0
    moments = _fit_to_upload(state, day, rng, item, moments)
    return item[there], viewer[there], moments[there], eager[there], np.full(int(there.sum()), NONE)


def _draw_owners(state: State, day: Day) -> _Part:
    """Return the looks of creators at their own new items."""
    rng = day.draw_stream("owners")
    items = state.items
    first = int(np.searchsorted(items["uploaded_at"], day.begins_at))
    number = np.arange(first, items.count, dtype=np.int64)
    luck = rng.random(len(number))
    moments = items["uploaded_at"][first:] + SETTLED + draw_delays(rng, len(number), 30 * MINUTE, 1.0)
    looks = (luck < 0.3) & (moments < day.ends_at)
    number = number[looks]
    viewer = state.creators["account"][items["creator"][number]]
    return number, viewer, moments[looks], np.zeros(len(number)), np.full(len(number), NONE)


def _watch(
    state: State, day: Day, item: Ints, viewer: Ints, moments: Ints, is_owner: Bools, eager: Floats, text: Ints
) -> Showings:
    """Return the showings with surface, advertising and how long each was watched."""
    rng = day.draw_stream("watching")
    items = state.items
    count = len(item)
    kind, duration = items["kind"][item], items["duration"][item]
    surface = draw_choices(rng, _SURFACE_SHARES, count)
    live_surface = draw_choices(rng, _LIVE_SHARES, count)
    surface = np.where(kind == LIVE, live_surface, surface)
    surface = np.where(is_owner, PROFILE, surface)
    is_ad = (rng.random(count) < np.where(items["product"][item] >= 0, 0.12, 0.02)) & (surface == FEED)
    is_ad &= ~is_owner & (eager <= 0)
    quality = items["quality"][item]
    starts = (rng.random(count) < 0.56 + 0.2 * quality + 0.2 * eager) | is_owner

    mood = rng.random(count)
    early = 1.0 - rng.random(count) ** (1.0 / (2.6 - 0.6 * (quality - 0.6)))
    most = rng.random(count) ** 0.3
    again = rng.exponential(1.0, count)
    share = np.select([mood < 0.52, mood < 0.88, mood < 0.998], [early, most, 1.0 + 0.5 * again], 5.0 + 2.0 * again)
    stay = np.clip(np.exp(3.4 + 1.1 * rng.standard_normal(count)), 1, 5400)
    left = items["uploaded_at"][item] + duration // 1000 - moments
    stay = np.where((kind == LIVE) & (left > 0), np.minimum(stay, left), stay)
    # The log rounds to a tenth of a second.
    seconds = np.where(kind == VIDEO, share * duration / 1000, stay)
    watched = np.maximum(np.round(seconds * 10), 1).astype(np.int64) * 100
    return Showings(item, viewer, moments, surface, np.where(starts, watched, NONE), is_ad, is_owner, eager, text)
