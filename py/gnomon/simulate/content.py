"""What creators upload, what it is made of, and what it truly is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.accounts import Accounts, Creators
from gnomon.simulate.catalogue import Catalogue, draw_products
from gnomon.simulate.policies import COUNTERFEIT, MISLEADING, POLICIES, SPAM, UNDISCLOSED
from gnomon.simulate.rows import Rows, hide, number_ids, order_by_time, pick, show_hashes, show_moments
from gnomon.simulate.world import (
    CATEGORIES,
    DAY,
    LANGUAGES,
    MINUTE,
    NEVER,
    NONE,
    Bools,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
    draw_choices,
    draw_codes,
    draw_moments,
)

KINDS = np.array(["video", "live", "image"])
VIDEO, LIVE = 0, 1

_POSTS_PER_DAY = 0.37
_LONE_POLICY_SHARES = np.array([0.22, 0.24, 0.14, 0.24, 0.10, 0.06])
_OPERATOR_POLICY_SHARES = np.array([0.68, 0.08, 0.12, 0.08, 0.02, 0.02])
_BORDERLINE_SHARE = 0.015
# How often someone who is to turn bad later, and has not yet, breaks a policy.
_SLIP_RATE = 0.015


@dataclass(frozen=True)
class Content:
    """Items in the order of upload; durations are milliseconds, -1 where there is none.

    `policy` is what the item truly breaks, -1 for a good item. `borderline` items break
    misleading_claims from its version 2 on and nothing before.
    """

    creator: Ints
    uploaded_at: Ints
    ingested_at: Ints
    kind: Ints
    category: Ints
    language: NDArray[np.str_]
    caption: Ints
    audio: Ints
    link: Ints
    media: Ints
    product: Ints
    duration: Ints
    is_declared: Bools
    detector_score: Floats
    is_borderline: Bools
    is_aigc: Bools
    policy: Ints

    @property
    def count(self) -> int:
        """Return how many items there are."""
        return len(self.creator)

    @property
    def is_bad(self) -> Bools:
        """Return which items truly break a policy in force when they were uploaded."""
        return self.policy >= 0

    @property
    def ended_at(self) -> Ints:
        """Return when a LIVE ends by itself; NEVER for other items."""
        return np.where(self.kind == LIVE, self.uploaded_at + self.duration // 1000, NEVER)

    def take(self, keep: Bools) -> Content:
        """Return the items to keep, in the same order."""
        return Content(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


def draw_content(world: World, accounts: Accounts, creators: Creators, catalogue: Catalogue) -> Content:
    """Return all that creators would upload if nobody were ever suspended or banned."""
    rng = world.draw_stream("content")
    creator, uploaded = _draw_uploads(world, rng, accounts, creators)
    ingested = draw_arrivals(rng, uploaded)
    order = order_by_time(rng, uploaded)
    order = order[ingested[order] <= world.end]
    creator, uploaded, ingested = creator[order], uploaded[order], ingested[order]
    count = len(creator)
    region = accounts.region[creators.account[creator]]

    policy, borderline = _draw_faults(world, creators, creator, uploaded)
    kind = draw_choices(rng, np.array([0.88, 0.05, 0.07]), count)
    category = np.where(rng.random(count) < 0.75, creators.category[creator], rng.integers(0, len(CATEGORIES), count))
    sells = (rng.random(count) < 0.34) | (policy == COUNTERFEIT)
    product = np.where(sells, draw_products(rng, catalogue, region, category, uploaded), NONE)
    seconds = np.clip(24.0 * np.exp(0.7 * rng.standard_normal(count)), 5, 300)
    seconds = np.where(kind == LIVE, np.clip(70 * 60 * np.exp(0.5 * rng.standard_normal(count)), 900, 14400), seconds)
    duration = np.where(kind <= LIVE, np.round(seconds).astype(np.int64) * 1000, NONE)
    language = np.where(rng.random(count) < 0.96, LANGUAGES[region], "en")

    made = _draw_aigc(world, policy, uploaded)
    caption, audio, link, media = _draw_fingerprints(world, creators, creator, policy)
    return Content(
        creator=creator,
        uploaded_at=uploaded,
        ingested_at=ingested,
        kind=kind,
        category=category,
        language=language,
        caption=caption,
        audio=audio,
        link=link,
        media=media,
        product=product,
        duration=duration,
        is_declared=made[1],
        detector_score=made[2],
        is_borderline=borderline,
        is_aigc=made[0],
        policy=policy,
    )


def _draw_uploads(world: World, rng: np.random.Generator, accounts: Accounts, creators: Creators) -> tuple[Ints, Ints]:
    """Return the creator and the moment of every upload, Poisson per creator with the weekly season."""
    region = accounts.region[creators.account]
    low = np.maximum(accounts.registered_at[creators.account] + 30 * MINUTE, world.start)
    high = np.minimum(creators.quits_at, world.end)
    active = np.maximum(high - low, 0) / DAY
    scale = world.creators * world.days * _POSTS_PER_DAY / max(float((creators.post_rate * active).sum()), 1.0)
    # Nobody uploads more than twelve items a day on average.
    expected = np.minimum(creators.post_rate * scale, 12.0) * active
    creator = np.repeat(np.arange(creators.count), rng.poisson(expected))
    return creator, draw_moments(rng, low[creator], high[creator], region[creator])


def _draw_faults(world: World, creators: Creators, creator: Ints, uploaded: Ints) -> tuple[Ints, Bools]:
    """Return the policy that each item truly breaks (-1: none), and which are borderline."""
    rng = world.draw_stream("faults")
    count = len(creator)
    has_turned = uploaded >= creators.turns_at[creator]
    is_bad = rng.random(count) < np.where(has_turned, creators.bad_rate[creator], _SLIP_RATE)
    lone = draw_choices(rng, _LONE_POLICY_SHARES, count)
    run = draw_choices(rng, _OPERATOR_POLICY_SHARES, count)
    policy = np.where(is_bad, np.where(creators.operator[creator] >= 0, run, lone), NONE)
    borderline = ~is_bad & (rng.random(count) < _BORDERLINE_SHARE)
    return np.where(borderline & (uploaded >= world.widened_at), MISLEADING, policy), borderline


def _draw_aigc(world: World, policy: Ints, uploaded: Ints) -> tuple[Bools, Bools, Floats]:
    """Return which items are AI-generated, which say so, and the detector's imperfect score."""
    rng = world.draw_stream("aigc")
    count = len(policy)
    elapsed = (uploaded - world.start) / max(world.end - world.start, 1)
    is_aigc = rng.random(count) < np.where(policy >= 0, 0.32, 0.12 + 0.08 * elapsed)
    is_aigc |= policy == UNDISCLOSED
    is_declared = np.where(is_aigc, rng.random(count) < 0.58, rng.random(count) < 0.01) & (policy != UNDISCLOSED)
    score = np.where(is_aigc, rng.beta(4.0, 2.2, count), rng.beta(1.6, 6.0, count))
    return is_aigc, is_declared, np.round(score, 4).astype(np.float64)


def _draw_fingerprints(world: World, creators: Creators, creator: Ints, policy: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return caption, audio, link and media codes; link is -1 for most.

    Sharing is not guilt: trending audio, common captions and reposts are everywhere. Operators
    and spammers reuse far more.
    """
    rng = world.draw_stream("fingerprints")
    count = len(creator)
    # Whose store of captions, links and media an item may come from: its operator's or its creator's.
    operator = creators.operator[creator]
    owner = np.where(operator >= 0, creators.count + operator, creator)
    stores = creators.count + int(creators.operator.max(initial=0)) + 1
    stock = draw_codes(rng, stores * 24).reshape(stores, 24)
    reuses = (policy == SPAM) | ((operator >= 0) & (rng.random(count) < 0.5))

    captions = draw_codes(rng, 150)
    caption = np.where(rng.random(count) < 0.06, captions[rng.integers(0, 150, count)], draw_codes(rng, count))
    caption = np.where(reuses & (rng.random(count) < 0.7), stock[owner, rng.integers(0, 8, count)], caption)
    trends = draw_codes(rng, 200)
    popular = np.floor(200 * rng.random(count) ** 2.5).astype(np.int64)
    audio = np.where(rng.random(count) < 0.65, trends[popular], draw_codes(rng, count))
    has_link = np.where(reuses, rng.random(count) < 0.5, rng.random(count) < 0.12)
    link = np.where(has_link, stock[owner, 8 + rng.integers(0, 4, count)], NONE)
    media = np.where(rng.random(count) < 0.02, captions[rng.integers(0, 150, count)] ^ 1, draw_codes(rng, count))
    media = np.where(reuses & (rng.random(count) < 0.35), stock[owner, 12 + rng.integers(0, 12, count)], media)
    return caption, audio, link, media


def name_content(content: Content) -> Texts:
    """Return the id of every item, a counter in the order of upload."""
    return number_ids("c", content.count)


def tabulate_content(
    accounts: Accounts, creators: Creators, catalogue: Catalogue, content: Content, content_ids: Texts
) -> Rows:
    """Return the raw table content; a LIVE and a set of images have no duration."""
    is_video = content.kind == VIDEO
    return {
        "content_id": content_ids,
        "creator_id": accounts.account_id[creators.account[content.creator]],
        "content_kind": KINDS[content.kind],
        "category": CATEGORIES[content.category],
        "language": content.language,
        "caption_hash": show_hashes(content.caption),
        "audio_hash": show_hashes(content.audio),
        "link_hash": show_hashes(content.link),
        "media_hash": show_hashes(content.media),
        "product_id": pick(catalogue.product_id, content.product),
        "duration_ms": hide(content.duration, ~is_video),
        "is_aigc_declared": content.is_declared,
        "aigc_detector_score": content.detector_score,
        "occurred_at": show_moments(content.uploaded_at),
        "ingested_at": show_moments(content.ingested_at),
    }


def tabulate_live_sessions(
    world: World,
    accounts: Accounts,
    creators: Creators,
    content: Content,
    content_ids: Texts,
    view_counts: Ints,
    stopped_at: Ints,
) -> Rows:
    """Return the raw table live_sessions; ended_at is empty for one still running at the world's end.

    `stopped_at` is when the item was taken down. The peak is a fixed share of the session's views,
    since this world does not draw when viewers leave.
    """
    lives = np.flatnonzero(content.kind == LIVE)
    ended = np.minimum(content.ended_at[lives], stopped_at[lives])
    return {
        "live_session_id": number_ids("l", len(lives)),
        "creator_id": accounts.account_id[creators.account[content.creator[lives]]],
        "content_id": content_ids[lives],
        "peak_viewer_count": -(-view_counts[lives] * 2 // 5),
        "ended_at": show_moments(np.where(ended <= world.end, ended, NEVER)),
        "occurred_at": show_moments(content.uploaded_at[lives]),
        "ingested_at": show_moments(content.ingested_at[lives]),
    }


def tell_truth(content: Content, content_ids: Texts) -> Rows:
    """Return the truth about content, one row per item: for evaluation only."""
    return {
        "content_id": content_ids,
        "is_violating": content.is_bad,
        "true_policy_id": pick(POLICIES, content.policy),
        "is_borderline": content.is_borderline,
        "is_truly_aigc": content.is_aigc,
    }
