"""When and how often: human rhythm, bursts of scripts, counts from one uniform each."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, HOUR, REGION_HOURS, Floats, Ints, draw_delays, draw_moments

_BURSTS_PER_DAY = 2
_MOST = 200


def draw_counts(luck: Floats, rate: Floats) -> Ints:
    """Return Poisson counts with these means by inversion, one uniform each; at most 200."""
    counts = np.zeros(len(rate), dtype=np.int64)
    chance = np.exp(-rate)
    summed = chance.copy()
    left = luck >= summed
    step = 0
    while left.any() and step < _MOST:
        step += 1
        chance = chance * rate / step
        counts += left
        summed = summed + chance
        left &= luck >= summed
    return counts


def round_up_by_luck(value: float, luck: float) -> int:
    """Return a whole number whose mean over uniform `luck` is `value`."""
    return int(np.floor(value + luck))


def draw_rhythm(turn: Turn, rng: np.random.Generator, region: Ints) -> Ints:
    """Return a moment of the day per element: as people's days go, for the share that stealth hides.

    The others fall into two bursts of the day, within minutes of each other.
    """
    count = len(region)
    low = np.full(count, turn.day.begins_at, dtype=np.int64)
    human = draw_moments(rng, low, low + DAY, region)
    which = rng.integers(0, _BURSTS_PER_DAY, count)
    # Evenings of the scenario's main region, at another minute each day.
    home = int(np.flatnonzero(turn.regions)[0])
    code = make_codes(turn.day.world, f"burst {turn.scenario.name}", turn.day.number, which)
    evening = (11 + 9 * which - int(REGION_HOURS[home])) % 24 * HOUR + code % (2 * HOUR)
    burst = turn.day.begins_at + evening % (DAY - 2 * HOUR) + draw_delays(rng, count, 120, 0.9)
    hides = rng.random(count) < turn.stealth
    return np.minimum(np.where(hides, human, burst), turn.day.ends_at - 1)
