"""What items are made of: captions, audio, links and media as codes, some of them shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.effects import Effects
from gnomon.simulate.policies import SPAM
from gnomon.simulate.state import State
from gnomon.simulate.world import NONE, Day, Ints

_CAPTIONS = 150
_TRENDS = 200
# A trend lasts about a month: each day a thirtieth of them is replaced.
_TREND_DAYS = 30


@dataclass(frozen=True)
class Fingerprints:
    """One element per item; link is -1 for most."""

    NAMES: ClassVar[tuple[str, ...]] = ("caption", "audio", "link", "media")

    caption: Ints
    audio: Ints
    link: Ints
    media: Ints


def draw_fingerprints(state: State, day: Day, effects: Effects, creator: Ints, policy: Ints) -> Fingerprints:
    """Return what the items are made of.

    Sharing is not guilt: trending audio, common captions, sellers' clips and reposts are
    everywhere. Operators and spammers reuse far more.
    """
    world = day.world
    rng = day.draw_stream("fingerprints")
    count = len(creator)
    operator = state.creators["operator"][creator]
    # Whose store of captions, links and media an item may come from: its operator's or its creator's.
    owner = np.where(operator >= 0, -1 - operator, creator)
    reuses = (policy == SPAM) | ((operator >= 0) & (rng.random(count) < 0.5))

    fresh = rng.integers(1, 2**48, (3, count), dtype=np.int64)
    common = make_codes(world, "common caption", rng.integers(0, _CAPTIONS, count))
    caption = np.where(rng.random(count) < 0.06, common, fresh[0])
    stored = make_codes(world, "caption", owner, rng.integers(0, 12, count))
    caption = np.where(reuses & (rng.random(count) < 0.6), stored, caption)

    popular = np.floor(_TRENDS * rng.random(count) ** 2.5).astype(np.int64)
    trend = make_codes(world, "trend", popular, (day.number + popular) // _TREND_DAYS)
    audio = np.where(rng.random(count) < 0.65, trend, fresh[1])
    for code, share in effects.trending:
        audio = np.where(rng.random(count) < share, code, audio)

    # Spammers have no more links than others: they have the same one again and again.
    has_link = rng.random(count) < 0.15
    link = np.where(has_link, make_codes(world, "link", owner, rng.integers(0, 4, count)), NONE)

    media = fresh[2]
    repost = make_codes(world, "repost", rng.integers(0, _CAPTIONS, count), day.number // 7)
    media = np.where(rng.random(count) < 0.02, repost, media)
    stored = make_codes(world, "media", owner, rng.integers(0, 12, count))
    media = np.where(reuses & (rng.random(count) < 0.3), stored, media)
    return Fingerprints(caption, audio, link, media)
