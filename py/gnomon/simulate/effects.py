"""What scenarios change on one day; every other module reads this and knows no scenario."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gnomon.simulate.world import REGIONS, Floats, Ints

CARRIER_COUNT = 4


def _ones() -> Floats:
    return np.ones(len(REGIONS))


@dataclass
class Registrations:
    """Accounts that a scenario registers today, one element each."""

    scenario: int
    registered_at: Ints
    region: Ints
    channel: Ints
    is_fake: bool
    operator: Ints
    weight: Floats
    device: Ints
    network: Ints
    payment: Ints
    email: Ints
    # How many of their attempts are blocked before one gets through, per account.
    blocked: Ints
    is_creator: bool = False


@dataclass
class Postings:
    """Items that a scenario uploads today, one element each; -1 lets content.py draw the value as usual."""

    scenario: int
    creator: Ints
    uploaded_at: Ints
    caption: Ints
    audio: Ints
    link: Ints
    media: Ints
    product: Ints
    # What it truly breaks: -1 nothing, -2 as usual.
    policy: Ints
    # 1 truly AI-generated, 0 not, -1 as usual.
    aigc: Ints
    declared: Ints
    reach: Floats


@dataclass
class Visits:
    """Showings that a scenario causes today: who sees what and when, and how eagerly they act.

    `eagerness` 0 acts as people do; 1 as a farm that is there to like, comment and follow; a little
    below 0 (not under -0.19) as one who mostly watches.
    `text` is the comment's fingerprint where the visit ends in one, -1: as people write.
    """

    scenario: int
    item: Ints
    viewer: Ints
    shown_at: Ints
    eagerness: Floats
    text: Ints


@dataclass
class Push:
    """People who come to one item of today within minutes of its upload; scenarios.place_pushes makes visits of it.

    The item is the first of `creator` today. With creator -1 it is one of the day's, drawn by reach
    with `luck`; with `is_live` only LIVEs count. Where there is none, nobody comes.
    """

    scenario: int
    creator: int
    is_live: bool
    luck: float
    viewer: Ints
    # Seconds after the item can be seen, one per viewer.
    after: Ints
    eagerness: float
    # Where the crowd is of one region, the item is too; -1: anywhere.
    region: int = -1


@dataclass
class Strikes:
    """Actions that a strategy in a scenario takes today on accounts or items, right or wrong."""

    scenario: int
    creator: Ints
    item: Ints
    action: Ints
    acted_at: Ints
    is_right: bool


@dataclass
class Effects:
    """All of a day; scenarios add to it, one after the other."""

    # Factors by region.
    demand: Floats = field(default_factory=_ones)
    orders: Floats = field(default_factory=_ones)
    registrations_factor: Floats = field(default_factory=_ones)
    # Factor on each creator's posting and, apart, on the quality of what it posts; one per creator.
    posting: Floats = field(default_factory=lambda: np.ones(0))
    quality: Floats = field(default_factory=lambda: np.ones(0))
    # By carrier and region: days added, and chance added that a parcel is lost.
    carrier_days: Floats = field(default_factory=lambda: np.zeros((CARRIER_COUNT, len(REGIONS))))
    carrier_loss: Floats = field(default_factory=lambda: np.zeros((CARRIER_COUNT, len(REGIONS))))
    # Factors on the incumbent: what rules find and wrongly hit, sign-ups blocked, fakes found later.
    rule_finds: float = 1.0
    rule_errs: float = 1.0
    signup_blocks: float = 1.0
    later_bans: float = 0.0
    # Share of each policy's borderline items that count from today on (a widening).
    widened: dict[int, float] = field(default_factory=dict)
    # Products whose items and orders disappoint: chance added of "not as described".
    deceptive_products: dict[int, float] = field(default_factory=dict)
    # Audio fingerprints that everybody uses today, and the share of items that do.
    trending: list[tuple[int, float]] = field(default_factory=list)
    registrations: list[Registrations] = field(default_factory=list)
    postings: list[Postings] = field(default_factory=list)
    visits: list[Visits] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    strikes: list[Strikes] = field(default_factory=list)


def start_effects(creators: int) -> Effects:
    """Return a day on which no scenario does anything."""
    return Effects(posting=np.ones(creators), quality=np.ones(creators))
