"""Benign twins of farms and floods of posts: crowds that come, and posts that are alike, for good reasons."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.effects import Postings, Push
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.scenarios.crowds import choose_creators, draw_people, find_people, make_postings
from gnomon.simulate.scenarios.kinds.kind import Kind
from gnomon.simulate.scenarios.kinds.operated import choose_products
from gnomon.simulate.scenarios.rhythm import round_up_by_luck
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import (
    DAY,
    HOUR,
    MINUTE,
    NONE,
    REGION_HOURS,
    REGION_SHARES,
    Ints,
    draw_choices,
    draw_delays,
    draw_moments,
)

_FAN_EAGERNESS = 0.45
_RAID_EAGERNESS = 0.2
_FANS_PER_PUSH = 25
_FANS_WHO_COME = 0.7
# How many come in one raid, about.
_CROWD = 60


def _find_fans(turn: Turn) -> None:
    """Choose stars, and for each of them people of its region who come to every new item."""
    wanted = turn.scenario.size * turn.impressions_per_day
    stars = choose_creators(turn, max(1, round(wanted / _FANS_PER_PUSH)), low=0.85)
    home = turn.state.accounts["region"][turn.state.creators["account"][stars]]
    luck = turn.draw_stream("fans").random((len(stars), _FANS_PER_PUSH))
    pairs = Ledger(creator=np.int64, viewer=np.int64)
    people = find_people(turn)
    for place in np.unique(home):
        there = np.flatnonzero(home == place)
        near = people[turn.state.accounts["region"][people] == place]
        fans = draw_people(turn, near, luck[there].reshape(-1))
        if len(fans):
            pairs.append(creator=np.repeat(stars[there], _FANS_PER_PUSH), viewer=fans)
    order = np.lexsort((pairs["viewer"], pairs["creator"]))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(pairs["creator"][order]) > 0) | (np.diff(pairs["viewer"][order]) > 0)
    kept = pairs.take(order[first])
    turn.state.others[f"{turn.key}.fans"] = Ledger(creator=np.int64, viewer=np.int64)
    turn.state.others[f"{turn.key}.fans"].append(**kept)


def _push_as_fans(turn: Turn) -> None:
    """Send a star's own people to its new item at once; each star has the same ones every day."""
    fans = turn.state.others[f"{turn.key}.fans"]
    rng = turn.draw_stream("pushes")
    comes = rng.random(fans.count) < _FANS_WHO_COME
    after = draw_delays(rng, fans.count, 240, 0.8)[comes]
    star, viewer = fans["creator"][comes], fans["viewer"][comes]
    edges = np.flatnonzero(np.diff(star)) + 1
    for rows in np.split(np.arange(len(star)), edges) if len(star) else []:
        push = Push(turn.number, int(star[rows[0]]), False, 0.0, viewer[rows], after[rows], _FAN_EAGERNESS)
        turn.effects.pushes.append(push)


def _raid(turn: Turn) -> None:
    """Send one LIVE's audience to another: many people at one moment, who act a little more than usual."""
    rng = turn.draw_stream("raids")
    wanted = turn.scenario.size * turn.impressions_per_day
    raids = max(1, round(wanted / _CROWD))
    people = find_people(turn)
    places = draw_choices(rng, REGION_SHARES * turn.regions, raids)
    luck = rng.random((raids, max(2, round(wanted / raids))))
    arrival = rng.integers(0, 4 * MINUTE, raids)
    after = draw_delays(rng, luck.size, 40, 0.7).reshape(luck.shape)
    which = rng.random(raids)
    for place in np.unique(places):
        there = np.flatnonzero(places == place)
        near = people[turn.state.accounts["region"][people] == place]
        if len(near) == 0:
            continue
        drawn = draw_people(turn, near, luck[there].reshape(-1)).reshape(len(there), -1)
        for raid, crowd in zip(there, drawn, strict=True):
            # Nobody comes twice.
            viewer, first = np.unique(crowd, return_index=True)
            late = arrival[raid] + after[raid][first]
            push = Push(turn.number, int(NONE), True, float(which[raid]), viewer, late, _RAID_EAGERNESS, int(place))
            turn.effects.pushes.append(push)


def _trend(turn: Turn) -> None:
    """Let everybody use one sound: a share of the day's items that rises and falls."""
    code = int(make_codes(turn.day.world, f"scenario {turn.scenario.name} audio", 0))
    days = turn.scenario.days or 14
    elapsed = (turn.day.number - turn.scenario.begins_on + 0.5) / days
    shape = max(0.1, 1.0 - abs(2.0 * min(elapsed, 1.0) - 0.8))
    turn.effects.trending.append((code, min(turn.scenario.size * shape, 1.0)))


def _show_sellers_clips(turn: Turn) -> None:
    """Let many creators of one product post the clip and the text that its seller hands out."""
    rng, world = turn.draw_stream("clips"), turn.day.world
    count = round_up_by_luck(turn.scenario.size * turn.posts_per_day, rng.random())
    pool = choose_creators(turn, max(3, round(4 * turn.scenario.size * turn.posts_per_day)))
    products = choose_products(turn, 1)
    if len(pool) == 0 or len(products) == 0:
        return
    postings = _post_from_pool(turn, pool, count, rng)
    key = f"scenario {turn.scenario.name}"
    postings.caption[:] = make_codes(world, f"{key} caption", rng.integers(0, 2, count))
    postings.media[:] = make_codes(world, f"{key} media", rng.integers(0, 3, count))
    postings.product[:] = products[0]


def _post_by_schedule(turn: Turn) -> None:
    """Let creators post by a tool: several items each, at exact minutes of three slots a day."""
    rng = turn.draw_stream("schedules")
    count = round_up_by_luck(turn.scenario.size * turn.posts_per_day, rng.random())
    pool = choose_creators(turn, max(2, round(0.5 * turn.scenario.size * turn.posts_per_day)))
    if len(pool) == 0:
        return
    postings = _post_from_pool(turn, pool, count, rng)
    home = REGION_HOURS[turn.state.accounts["region"][turn.state.creators["account"][postings.creator]]]
    slot = np.array([8, 12, 19])[rng.integers(0, 3, count)] * HOUR + 15 * MINUTE * rng.integers(0, 4, count)
    postings.uploaded_at[:] = turn.day.begins_at + (slot - home * HOUR) % DAY


def _declare_aigc(turn: Turn) -> None:
    """Let honest creators post what they made with AI and say so."""
    rng = turn.draw_stream("generated")
    count = round_up_by_luck(turn.scenario.size * turn.posts_per_day, rng.random())
    pool = choose_creators(turn, max(3, round(2 * turn.scenario.size * turn.posts_per_day)))
    if len(pool) == 0:
        return
    postings = _post_from_pool(turn, pool, count, rng)
    postings.aigc[:] = 1
    postings.declared[:] = 1


def _post_from_pool(turn: Turn, pool: Ints, count: int, rng: np.random.Generator) -> Postings:
    creator = pool[rng.integers(0, len(pool), count)]
    region = turn.state.accounts["region"][turn.state.creators["account"][creator]]
    low = np.full(count, turn.day.begins_at, dtype=np.int64)
    return make_postings(turn, creator, draw_moments(rng, low, low + DAY, region))


KINDS = (
    Kind(
        name="fan_push",
        size="visits of fans on a day when all their stars post, as a share of the usual day's impressions",
        least=0.0001,
        most=0.3,
        recruit=_find_fans,
        act=_push_as_fans,
        is_benign=True,
    ),
    Kind(
        name="live_raid",
        size="visits of raids a day, as a share of the usual day's impressions",
        least=0.0001,
        most=0.3,
        act=_raid,
        is_benign=True,
    ),
    Kind(
        name="trending_audio",
        size="share of the day's items that use the sound at its height",
        least=0.001,
        most=0.8,
        act=_trend,
        is_benign=True,
        takes_regions=False,
    ),
    Kind(
        name="seller_clips",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=0.3,
        act=_show_sellers_clips,
        is_benign=True,
    ),
    Kind(
        name="scheduler",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=0.3,
        act=_post_by_schedule,
        is_benign=True,
    ),
    Kind(
        name="honest_aigc",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=1.0,
        act=_declare_aigc,
        is_benign=True,
    ),
)
