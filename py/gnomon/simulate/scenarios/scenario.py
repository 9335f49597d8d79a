"""One scenario of a world: what is played, from which day on, how large and how well hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gnomon.simulate.effects import Effects
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, NEVER, REGIONS, Bools, Day

# The operator of a fully hidden scenario begins to gather its accounts this many days ahead.
LONGEST_LEAD = 20


@dataclass(frozen=True)
class Scenario:
    """A scenario as loaded; days are numbers of the world's days, regions indexes into world.REGIONS.

    `days` None lasts for good. `regions` empty is everywhere; `policy` and `carrier` are -1 where
    the kind has none. `days_late` shifts the entry in the log of interventions, if there is one.
    """

    name: str
    kind: str
    why: str
    begins_on: int
    days: int | None
    size: float
    is_benign: bool = False
    # None where nobody hides.
    stealth: float | None = None
    adaptation: str = "none"
    is_logged: bool = True
    days_late: int = 0
    regions: tuple[int, ...] = ()
    policy: int = -1
    carrier: int = -1
    twin_of: str | None = None

    @property
    def starts_on(self) -> int:
        """Return the day on which its operator begins to gather accounts: never before day 0."""
        if self.stealth is None:
            return self.begins_on
        return max(0, self.begins_on - 1 - round(LONGEST_LEAD * self.stealth))

    @property
    def ends_on(self) -> int | None:
        """Return the first day after it, None if it lasts."""
        return None if self.days is None else self.begins_on + self.days

    def runs_on(self, day: int) -> bool:
        """Return whether it acts on that day."""
        return self.begins_on <= day and (self.ends_on is None or day < self.ends_on)

    def find_moment(self, start: int, day: int | None) -> int:
        """Return the first second of a day in a world that begins at `start`, NEVER for None."""
        return int(NEVER) if day is None else start + day * DAY


@dataclass(frozen=True)
class Turn:
    """One scenario's turn on one day: what it may read, and the effects that it adds to."""

    day: Day
    state: State
    scenario: Scenario
    number: int
    effects: Effects
    regions: Bools = field(init=False)

    def __post_init__(self) -> None:
        chosen = np.zeros(len(REGIONS), dtype=bool)
        chosen[list(self.scenario.regions) or slice(None)] = True
        object.__setattr__(self, "regions", chosen)

    @property
    def stealth(self) -> float:
        """Return how well it hides: 0 not at all, 1 as well as it can."""
        return self.scenario.stealth or 0.0

    @property
    def key(self) -> str:
        """Return the name of its ledger, topic and numbers in the state."""
        return f"scenario.{self.number}"

    @property
    def posts_per_day(self) -> float:
        """Return how many items the world uploads on a usual day."""
        return self.day.world.scale.creators * self.day.world.scale.posts_per_creator

    @property
    def impressions_per_day(self) -> float:
        """Return how many showings the world has on a usual day."""
        return self.day.world.scale.creators * self.day.world.scale.impressions_per_creator

    @property
    def impressions_per_viewer(self) -> float:
        """Return how many showings a viewer has on a usual day."""
        return self.day.world.scale.impressions_per_creator / self.day.world.scale.viewers_per_creator

    @property
    def registrations_per_day(self) -> float:
        """Return how many people register on a usual day: a quarter of all come in the planned days."""
        scale = self.day.world.scale
        return 0.25 * (scale.creators + scale.viewers) / scale.days

    def draw_stream(self, topic: str) -> np.random.Generator:
        """Return the scenario's stream of `topic` for this day; no other scenario moves it."""
        return self.day.draw_stream(f"scenario {self.scenario.name} {topic}")

    def draw_lasting_stream(self, topic: str) -> np.random.Generator:
        """Return the scenario's stream of `topic` that is the same on every day."""
        return self.day.world.draw_stream(f"scenario {self.scenario.name} {topic}")
