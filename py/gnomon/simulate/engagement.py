"""What viewers do on a day with what they are shown: engagement, comments, follows and totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.content import VIDEO
from gnomon.simulate.effects import Effects
from gnomon.simulate.exposure import SURFACES, Showings, show
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.rows import Rows, hide, order_by_time, write_hashes, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, NONE, Bools, Day, Floats, Ints, draw_arrivals, draw_delays

EVENTS = np.array(["impression", "view", "like", "comment", "share", "follow", "profile_visit", "not_interested"])
IMPRESSION, VIEW, LIKE, COMMENT, SHARE, FOLLOW, PROFILE_VISIT, NOT_INTERESTED = range(8)

# Per view of people, at quality 0 and at quality 1; and of a farm's eager viewer.
_CHANCES = {
    LIKE: (0.02, 0.13, 0.75),
    COMMENT: (0.009, 0.017, 0.22),
    SHARE: (0.004, 0.016, 0.10),
    FOLLOW: (0.003, 0.024, 0.40),
    PROFILE_VISIT: (0.018, 0.037, 0.05),
    NOT_INTERESTED: (0.014, 0.001, 0.0),
}
_COUNTER_DAYS = 22


@dataclass(frozen=True)
class Acts:
    """Engagement rows of a day in the order of time; watch_ms is -1 for all but views."""

    number: Ints
    event: Ints
    item: Ints
    viewer: Ints
    surface: Ints
    watch_ms: Ints
    is_ad: Bools
    is_owner: Bools
    occurred_at: Ints
    ingested_at: Ints


def act(state: State, day: Day, effects: Effects) -> Acts:
    """Return the day's acts, post their rows, and keep the totals of items."""
    rng = day.draw_stream("acts")
    showings = show(state, day, effects)
    source, event, moments = _draw_reactions(state, rng, showings)
    # What a reaction's pause carries past midnight is not done: the viewer has closed the app.
    order = np.flatnonzero(moments < day.ends_at)
    order = order[order_by_time(rng, moments[order])]
    again = _find_repeats(state, showings, source[order], event[order])
    order = order[~again]
    source = source[order]
    acts = Acts(
        number=state.number("engagement", len(order)),
        event=event[order],
        item=showings.item[source],
        viewer=showings.viewer[source],
        surface=showings.surface[source],
        watch_ms=np.where(event[order] == VIEW, showings.watch_ms[source], NONE),
        is_ad=showings.is_ad[source],
        is_owner=showings.is_owner[source],
        occurred_at=moments[order],
        ingested_at=draw_arrivals(rng, moments[order], late_share=0.01),
    )
    state.outbox.post(rng, "engagement", _tabulate(state, acts))
    _post_comments(state, day, acts, showings.text[source], showings.eagerness[source])
    _post_follows(state, day, acts)
    _count(state, day, acts)
    return acts


def _draw_reactions(state: State, rng: np.random.Generator, showings: Showings) -> tuple[Ints, Ints, Ints]:
    """Return showing, event and moment: impressions, views, and what follows from views."""
    count = len(showings.item)
    views = np.flatnonzero(showings.watch_ms >= 0)
    viewed = showings.shown_at[views] + rng.integers(1, 4, len(views))
    parts = [(np.arange(count), IMPRESSION, showings.shown_at), (views, VIEW, viewed)]
    quality = state.items["quality"][showings.item[views]]
    eager, mine = showings.eagerness[views], showings.is_owner[views]
    for event, (low, high, farm) in _CHANCES.items():
        chance = (low + (high - low) * quality) * (1.0 - eager) + farm * eager
        does = np.flatnonzero((rng.random(len(views)) < chance) & ~mine)
        parts.append((views[does], event, viewed[does] + draw_delays(rng, len(does), 12, 0.7)))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([np.full(len(part[0]), part[1], dtype=np.int64) for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _find_repeats(state: State, showings: Showings, source: Ints, event: Ints) -> Bools:
    """Return the follows after a viewer's first one of a creator; rows are in the order of time."""
    known = state.others.setdefault("engagement.follows", Ledger(pair=np.int64))
    rows = np.flatnonzero(event == FOLLOW)
    creator = state.items["creator"][showings.item[source[rows]]]
    pairs = showings.viewer[source[rows]] * 2**31 + creator
    _, first = np.unique(pairs, return_index=True)
    is_new = np.zeros(len(rows), dtype=bool)
    is_new[first] = True
    is_new &= ~np.isin(pairs, known["pair"])
    known.append(pair=pairs[is_new])
    again = np.zeros(len(event), dtype=bool)
    again[rows] = ~is_new
    return again


def _tabulate(state: State, acts: Acts) -> Rows:
    """Return rows of the raw table engagement."""
    overlong = (state.items["kind"][acts.item] == VIDEO) & (acts.watch_ms > 5 * state.items["duration"][acts.item])
    return {
        "engagement_id": write_ids("e", acts.number),
        "viewer_id": write_ids("a", acts.viewer),
        "content_id": write_ids("c", acts.item),
        "event_type": write_words(EVENTS, acts.event),
        "surface": write_words(SURFACES, acts.surface),
        "source_flag": write_words(np.array(["overlong_play"]), np.where(overlong, 0, NONE)),
        "watch_ms": hide(acts.watch_ms, acts.watch_ms < 0),
        "is_ad": acts.is_ad,
        "is_owner": acts.is_owner,
        "occurred_at": write_moments(acts.occurred_at),
        "ingested_at": write_moments(acts.ingested_at),
    }


def _post_comments(state: State, day: Day, acts: Acts, text: Ints, eager: Floats) -> None:
    """Post one row for each comment in engagement, at the same moment.

    People repeat short common texts; an operator's fake viewers repeat its few texts.
    """
    rng = day.draw_stream("comments")
    world = day.world
    rows = np.flatnonzero(acts.event == COMMENT)
    count = len(rows)
    own = rng.integers(1, 2**48, count, dtype=np.int64)
    common = make_codes(world, "common text", rng.integers(0, 60, count))
    written = np.where(rng.random(count) < 0.25, common, own)
    operator = state.accounts["operator"][acts.viewer[rows]]
    few = make_codes(world, "operator text", np.maximum(operator, 0), rng.integers(0, 8, count))
    scripted = (operator >= 0) & (eager[rows] > 0) & (rng.random(count) < 0.6)
    written = np.where(scripted, few, written)
    written = np.where(text[rows] >= 0, text[rows], written)
    state.outbox.post(
        rng,
        "comments",
        {
            "comment_id": write_ids("m", state.number("comments", count)),
            "content_id": write_ids("c", acts.item[rows]),
            "account_id": write_ids("a", acts.viewer[rows]),
            "text_hash": write_hashes(written),
            "occurred_at": write_moments(acts.occurred_at[rows]),
            "ingested_at": write_moments(acts.ingested_at[rows]),
        },
    )


def _post_follows(state: State, day: Day, acts: Acts) -> None:
    """Post today's follows, and the unfollows of earlier ones; some of today's end on a later day."""
    rng = day.draw_stream("follows")
    rows = np.flatnonzero(acts.event == FOLLOW)
    creator = state.items["creator"][acts.item[rows]]
    ends = rng.random(len(rows)) < 0.05
    ended_at = acts.occurred_at[rows] + draw_delays(rng, len(rows), 18 * DAY, 0.9)
    ended_at = np.maximum(ended_at, day.ends_at)
    state.agenda.plan("unfollow", ended_at[ends], viewer=acts.viewer[rows][ends], creator=creator[ends])
    undone = state.agenda.take("unfollow", day.ends_at)
    moments = np.concatenate([acts.occurred_at[rows], undone["at"]])
    arrivals = np.concatenate([acts.ingested_at[rows], draw_arrivals(rng, undone["at"])])
    viewer = np.concatenate([acts.viewer[rows], undone["viewer"]])
    whom = state.creators["account"][np.concatenate([creator, undone["creator"]])]
    action = np.where(np.arange(len(moments)) < len(rows), 0, 1)
    order = order_by_time(rng, moments)
    state.outbox.post(
        rng,
        "follows",
        {
            "follower_id": write_ids("a", viewer[order]),
            "creator_id": write_ids("a", whom[order]),
            "action": write_words(np.array(["follow", "unfollow"]), action[order]),
            "occurred_at": write_moments(moments[order]),
            "ingested_at": write_moments(arrivals[order]),
        },
    )


def _count(state: State, day: Day, acts: Acts) -> None:
    """Add the day to the items' totals, and post content_counters of the items whose showings are over."""
    items = state.items
    counts = state.others.setdefault(
        "engagement.counts", Ledger(cells=np.int64, complete=np.int64, **dict.fromkeys(EVENTS, np.int64))
    )
    if counts.count < items.count:
        counts.append(
            **{name: np.zeros(items.count - counts.count, dtype=np.int64) for name in ("cells", "complete", *EVENTS)}
        )
    for event, name in enumerate(EVENTS):
        counts[name] += np.bincount(acts.item[acts.event == event], minlength=items.count)
    views = acts.event == VIEW
    whole = views & (items["kind"][acts.item] == VIDEO) & (acts.watch_ms >= items["duration"][acts.item])
    counts["complete"] += np.bincount(acts.item[whole], minlength=items.count)
    counts["cells"] += np.bincount(acts.item, minlength=items.count) > 0
    items["view_count"] += np.bincount(acts.item[views], minlength=items.count)
    low, high = np.searchsorted(
        items["uploaded_at"], [day.begins_at - _COUNTER_DAYS * DAY, day.ends_at - _COUNTER_DAYS * DAY]
    )
    over = np.arange(low, high, dtype=np.int64)
    over = over[counts["cells"][over] > 0]
    total = counts.take(over)
    state.outbox.post(
        day.draw_stream("counters"),
        "content_counters",
        {
            "content_id": write_ids("c", over),
            "cell_count": total["cells"],
            "impression_count": total["impression"],
            "view_count": total["view"],
            "complete_play_count": total["complete"],
            "like_count": total["like"],
            "comment_count": total["comment"],
            "share_count": total["share"],
            "report_count": state.others["reports.counts"]["items"][over]
            if "reports.counts" in state.others
            else np.zeros(len(over)),
            "not_interested_count": total["not_interested"],
            "occurred_at": write_moments(items["uploaded_at"][over]),
            "ingested_at": write_moments(np.full(len(over), day.ends_at, dtype=np.int64)),
        },
    )
