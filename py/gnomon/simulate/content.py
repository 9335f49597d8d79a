"""What creators upload on a day: when, what it is made of, and what it truly is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate import fingerprints
from gnomon.simulate.catalogue import draw_products
from gnomon.simulate.effects import Effects, Postings
from gnomon.simulate.enforcement import is_suspended
from gnomon.simulate.policies import COUNTERFEIT, LOW_QUALITY, MISLEADING, POLICIES, UNDISCLOSED, find_versions
from gnomon.simulate.rows import Rows, hide, write_hashes, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    CATEGORIES,
    LANGUAGE_NAMES,
    MINUTE,
    NEVER,
    NONE,
    REGION_LANGUAGE,
    SETTLED,
    Bools,
    Day,
    Floats,
    Ints,
    draw_arrivals,
    draw_choices,
    draw_moments,
    weigh_weekday,
)

KINDS = np.array(["video", "live", "image"])
VIDEO, LIVE, IMAGE = 0, 1, 2
_KIND_SHARES = np.array([0.88, 0.05, 0.07])
_ENGLISH = 5

_LONE_POLICY_SHARES = np.array([0.22, 0.24, 0.14, 0.24, 0.10, 0.06])
_OPERATOR_POLICY_SHARES = np.array([0.68, 0.08, 0.12, 0.08, 0.02, 0.02])
_BORDERLINE_SHARE = 0.015
# How often someone who is to turn bad later, and has not yet, breaks a policy.
_SLIP_RATE = 0.012
# Nobody uploads more than twelve items a day on average.
_MOST_PER_DAY = 12.0
# What seems bad is shown less: recommendation ranks it down before anybody decides.
_BAD_REACH = 0.3
# What an upload is given by whoever posts it.
_POSTED = (
    *("creator", "uploaded_at", "caption", "audio", "link", "media"),
    *("product", "policy", "aigc", "declared", "reach"),
)


def upload(state: State, day: Day, effects: Effects) -> Ints:
    """Add the day's items to the ledger, post their rows, and return their numbers in the order of upload."""
    usual = _draw_usual(state, day, effects)
    posted = [usual, *effects.postings]
    columns = {name: np.concatenate([np.asarray(getattr(part, name)) for part in posted]) for name in _POSTED}
    scenario = np.concatenate([np.full(len(part.creator), part.scenario) for part in posted])
    items = _complete(state, day, effects, columns, scenario)
    # Drawn for everybody first: what is forbidden is dropped last.
    stays = ~is_suspended(state, items["creator"], items["uploaded_at"]) & (items["uploaded_at"] < day.ends_at)
    order = np.flatnonzero(stays)
    order = order[np.lexsort((day.draw_stream("upload order").random(len(order)), items["uploaded_at"][order]))]
    numbers = state.items.append(
        **{name: values[order] for name, values in items.items()},
        removed_at=NEVER,
        returned_at=NEVER,
        limited_at=NEVER,
        unlimited_at=NEVER,
        violation=NONE,
        view_count=0,
    )
    state.outbox.post(day.draw_stream("content rows"), "content", _tabulate(state, day, numbers))
    return numbers


def _draw_usual(state: State, day: Day, effects: Effects) -> Postings:
    """Return what creators upload by themselves; attributes are left for `_complete` to draw."""
    rng = day.draw_stream("uploads")
    creators = state.creators
    luck = rng.random(creators.count)
    region = state.accounts["region"][creators["account"]]
    away = (creators["quits_at"] <= day.begins_at) & (day.begins_at < creators["returns_at"])
    rate = creators["post_rate"] * day.world.scale.posts_per_creator * weigh_weekday(day) * ~away
    rate = np.minimum(rate, _MOST_PER_DAY) * _fit(effects.posting, creators.count)
    creator = np.repeat(np.arange(creators.count), _invert_poisson(luck, rate))
    registered = state.accounts["registered_at"][creators["account"][creator]]
    low = np.maximum(registered + 30 * MINUTE, day.begins_at)
    moments = draw_moments(rng, low, np.full(len(creator), day.ends_at, dtype=np.int64), region[creator])
    nothing = np.full(len(creator), NONE)
    return Postings(
        scenario=int(NONE),
        creator=creator,
        uploaded_at=moments,
        caption=nothing,
        audio=nothing,
        link=nothing,
        media=nothing,
        product=nothing,
        policy=np.full(len(creator), -2),
        aigc=nothing,
        declared=nothing,
        reach=np.ones(len(creator)),
    )


def _fit(factors: Floats, count: int) -> Floats:
    """Return the factors of all creators: those who registered since they were set have 1."""
    return np.concatenate([factors, np.ones(max(0, count - len(factors)))])[:count]


def _invert_poisson(luck: Floats, rate: Floats) -> Ints:
    """Return Poisson counts by inversion, so that each uses just one uniform number."""
    counts = np.zeros(len(rate), dtype=np.int64)
    chance = np.exp(-rate)
    summed = chance.copy()
    step = 0
    left = luck >= summed
    while left.any() and step < 80:
        step += 1
        chance = chance * rate / step
        counts += left
        summed = summed + chance
        left &= luck >= summed
    return counts


def _complete(
    state: State,
    day: Day,
    effects: Effects,
    given: dict[str, NDArray[Any]],
    scenario: Ints,
) -> dict[str, NDArray[Any]]:
    """Return all columns of the items: what a posting gives, and everything else as usual."""
    rng = day.draw_stream("items")
    creator, uploaded = given["creator"], given["uploaded_at"]
    count = len(creator)
    who = state.creators
    region = state.accounts["region"][who["account"][creator]]
    policy, borderline = _draw_faults(state, day, effects, creator, uploaded)
    policy = np.where(given["policy"] == -2, policy, given["policy"])
    kind = draw_choices(rng, _KIND_SHARES, count)
    # Nobody plays a scenario's item live.
    kind = np.where((scenario >= 0) & (kind == LIVE), VIDEO, kind)
    category = np.where(rng.random(count) < 0.75, who["category"][creator], rng.integers(0, len(CATEGORIES), count))
    sells = rng.random(count) < 0.34
    drawn = draw_products(rng, state, region, category, uploaded)
    product = np.where(given["product"] >= 0, given["product"], np.where(sells, drawn, NONE))
    # Without a product there is nothing to counterfeit.
    policy = np.where((policy == COUNTERFEIT) & (product < 0), LOW_QUALITY, policy)
    policy, fooled = _deceive(rng, effects, product, policy)
    seconds = np.clip(24.0 * np.exp(0.7 * rng.standard_normal(count)), 5, 300)
    stream = np.clip(70 * 60 * np.exp(0.5 * rng.standard_normal(count)), 900, 14400)
    seconds = np.where(kind == LIVE, stream, seconds)
    seems_bad = (policy >= 0) & ~_draw_covers(day, scenario)
    made, declared, score = _draw_aigc(day, policy, given)
    prints = fingerprints.draw_fingerprints(state, day, effects, creator, policy)
    spread = rng.standard_normal(count)
    quality = who["quality"][creator] * _fit(effects.quality, who.count)[creator] + 0.10 * rng.standard_normal(count)
    quality = np.clip(quality - np.where(policy >= 0, 0.25, 0.0), 0.01, 0.99)
    reach = who["audience"][creator] * np.exp(0.8 * spread + 1.2 * (quality - 0.6)) * given["reach"]
    reach = reach * np.where(seems_bad, _BAD_REACH, 1.0) * np.where(product >= 0, 1.25, 1.0)
    language = np.where(rng.random(count) < 0.96, REGION_LANGUAGE[region], _ENGLISH)
    return {
        "creator": creator,
        "uploaded_at": uploaded,
        "kind": kind,
        "category": category,
        "language": language,
        **{name: np.where(given[name] >= 0, given[name], getattr(prints, name)) for name in prints.NAMES},
        "product": product,
        "duration": np.where(kind == IMAGE, NONE, np.round(seconds).astype(np.int64) * 1000),
        "is_declared": declared,
        "detector_score": score,
        "is_borderline": borderline & ~fooled,
        "is_aigc": made,
        "policy": policy,
        "seems_bad": seems_bad,
        "reach": reach,
        "quality": quality,
        "scenario": scenario,
    }


def _draw_faults(state: State, day: Day, effects: Effects, creator: Ints, uploaded: Ints) -> tuple[Ints, Bools]:
    """Return the policy that each item truly breaks (-1: none), and which are borderline.

    A borderline item breaks a policy under its wider version only.
    """
    rng = day.draw_stream("faults")
    count = len(creator)
    who = state.creators
    turns = who["turns_at"][creator]
    rate = np.where(
        turns < 0, who["bad_rate"][creator] * 0.35, np.where(uploaded >= turns, who["bad_rate"][creator], _SLIP_RATE)
    )
    is_bad = rng.random(count) < rate
    lone = draw_choices(rng, _LONE_POLICY_SHARES, count)
    run = draw_choices(rng, _OPERATOR_POLICY_SHARES, count)
    policy = np.where(is_bad, np.where(who["operator"][creator] >= 0, run, lone), NONE)
    borderline = ~is_bad & (rng.random(count) < _BORDERLINE_SHARE)
    wider = find_versions(day.world, np.full(count, MISLEADING), uploaded) > 1
    policy = np.where(borderline & wider, MISLEADING, policy)
    # A scenario's widening counts another band of items, each with one draw per policy.
    for widened, share in effects.widened.items():
        band = rng.random(count) < _BORDERLINE_SHARE * share
        policy = np.where(band & (policy < 0), widened, policy)
        borderline |= band
    return policy, borderline


def _deceive(rng: np.random.Generator, effects: Effects, product: Ints, policy: Ints) -> tuple[Ints, Bools]:
    """Return the policies with the items that claim falsely for a deceptive product, and which those are."""
    luck = rng.random(len(product))
    fooled = np.zeros(len(product), dtype=bool)
    for number, share in effects.deceptive_products.items():
        fooled |= (product == number) & (luck < share)
    return np.where(fooled & (policy < 0), MISLEADING, policy), fooled


def _draw_covers(day: Day, scenario: Ints) -> Bools:
    """Return which items an operator has given the look of any other: neither ranking nor rules nor viewers see it."""
    stealth = np.array([played.stealth or 0.0 for played in day.world.scenarios] + [0.0])
    return day.draw_stream("covers").random(len(scenario)) < stealth[scenario]


def _draw_aigc(day: Day, policy: Ints, given: dict[str, Ints]) -> tuple[Bools, Bools, Floats]:
    """Return which items are AI-generated, which say so, and the detector's imperfect score."""
    rng = day.draw_stream("aigc")
    count = len(policy)
    # More of it every year, whatever else happens.
    usual = 0.12 + 0.08 * min(day.number / max(day.world.scale.days, 1), 2.0)
    is_aigc = rng.random(count) < np.where(policy >= 0, 0.32, usual)
    is_aigc |= policy == UNDISCLOSED
    is_aigc = np.where(given["aigc"] >= 0, given["aigc"] == 1, is_aigc)
    says = np.where(is_aigc, rng.random(count) < 0.58, rng.random(count) < 0.01) & (policy != UNDISCLOSED)
    says = np.where(given["declared"] >= 0, given["declared"] == 1, says)
    score = np.where(is_aigc, rng.beta(4.0, 2.2, count), rng.beta(1.6, 6.0, count))
    return np.asarray(is_aigc), np.asarray(says), np.asarray(np.round(score, 4), dtype=np.float64)


def _tabulate(state: State, day: Day, numbers: Ints) -> Rows:
    """Return rows of the raw table content; a LIVE and a set of images have no duration."""
    items = state.items.take(numbers)
    return {
        "content_id": write_ids("c", numbers),
        "creator_id": write_ids("a", state.creators["account"][items["creator"]]),
        "content_kind": write_words(KINDS, items["kind"]),
        "category": write_words(CATEGORIES, items["category"]),
        "language": write_words(LANGUAGE_NAMES, items["language"]),
        "caption_hash": write_hashes(items["caption"]),
        "audio_hash": write_hashes(items["audio"]),
        "link_hash": write_hashes(items["link"]),
        "media_hash": write_hashes(items["media"]),
        "product_id": write_ids("p", items["product"]),
        "duration_ms": hide(items["duration"], items["kind"] != VIDEO),
        "is_aigc_declared": items["is_declared"],
        "aigc_detector_score": items["detector_score"],
        "occurred_at": write_moments(items["uploaded_at"]),
        "ingested_at": write_moments(
            draw_arrivals(day.draw_stream("content arrivals"), items["uploaded_at"], longest=SETTLED - MINUTE)
        ),
    }


def tell_truth(state: State) -> Rows:
    """Return the truth about content, one row per item: for evaluation only."""
    items = state.items
    return {
        "content_id": write_ids("c", np.arange(items.count)),
        "is_violating": items["policy"] >= 0,
        "true_policy_id": write_words(POLICIES, items["policy"]),
        "is_borderline": items["is_borderline"].copy(),
        "is_truly_aigc": items["is_aigc"].copy(),
        "quality": items["quality"].copy(),
    }
