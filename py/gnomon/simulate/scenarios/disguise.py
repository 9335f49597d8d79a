"""What an operator's accounts seem to come from: its own few things, or what people's come from."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.origins import Origins, draw_origins
from gnomon.simulate.scenarios.rhythm import draw_counts
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import Floats, Ints, draw_choices

_CHANNEL_SHARES = np.array([0.55, 0.20, 0.15, 0.10])
_FAKE_CHANNEL_SHARES = np.array([0.25, 0.60, 0.10, 0.05])
# How many accounts of an operator share one of its things: with stealth 1, and how many more with 0.
_CROWDS = {"device": (2.0, 18.0), "network": (3.0, 60.0), "payment": (2.0, 60.0), "email": (4.0, 200.0)}


def draw_disguise(turn: Turn, rng: np.random.Generator, region: Ints, wave: int) -> Origins:
    """Return the fingerprints of accounts that the operator gathers in one wave.

    The share that stealth hides comes from what people's come from: families, carriers' networks,
    resold phones. The others share the operator's own, the fewer accounts on each the better it hides.
    """
    count = len(region)
    ordinary = draw_origins(turn.day.world, rng, region)
    columns = {}
    for name, (least, more) in _CROWDS.items():
        crowd = least + more * (1.0 - turn.stealth) ** 2
        things = max(1, int(np.ceil(count / crowd)))
        topic = f"scenario {turn.scenario.name} {name}"
        own = make_codes(turn.day.world, topic, wave, rng.integers(0, things, count))
        hides = rng.random(count) < turn.stealth
        columns[name] = np.where(hides, getattr(ordinary, name), own)
    return Origins(**columns)


def draw_channels(rng: np.random.Generator, count: int, stealth: float) -> Ints:
    """Return sign-up channels: mostly by referral without stealth, as people's with it."""
    shares = stealth * _CHANNEL_SHARES + (1.0 - stealth) * _FAKE_CHANNEL_SHARES
    return draw_choices(rng, shares, count)


def draw_volumes(rng: np.random.Generator, count: int, stealth: float) -> Floats:
    """Return how much each account does, mean about 1: all alike without stealth, as people with it."""
    return np.exp(1.1 * stealth * rng.standard_normal(count) - 0.6 * stealth**2)


def draw_blocks(rng: np.random.Generator, count: int, stealth: float) -> Ints:
    """Return how many attempts of each account are blocked before it gets through."""
    return draw_counts(rng.random(count), np.full(count, 0.12 + 1.3 * (1.0 - stealth)))
