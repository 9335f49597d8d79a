"""What differs between one world and another."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

CATALOG = "world"


@dataclass(frozen=True)
class Shape:
    """The switches of a world; all that its tables and definitions are drawn from."""

    seed: int
    start: date
    days: int
    order_grain: str  # the finest grain of orders' clock, hour or finer
    visit_grain: str
    orders_by_hour: bool  # orders count at their hour, not at their day
    visits_by_day: bool  # visits count at their day, not at their clock
    has_partition: bool  # stores are kept per day, orders say which day's row is theirs
    has_latest_listings: bool  # listings have a table of now beside their history
    orders_have_key: bool  # orders name a primary entity by a column, or only by name
    has_bridge: bool  # a table between users and groups, which no question may join through
    spine_cuts_days: int  # so many days at either end have data but no day in the time spine
    orders: int
    visits: int

    @property
    def end(self) -> date:
        """The last day with data."""
        return self.start + timedelta(days=self.days - 1)

    @property
    def spine(self) -> tuple[date, date]:
        """The first and the last day of the time spines."""
        margin = timedelta(days=-self.spine_cuts_days if self.spine_cuts_days else 45)
        return self.start - margin, self.end + margin

    @property
    def lacks(self) -> frozenset[str]:
        """The features that no question over the world can have, or few."""
        grains = ("millisecond", "second", "minute", "hour")
        finest = min(grains.index(self.order_grain), grains.index(self.visit_grain))
        lacking = [f"grain_{grain}" for grain in grains[:finest]]
        lacking += [] if self.has_partition else ["partition"]
        return frozenset(lacking + (["virtual_entity"] if self.orders_have_key else []))


def draw_shape(seed: int) -> Shape:
    """Return the shape of the world of a seed."""
    rng = random.Random(f"shape {seed}")
    order_grain = rng.choice(["hour", "hour", "minute", "second", "millisecond"])
    visit_grain = rng.choice(["hour", "hour", "minute", "second"])
    # Only days and hours have a time spine, which cumulative metrics and offsets need.
    return Shape(
        seed=seed,
        start=date(2023, 12, 1) + timedelta(days=rng.randrange(60)),
        days=rng.randrange(50, 120),
        order_grain=order_grain,
        visit_grain=visit_grain,
        orders_by_hour=order_grain == "hour" and rng.random() < 0.3,
        visits_by_day=visit_grain != "hour" or rng.random() < 0.4,
        has_partition=rng.random() < 0.6,
        has_latest_listings=rng.random() < 0.6,
        orders_have_key=rng.random() < 0.7,
        has_bridge=rng.random() < 0.3,
        spine_cuts_days=rng.choice([0, 0, 0, 2]),
        orders=rng.randrange(250, 600),
        visits=rng.randrange(300, 800),
    )
