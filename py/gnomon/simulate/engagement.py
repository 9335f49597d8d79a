"""What viewers do with what they are shown: engagement, comments, follows, reports and totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.accounts import Accounts, Creators
from gnomon.simulate.catalogue import Catalogue
from gnomon.simulate.content import VIDEO, Content
from gnomon.simulate.enforcement import Enforcement
from gnomon.simulate.exposure import ITEM, PERSON, REASONS, SURFACES, Exposures, Reports
from gnomon.simulate.rows import Rows, hide, number_ids, order_by_time, pick, show_hashes, show_moments
from gnomon.simulate.world import (
    DAY,
    HOUR,
    NONE,
    Bools,
    Ints,
    Texts,
    World,
    draw_arrivals,
    draw_codes,
    draw_delays,
)

EVENTS = np.array(["impression", "view", "like", "comment", "share", "follow", "profile_visit", "not_interested"])
IMPRESSION, VIEW, LIKE, COMMENT, SHARE, FOLLOW, PROFILE_VISIT, NOT_INTERESTED = range(8)

# Per view: of people on good items, of people on bad items, of operators' fake viewers.
_CHANCES = {
    LIKE: (0.125, 0.05, 0.75),
    COMMENT: (0.014, 0.012, 0.25),
    SHARE: (0.011, 0.005, 0.10),
    FOLLOW: (0.016, 0.006, 0.45),
    PROFILE_VISIT: (0.030, 0.022, 0.02),
    NOT_INTERESTED: (0.004, 0.025, 0.0),
}


@dataclass(frozen=True)
class Acts:
    """Engagement rows in the order of time; watch_ms is -1 for all but views."""

    engagement_id: Texts
    event: Ints
    content: Ints
    viewer: Ints
    surface: Ints
    watch_ms: Ints
    is_ad: Bools
    is_owner: Bools
    occurred_at: Ints
    ingested_at: Ints


def draw_acts(
    world: World,
    accounts: Accounts,
    creators: Creators,
    content: Content,
    enforcement: Enforcement,
    exposures: Exposures,
) -> Acts:
    """Return every act that is known by the world's end; nothing is done with an item out of sight."""
    rng = world.draw_stream("acts")
    source, event, moments = _draw_reactions(world, rng, accounts, content, exposures)
    item, viewer = exposures.content[source], exposures.viewer[source]
    ingested = draw_arrivals(rng, moments, late_share=0.01)
    order = order_by_time(rng, moments)
    seen = ~enforcement.hides(content, item, moments) & (ingested <= world.end)
    # A viewer follows a creator once: later taps of the same button are not acts.
    seen &= ~_find_repeats(event == FOLLOW, seen, viewer, content.creator[item], order)
    order = order[seen[order]]
    source = source[order]
    return Acts(
        engagement_id=number_ids("e", len(order)),
        event=event[order],
        content=item[order],
        viewer=viewer[order],
        surface=exposures.surface[source],
        watch_ms=np.where(event[order] == VIEW, exposures.watch_ms[source], NONE),
        is_ad=exposures.is_ad[source],
        is_owner=exposures.is_owner[source],
        occurred_at=moments[order],
        ingested_at=ingested[order],
    )


def _draw_reactions(
    world: World, rng: np.random.Generator, accounts: Accounts, content: Content, exposures: Exposures
) -> tuple[Ints, Ints, Ints]:
    """Return exposure, event and moment: impressions, views, and what follows from views."""
    shown = np.arange(len(exposures.content))
    views = np.flatnonzero(exposures.is_view)
    viewed_at = exposures.shown_at[views] + rng.integers(1, 4, len(views))
    parts = [(shown, IMPRESSION, exposures.shown_at), (views, VIEW, viewed_at)]
    bad = content.is_bad[exposures.content[views]]
    fake = accounts.is_fake[exposures.viewer[views]]
    for event, (by_people, on_bad, by_fakes) in _CHANCES.items():
        chance = np.where(fake, by_fakes, np.where(bad, on_bad, by_people))
        does = (rng.random(len(views)) < chance) & ~exposures.is_owner[views]
        pause = draw_delays(rng, len(views), 12, 0.7)
        parts.append((views[does], event, viewed_at[does] + pause[does]))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([np.full(len(part[0]), part[1], dtype=np.int64) for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _find_repeats(is_follow: Bools, seen: Bools, viewer: Ints, creator: Ints, order: Ints) -> Bools:
    """Return the follows after a viewer's first one of a creator."""
    follows = order[(is_follow & seen)[order]]
    pairs = viewer[follows] * (int(creator.max(initial=0)) + 1) + creator[follows]
    _, first = np.unique(pairs, return_index=True)
    repeats = np.zeros(len(is_follow), dtype=bool)
    repeats[follows] = True
    repeats[follows[first]] = False
    return repeats


def count_views(content: Content, acts: Acts) -> Ints:
    """Return the number of views of each item."""
    return np.bincount(acts.content[acts.event == VIEW], minlength=content.count).astype(np.int64)


def tabulate_engagement(accounts: Accounts, content: Content, content_ids: Texts, acts: Acts) -> Rows:
    """Return the raw table engagement."""
    length = content.duration[acts.content]
    overlong = (content.kind[acts.content] == VIDEO) & (acts.watch_ms > 5 * length)
    return {
        "engagement_id": acts.engagement_id,
        "viewer_id": accounts.account_id[acts.viewer],
        "content_id": content_ids[acts.content],
        "event_type": EVENTS[acts.event],
        "surface": SURFACES[acts.surface],
        "source_flag": hide(np.full(len(overlong), "overlong_play"), ~overlong),
        "watch_ms": hide(acts.watch_ms, acts.watch_ms < 0),
        "is_ad": acts.is_ad,
        "is_owner": acts.is_owner,
        "occurred_at": show_moments(acts.occurred_at),
        "ingested_at": show_moments(acts.ingested_at),
    }


def tabulate_comments(world: World, accounts: Accounts, content_ids: Texts, acts: Acts) -> Rows:
    """Return the raw table comments: one row for each comment in engagement, at the same moment.

    People repeat short common texts; an operator's fake viewers repeat its few texts.
    """
    rng = world.draw_stream("comments")
    rows = np.flatnonzero(acts.event == COMMENT)
    common = draw_codes(rng, 60)
    own = draw_codes(rng, len(rows))
    text = np.where(rng.random(len(rows)) < 0.25, common[rng.integers(0, 60, len(rows))], own)
    operator = accounts.operator[acts.viewer[rows]]
    scripts = draw_codes(rng, 6 * (int(accounts.operator.max(initial=0)) + 1)).reshape(-1, 6)
    repeats = (operator >= 0) & (rng.random(len(rows)) < 0.7)
    text = np.where(repeats, scripts[np.maximum(operator, 0), rng.integers(0, 6, len(rows))], text)
    return {
        "comment_id": number_ids("m", len(rows)),
        "content_id": content_ids[acts.content[rows]],
        "account_id": accounts.account_id[acts.viewer[rows]],
        "text_hash": show_hashes(text),
        "occurred_at": show_moments(acts.occurred_at[rows]),
        "ingested_at": show_moments(acts.ingested_at[rows]),
    }


def tabulate_follows(world: World, accounts: Accounts, creators: Creators, content: Content, acts: Acts) -> Rows:
    """Return the raw table follows: one row for each follow in engagement, and some unfollows later."""
    rng = world.draw_stream("follows")
    rows = np.flatnonzero(acts.event == FOLLOW)
    follower, creator = acts.viewer[rows], creators.account[content.creator[acts.content[rows]]]
    leaves = np.flatnonzero(rng.random(len(rows)) < 0.09)
    left_at = acts.occurred_at[rows][leaves] + HOUR + draw_delays(rng, len(leaves), 9 * DAY, 1.0)
    occurred = np.concatenate([acts.occurred_at[rows], left_at])
    ingested = np.concatenate([acts.ingested_at[rows], draw_arrivals(rng, left_at)])
    who = np.concatenate([np.arange(len(rows)), leaves])
    leaving = np.arange(len(who)) >= len(rows)
    order = order_by_time(rng, occurred)
    order = order[ingested[order] <= world.end]
    return {
        "follower_id": accounts.account_id[follower[who[order]]],
        "creator_id": accounts.account_id[creator[who[order]]],
        "action": np.where(leaving[order], "unfollow", "follow"),
        "occurred_at": show_moments(occurred[order]),
        "ingested_at": show_moments(ingested[order]),
    }


@dataclass(frozen=True)
class KnownReports:
    """The raw table of user reports, and how many were of each item."""

    rows: Rows
    item_counts: Ints


def tabulate_user_reports(
    world: World,
    accounts: Accounts,
    creators: Creators,
    catalogue: Catalogue,
    content: Content,
    content_ids: Texts,
    enforcement: Enforcement,
    reports: Reports,
) -> KnownReports:
    """Return the raw table user_reports, without reports of items that were out of sight by then."""
    rng = world.draw_stream("user_reports")
    moments = reports.reported_at
    ingested = draw_arrivals(rng, moments)
    stands = ~enforcement.hides(content, reports.content, moments) & (ingested <= world.end)
    order = order_by_time(rng, moments)
    order = order[stands[order]]
    item, target = reports.content[order], reports.target[order]
    creator_ids = accounts.account_id[creators.account[content.creator[item]]]
    product_ids = np.ma.getdata(pick(catalogue.product_id, content.product[item]))
    rows: Rows = {
        "user_report_id": number_ids("u", len(order)),
        "reporter_id": accounts.account_id[reports.reporter[order]],
        "target_type": np.array(["content", "account", "product"])[target],
        "target_id": np.select([target == ITEM, target == PERSON], [content_ids[item], creator_ids], product_ids),
        "reason": REASONS[reports.reason[order]],
        "occurred_at": show_moments(moments[order]),
        "ingested_at": show_moments(ingested[order]),
    }
    return KnownReports(rows, np.bincount(item[target == ITEM], minlength=content.count).astype(np.int64))


def tabulate_content_counters(
    world: World, content: Content, content_ids: Texts, acts: Acts, report_counts: Ints
) -> Rows:
    """Return the raw table content_counters: totals per item with any event, as known at the world's end.

    They add up the same events that engagement holds. A complete play is a video watched to its end;
    cell_count is the number of UTC days with an event.
    """
    count = content.count
    totals = np.bincount(acts.content * len(EVENTS) + acts.event, minlength=count * len(EVENTS))
    totals = totals.reshape(count, len(EVENTS))
    complete = (acts.event == VIEW) & (content.kind[acts.content] == VIDEO)
    complete &= acts.watch_ms >= content.duration[acts.content]
    completes = np.bincount(acts.content[complete], minlength=count)
    days = np.unique(np.stack([acts.content, acts.occurred_at // DAY]), axis=1)
    cells = np.bincount(days[0], minlength=count)
    items = np.flatnonzero(cells)
    at_end = np.full(len(items), world.end, dtype=np.int64)
    return {
        "content_id": content_ids[items],
        "cell_count": cells[items],
        "impression_count": totals[items, IMPRESSION],
        "view_count": totals[items, VIEW],
        "complete_play_count": completes[items],
        "like_count": totals[items, LIKE],
        "comment_count": totals[items, COMMENT],
        "share_count": totals[items, SHARE],
        "report_count": report_counts[items],
        "not_interested_count": totals[items, NOT_INTERESTED],
        "occurred_at": show_moments(content.uploaded_at[items]),
        "ingested_at": show_moments(at_end),
    }
