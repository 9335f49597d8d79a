"""The world's clock, places, seasons and streams of chance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.scale import Scale

if TYPE_CHECKING:
    from gnomon.simulate.scenarios import Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

MINUTE = 60
HOUR = 3600
DAY = 86400
WEEK = 7 * DAY

# An account acts, and an item is seen, this long after it came at the earliest; the row about it is known by then.
SETTLED = 10 * MINUTE

# A moment that does not come, and the index of something that is not there.
NEVER = np.int64(2**60)
NONE = np.int64(-1)

REGIONS = np.array(["ID", "TH", "VN", "PH", "MY", "SG", "GB", "US"])
REGION_SHARES = np.array([0.34, 0.15, 0.16, 0.12, 0.08, 0.03, 0.05, 0.07])
REGION_HOURS = np.array([7, 7, 7, 8, 8, 8, 0, -5])
LANGUAGES = np.array(["id", "th", "vi", "fil", "ms", "en", "en", "en"])
LANGUAGE_NAMES = np.array(["id", "th", "vi", "fil", "ms", "en"])
REGION_LANGUAGE = np.array([0, 1, 2, 3, 4, 5, 5, 5])
CURRENCIES = np.array(["IDR", "THB", "VND", "PHP", "MYR", "SGD", "GBP", "USD"])
# Rough units of a currency per US dollar: they set price levels only, no metric converts with them.
UNITS_PER_DOLLAR = np.array([16000.0, 35.0, 25500.0, 57.0, 4.4, 1.33, 0.78, 1.0])
CATEGORIES = np.array(["beauty", "fashion", "food", "home", "electronics", "fitness", "pets", "comedy"])

# Monday to Sunday, then midnight to 23 h local time. Both are invented shapes with mean about 1.
_WEEKDAYS = np.array([0.94, 0.92, 0.94, 0.97, 1.04, 1.11, 1.08])
_HOURS = np.array(
    [
        *(0.50, 0.30, 0.20, 0.15, 0.20, 0.35, 0.60, 0.80, 0.90, 0.95, 1.00, 1.15),
        *(1.30, 1.20, 1.05, 1.00, 1.05, 1.20, 1.45, 1.75, 1.95, 1.90, 1.50, 0.95),
    ]
)
SEASON_PEAK = float(_WEEKDAYS.max() * _HOURS.max())


@dataclass(frozen=True)
class World:
    """What decides every row; moments are seconds since 1970 in UTC."""

    seed: int
    start: int
    scale: Scale
    scenarios: tuple[Scenario, ...] = ()

    @property
    def planned_end(self) -> int:
        """Return the end of the planned days; a world that is stepped on goes past it."""
        return self.start + self.scale.days * DAY

    @property
    def widened_at(self) -> int:
        """Return when version 2 of misleading_claims comes into force: in the middle of the planned days."""
        return self.start + self.scale.days // 2 * DAY

    def draw_stream(self, topic: str) -> np.random.Generator:
        """Return the stream of `topic`: counter based, and no other topic's draws move it."""
        key = hashlib.sha256(f"gnomon.simulate {self.seed} {topic}".encode()).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))

    def day(self, number: int) -> Day:
        """Return a day of the world; day 0 begins at its start."""
        return Day(self, number)


@dataclass(frozen=True)
class Day:
    """One UTC day of a world: [begins_at, ends_at)."""

    world: World
    number: int

    @property
    def begins_at(self) -> int:
        """Return the first second of the day."""
        return self.world.start + self.number * DAY

    @property
    def ends_at(self) -> int:
        """Return the first second after the day."""
        return self.begins_at + DAY

    @property
    def date(self) -> date:
        """Return the day as a date."""
        return date(1970, 1, 1) + timedelta(seconds=self.begins_at)

    def draw_stream(self, topic: str) -> np.random.Generator:
        """Return this day's stream of `topic`.

        Common random numbers: draw one number per entity in the order of the ledger, whatever was
        decided about it, and apply decisions afterwards, so that a world and its twin differ only
        where decisions matter.
        """
        return self.world.draw_stream(f"{topic} day {self.number}")


def make_world(seed: int, scale: Scale, start: date, scenarios: tuple[Scenario, ...] = ()) -> World:
    """Return the world of these arguments, which begins at midnight UTC of `start`."""
    return World(seed=seed, start=(start - date(1970, 1, 1)).days * DAY, scale=scale, scenarios=scenarios)


def weigh_weekday(day: Day) -> float:
    """Return how busy a UTC day is by its weekday, mean about 1."""
    return float(_WEEKDAYS[day.date.weekday()])


def weigh_season(moments: Ints, regions: Ints) -> Floats:
    """Return how busy each moment is in its region, by local weekday and hour."""
    local = moments + REGION_HOURS[regions] * HOUR
    # 1970-01-01 was a Thursday.
    weekdays = (local // DAY + 3) % 7
    return np.asarray(_WEEKDAYS[weekdays] * _HOURS[local % DAY // HOUR], dtype=np.float64)


def draw_moments(rng: np.random.Generator, low: Ints, high: Ints, regions: Ints) -> Ints:
    """Return one moment in each [low, high), dense where the region's season is busy.

    Inverse transform of the summed hourly season. Where low ≥ high the answer is `low`.
    """
    if len(low) == 0:
        return np.zeros(0, dtype=np.int64)
    shift = REGION_HOURS[regions] * HOUR
    first = int((low + shift).min()) // HOUR * HOUR
    last = int((high + shift).max()) + HOUR
    edges = np.arange(first, last + HOUR, HOUR, dtype=np.int64)
    busy = _WEEKDAYS[(edges[:-1] // DAY + 3) % 7] * _HOURS[edges[:-1] % DAY // HOUR]
    summed = np.concatenate([[0.0], np.cumsum(busy)])
    from_sum = np.interp(low + shift, edges, summed)
    to_sum = np.interp(high + shift, edges, summed)
    drawn = from_sum + rng.random(len(low)) * np.maximum(to_sum - from_sum, 0.0)
    local = np.floor(np.interp(drawn, summed, edges)).astype(np.int64)
    return np.asarray(np.clip(local - shift, low, np.maximum(high - 1, low)), dtype=np.int64)


def draw_delays(rng: np.random.Generator, count: int, median: float, spread: float) -> Ints:
    """Return `count` log-normal delays in whole seconds, at least 1, with this median in seconds."""
    return np.maximum(np.round(median * np.exp(spread * rng.standard_normal(count))), 1).astype(np.int64)


def draw_arrivals(
    rng: np.random.Generator,
    occurred: Ints,
    median: float = 2 * MINUTE,
    late_share: float = 0.0,
    longest: float = np.inf,
) -> Ints:
    """Return when rows become known: a delay, for a share of them days, then the next batch.

    Batches land every ten minutes, as logs do. What others refer to has a `longest` delay.
    """
    count = len(occurred)
    delays = np.minimum(draw_delays(rng, count, median, 0.8), longest).astype(np.int64)
    late = rng.random(count) < late_share
    delays = delays + np.where(late, rng.integers(DAY, 5 * DAY, count), 0)
    batch = 10 * MINUTE
    return -(-(occurred + delays) // batch) * batch


def draw_choices(rng: np.random.Generator, shares: Floats, count: int) -> Ints:
    """Return `count` indices, each drawn with the given shares."""
    edges = np.cumsum(shares / shares.sum())
    return np.minimum(np.searchsorted(edges, rng.random(count), side="right"), len(shares) - 1).astype(np.int64)
