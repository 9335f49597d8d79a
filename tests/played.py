"""Small worlds with scenarios in them, lived for some days without the rest of a platform's life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from gnomon.simulate import catalogue, content, enforcement, engagement, people, policies
from gnomon.simulate.effects import Effects
from gnomon.simulate.engagement import Acts
from gnomon.simulate.scale import SCALES
from gnomon.simulate.scenarios import Scenario, collect_effects, place_pushes, tell_members
from gnomon.simulate.scenarios.kinds import KINDS
from gnomon.simulate.state import State
from gnomon.simulate.world import Day, Ints, World, make_world

START = date(2026, 3, 2)


def play(kind: str, size: float, begins_on: int = 5, days: int | None = None, **more: object) -> Scenario:
    benign = KINDS[kind].is_benign
    return Scenario(f"the_{kind}", kind, "a test", begins_on, days, size, is_benign=benign, **more)  # type: ignore[arg-type]


def make(*scenarios: Scenario, days: int = 30, creators: int = 300, seed: int = 11, scale: str = "tiny") -> World:
    return make_world(seed, replace(SCALES[scale], days=days, creators=creators), START, scenarios)


def found(world: World) -> State:
    state = State()
    policies.found(world, state)
    people.found(world, state)
    catalogue.found(world, state)
    return state


@dataclass
class Lived:
    """A world after some days, with the effects and the acts of each."""

    world: World
    state: State
    effects: list[Effects]
    acts: list[Acts]

    def members(self, role: str = "member", number: int = 0) -> Ints:
        told = tell_members(self.world, self.state)
        names = (told["scenario"].to_pylist(), told["role"].to_pylist(), told["account_id"].to_pylist())
        wanted = (self.world.scenarios[number].name, role)
        return np.array([int(i[1:]) - 1 for s, r, i in zip(*names, strict=True) if (s, r) == wanted], dtype=np.int64)

    def items(self, number: int = 0) -> Ints:
        return np.flatnonzero(self.state.items["scenario"] == number)


def live(
    world: World,
    days: int,
    state: State | None = None,
    meddle: Callable[[State, Day], None] | None = None,
    enforced: bool = True,
) -> Lived:
    """Live some days with the parts of a day that scenarios work through; the incumbent may stand idle."""
    lived = Lived(world, state or found(world), [], [])
    for _ in range(days):
        day = world.day(lived.state.next_day)
        if meddle:
            meddle(lived.state, day)
        effects = collect_effects(lived.state, day)
        people.live(lived.state, day, effects)
        catalogue.list_products(lived.state, day)
        content.upload(lived.state, day, effects)
        place_pushes(lived.state, day, effects)
        if enforced:
            enforcement.enforce(lived.state, day, effects, None)
        lived.acts.append(engagement.act(lived.state, day, effects))
        lived.effects.append(effects)
        lived.state.outbox.collect(day.ends_at)
        lived.state.next_day += 1
    return lived
