"""What can be sampled: the items of every frame with their strata, moments and truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.accounts import Accounts, Creators
from gnomon.simulate.content import Content
from gnomon.simulate.enforcement import Enforcement
from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.rulings import Rulings
from gnomon.simulate.world import DAY, LANGUAGES, NONE, WEEK, Bools, Ints, Texts, World


@dataclass(frozen=True)
class Frame:
    """The items of a frame, one row each; `sizes` is the weekly sample of each stratum.

    `known_at` is when an item can be looked at. Index columns are -1 where an item has none;
    `policy` is what it truly breaks.
    """

    name: str
    target_type: str
    strata: tuple[str, ...]
    sizes: tuple[int, ...]
    stratum: Ints
    target_id: Texts
    occurred_at: Ints
    known_at: Ints
    content: Ints
    creator: Ints
    language: NDArray[np.str_]
    policy: Ints
    is_positive: Bools
    cluster_unit: str = "item"

    def take(self, index: Ints) -> Frame:
        """Return the items at `index`, in its order."""
        return replace(
            self,
            stratum=self.stratum[index],
            target_id=self.target_id[index],
            occurred_at=self.occurred_at[index],
            known_at=self.known_at[index],
            content=self.content[index],
            creator=self.creator[index],
            language=self.language[index],
            policy=self.policy[index],
            is_positive=self.is_positive[index],
        )


def list_week_edges(world: World) -> Ints:
    """Return the moments at which weekly designs begin, and the world's end."""
    return np.append(np.arange(world.start, world.end, WEEK, dtype=np.int64), world.end)


def scale_size(world: World, size: int) -> int:
    """Return a weekly sample size for this world from the one for 300 creators, at least 4."""
    return max(4, round(size * world.creators / 300))


def build_view_frame(world: World, content: Content, creators: Creators, acts: Acts) -> Frame:
    """Return all views but ads and owners' own; views outside the feed are sampled more densely."""
    rows = np.flatnonzero((acts.event == VIEW) & ~acts.is_ad & ~acts.is_owner)
    item = acts.content[rows]
    return Frame(
        name="view",
        target_type="view",
        strata=("feed", "elsewhere"),
        sizes=(scale_size(world, 150), scale_size(world, 90)),
        stratum=(acts.surface[rows] != 0).astype(np.int64),
        target_id=acts.engagement_id[rows],
        occurred_at=acts.occurred_at[rows],
        known_at=acts.ingested_at[rows],
        content=item,
        creator=creators.account[content.creator[item]],
        language=content.language[item],
        policy=content.policy[item],
        is_positive=content.is_bad[item],
    )


def build_upload_frame(
    world: World, accounts: Accounts, creators: Creators, content: Content, content_ids: Texts
) -> Frame:
    """Return all uploads, removed ones too: each is drawn, and kept for review, at upload."""
    region = accounts.region[creators.account[content.creator]]
    return Frame(
        name="upload",
        target_type="content",
        strata=("large_markets", "small_markets"),
        sizes=(scale_size(world, 150), scale_size(world, 60)),
        stratum=(region >= 4).astype(np.int64),
        target_id=content_ids,
        occurred_at=content.uploaded_at,
        known_at=content.ingested_at,
        content=np.arange(content.count),
        creator=creators.account[content.creator],
        language=content.language,
        policy=content.policy,
        is_positive=content.is_bad,
    )


def build_live_frame(world: World, uploads: Frame, content: Content, enforcement: Enforcement) -> Frame:
    """Return the uploads that are still in sight a day later: what a sample of standing content sees."""
    day_later = content.uploaded_at + DAY
    alive = ~enforcement.hides(content, np.arange(content.count), day_later) & (day_later <= world.end)
    frame = replace(uploads, name="live_content", known_at=np.maximum(uploads.known_at, day_later))
    frame = replace(frame, strata=("all",), sizes=(scale_size(world, 90),), stratum=np.zeros_like(uploads.stratum))
    return frame.take(np.flatnonzero(alive))


def build_creator_frame(world: World, accounts: Accounts, creators: Creators, content: Content) -> Frame:
    """Return creators with a post in the 28 days up to each week's end, once a week.

    One is positive if any of those posts truly breaks a policy. The item's moment is the last
    second of the week.
    """
    whose, moments, positive = [], [], []
    for low, high in zip(list_week_edges(world)[:-1], list_week_edges(world)[1:], strict=True):
        recent = (content.uploaded_at >= high - 4 * WEEK) & (content.uploaded_at < high)
        active = np.unique(content.creator[recent])
        has_bad = np.isin(active, content.creator[recent & content.is_bad])
        whose.append(active)
        moments.append(np.full(len(active), max(high - 1, low)))
        positive.append(has_bad)
    creator = np.concatenate(whose)
    account = creators.account[creator]
    return Frame(
        name="active_creator",
        target_type="account",
        strata=("all",),
        sizes=(scale_size(world, 70),),
        stratum=np.zeros(len(creator), dtype=np.int64),
        target_id=accounts.account_id[account],
        occurred_at=np.concatenate(moments),
        known_at=np.concatenate(moments) + 1,
        content=np.full(len(creator), NONE),
        creator=account,
        language=LANGUAGES[accounts.region[account]],
        policy=np.full(len(creator), NONE),
        is_positive=np.concatenate(positive),
        cluster_unit="creator",
    )


def build_registration_frame(world: World, accounts: Accounts) -> Frame:
    """Return the accounts registered in the world; one is positive if it is fake."""
    rows = np.flatnonzero(accounts.registered_at >= world.start)
    return Frame(
        name="registration",
        target_type="account",
        strata=("all",),
        sizes=(scale_size(world, 25),),
        stratum=np.zeros(len(rows), dtype=np.int64),
        target_id=accounts.account_id[rows],
        occurred_at=accounts.registered_at[rows],
        known_at=accounts.ingested_at[rows],
        content=np.full(len(rows), NONE),
        creator=np.where(accounts.is_creator[rows], rows, NONE),
        language=LANGUAGES[accounts.region[rows]],
        policy=np.full(len(rows), NONE),
        is_positive=accounts.is_fake[rows],
    )


def build_action_frame(world: World, accounts: Accounts, creators: Creators, rulings: Rulings) -> Frame:
    """Return the actions, for blind re-review; one is positive if it was right."""
    account = creators.account[rulings.creator]
    return Frame(
        name="action",
        target_type="action",
        strata=("rule", "other"),
        sizes=(scale_size(world, 12), scale_size(world, 18)),
        stratum=(rulings.detected_by != 0).astype(np.int64),
        target_id=rulings.enforcement_id,
        occurred_at=rulings.acted_at,
        known_at=rulings.known_at,
        content=rulings.item,
        creator=account,
        language=LANGUAGES[accounts.region[account]],
        policy=rulings.policy,
        is_positive=rulings.is_right,
    )
