"""Who is shown what, and who watches: the exposures that all engagement grows from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gnomon.simulate.accounts import Accounts, Creators, draw_viewers
from gnomon.simulate.content import LIVE, VIDEO, Content
from gnomon.simulate.world import (
    DAY,
    MINUTE,
    NONE,
    REGION_SHARES,
    SEASON_PEAK,
    Bools,
    Ints,
    World,
    draw_choices,
    draw_delays,
    weigh_season,
)

SURFACES = np.array(["feed", "search", "profile", "live", "shop", "other"])
REASONS = np.array(["spam", "misleading", "unsafe", "counterfeit", "harassment", "other"])

_IMPRESSIONS_PER_CREATOR_DAY = 3.1
# Bad items are shown less: recommendation ranks them down before anybody decides.
_BAD_REACH = 0.75
_SURFACE_SHARES = np.array([0.74, 0.09, 0.09, 0.0, 0.06, 0.02])
_LIVE_SHARES = np.array([0.18, 0.0, 0.04, 0.76, 0.02, 0.0])


@dataclass(frozen=True)
class Exposures:
    """Items shown to viewers; watch_ms is -1 where no playback started."""

    content: Ints
    viewer: Ints
    shown_at: Ints
    surface: Ints
    watch_ms: Ints
    is_ad: Bools
    is_owner: Bools

    @property
    def is_view(self) -> Bools:
        """Return where playback started."""
        return self.watch_ms >= 0

    def take(self, keep: Bools, moved: Ints) -> Exposures:
        """Return the exposures to keep; `moved` gives each item's new index."""
        kept = {field.name: getattr(self, field.name)[keep] for field in fields(self)}
        return Exposures(**(kept | {"content": moved[kept["content"]]}))


def draw_exposures(world: World, accounts: Accounts, creators: Creators, content: Content) -> Exposures:
    """Return who is shown what if nothing were ever taken down, in no particular order."""
    rng = world.draw_stream("exposures")
    shown, moments = _draw_showings(world, rng, accounts, creators, content)
    region = accounts.region[creators.account[content.creator[shown]]]
    region = np.where(rng.random(len(shown)) < 0.92, region, draw_choices(rng, REGION_SHARES, len(shown)))
    viewer = draw_viewers(rng, accounts, region, moments)
    viewer = _send_fakes(world, accounts, creators, content, shown, moments, viewer)
    there = viewer >= 0
    shown, moments, viewer = shown[there], moments[there], viewer[there]

    # Some creators look at their own work.
    owners = np.flatnonzero(rng.random(content.count) < 0.3)
    looked_at = content.uploaded_at[owners] + draw_delays(rng, len(owners), 40 * MINUTE, 1.0)
    owners, looked_at = owners[looked_at < world.end], looked_at[looked_at < world.end]
    is_owner = np.concatenate([np.zeros(len(shown), dtype=bool), np.ones(len(owners), dtype=bool)])
    viewer = np.concatenate([viewer, creators.account[content.creator[owners]]])
    shown = np.concatenate([shown, owners])
    moments = np.concatenate([moments, looked_at])

    count = len(shown)
    is_live = content.kind[shown] == LIVE
    surface = np.where(is_live, draw_choices(rng, _LIVE_SHARES, count), draw_choices(rng, _SURFACE_SHARES, count))
    surface = np.where(is_owner, 2, surface)
    is_ad = (rng.random(count) < np.where(content.product[shown] >= 0, 0.12, 0.02)) & (surface == 0) & ~is_owner
    starts = (rng.random(count) < np.where(content.is_bad[shown], 0.6, 0.69)) | is_owner
    return Exposures(
        content=shown,
        viewer=viewer,
        shown_at=moments,
        surface=surface,
        watch_ms=np.where(starts, _draw_watch(world, content, shown, moments), NONE),
        is_ad=is_ad,
        is_owner=is_owner,
    )


def _draw_showings(
    world: World, rng: np.random.Generator, accounts: Accounts, creators: Creators, content: Content
) -> tuple[Ints, Ints]:
    """Return item and moment of every showing: power-law reach, fading over days, thinned by the season."""
    reach = creators.audience[content.creator] * np.exp(0.8 * rng.standard_normal(content.count))
    reach = reach * np.where(content.is_bad, _BAD_REACH, 1.0) * np.where(content.product >= 0, 1.25, 1.0)
    wanted = world.creators * world.days * _IMPRESSIONS_PER_CREATOR_DAY
    # Thinning keeps about one in SEASON_PEAK.
    expected = reach * wanted * SEASON_PEAK / max(float(reach.sum()), 1e-9)
    shown = np.repeat(np.arange(content.count), rng.poisson(expected))
    fades = draw_delays(rng, len(shown), 9 * 60 * MINUTE, 1.25)
    length = np.maximum(content.duration[shown] // 1000, 1)
    within = (rng.random(len(shown)) * length).astype(np.int64)
    moments = content.uploaded_at[shown] + np.where(content.kind[shown] == LIVE, within, 10 * MINUTE + fades)
    region = accounts.region[creators.account[content.creator[shown]]]
    stays = (rng.random(len(shown)) * SEASON_PEAK < weigh_season(moments, region)) & (moments < world.end)
    stays &= moments < content.uploaded_at[shown] + 21 * DAY
    return shown[stays], moments[stays]


def _send_fakes(
    world: World,
    accounts: Accounts,
    creators: Creators,
    content: Content,
    shown: Ints,
    moments: Ints,
    viewer: Ints,
) -> Ints:
    """Return the viewers with some of those of operators' items replaced by the operators' fake viewers."""
    rng = world.draw_stream("fakes")
    operator = creators.operator[content.creator[shown]]
    sent = (operator >= 0) & (rng.random(len(shown)) < 0.4)
    luck = rng.random(len(shown))
    replaced = viewer.copy()
    for number in np.unique(operator[sent]):
        fakes = np.flatnonzero(accounts.is_fake & (accounts.operator == number))
        there = np.flatnonzero(sent & (operator == number))
        known = np.searchsorted(accounts.registered_at[fakes], moments[there], side="left")
        there, known = there[known > 0], known[known > 0]
        replaced[there] = fakes[np.floor(luck[there] * known).astype(np.int64)]
    return replaced


def _draw_watch(world: World, content: Content, shown: Ints, moments: Ints) -> Ints:
    """Return milliseconds watched: many leave early, some finish, some let it play again.

    Who comes while a LIVE runs leaves when it ends; who comes later sees the recording.
    """
    rng = world.draw_stream("watch")
    count = len(shown)
    mood = rng.random(count)
    share = np.select(
        [mood < 0.52, mood < 0.88, mood < 0.998],
        [rng.beta(1.0, 2.6, count), rng.beta(4.0, 1.2, count), 1.0 + rng.exponential(0.5, count)],
        5.0 + rng.exponential(2.0, count),
    )
    share = share * np.where(content.is_bad[shown], 0.85, 1.0)
    stay = np.clip(np.exp(3.4 + 1.1 * rng.standard_normal(count)), 1, 5400)
    left = content.ended_at[shown] - moments
    stay = np.where((content.kind[shown] == LIVE) & (left > 0), np.minimum(stay, left), stay)
    length = content.duration[shown]
    # The log rounds to a tenth of a second.
    seconds = np.where(content.kind[shown] == VIDEO, share * length / 1000, stay)
    return np.maximum(np.round(seconds * 10), 1).astype(np.int64) * 100


@dataclass(frozen=True)
class Reports:
    """Reports of items by those who saw them; `exposure` is the index of where each came from when drawn."""

    exposure: Ints
    content: Ints
    reporter: Ints
    reason: Ints
    target: Ints
    reported_at: Ints

    def take(self, keep: Bools, moved: Ints) -> Reports:
        """Return the reports to keep; `moved` gives each item's new index."""
        kept = {field.name: getattr(self, field.name)[keep] for field in fields(self)}
        return Reports(**(kept | {"content": moved[kept["content"]]}))


# What is reported: the item, its creator, or the product it shows.
ITEM, PERSON, PRODUCT = 0, 1, 2


def draw_reports(world: World, content: Content, exposures: Exposures) -> Reports:
    """Return user reports: bad items are reported far more, good ones sometimes."""
    rng = world.draw_stream("reports")
    bad = content.is_bad[exposures.content]
    chance = np.where(bad, 0.14, 0.0025) * (exposures.is_view & ~exposures.is_owner)
    source = np.flatnonzero(rng.random(len(bad)) < chance)
    item = exposures.content[source]
    count = len(source)
    # Spam, misleading, counterfeit and unsafe items are mostly named rightly.
    named = np.array([0, 1, 3, 5, 2, 1])[np.maximum(content.policy[item], 0)]
    vague = draw_choices(rng, np.array([0.2, 0.2, 0.1, 0.05, 0.1, 0.35]), count)
    reason = np.where((content.policy[item] >= 0) & (rng.random(count) < 0.7), named, vague)
    target = draw_choices(rng, np.array([0.84, 0.1, 0.06]), count)
    target = np.where((target == PRODUCT) & (content.product[item] < 0), ITEM, target)
    return Reports(
        exposure=source,
        content=item,
        reporter=exposures.viewer[source],
        reason=reason,
        target=target,
        reported_at=exposures.shown_at[source] + 5 + draw_delays(rng, count, 40, 0.6),
    )
