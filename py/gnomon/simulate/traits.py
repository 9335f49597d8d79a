"""What drives a creator: how much it posts, whom it reaches, and whether it is going to turn bad."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.origins import draw_farm_origins, name_studio_networks
from gnomon.simulate.state import State
from gnomon.simulate.world import CATEGORIES, DAY, NEVER, NONE, Bools, Floats, Ints, World, draw_delays

_OFFENDER_SHARE = 0.06
# The mean of post_rate before offenders are told apart: it is divided by this.
_MEAN_POST_RATE = float(np.exp(0.5 * (0.6**2 + 0.9**2)))
_PARETO_TAIL = 1.6


def add_creators(
    world: World, state: State, rng: np.random.Generator, accounts: Ints, scenario: Ints, turns_over: int
) -> None:
    """Give each of these accounts its row among the creators; those of a scenario are its operator's."""
    count = len(accounts)
    if count == 0:
        return
    registered = state.accounts["registered_at"][accounts]
    talent = rng.standard_normal(count)
    post_rate = np.exp(0.6 * talent + 0.9 * rng.standard_normal(count)) / _MEAN_POST_RATE
    audience = _draw_audience(rng, talent)
    operator = state.accounts["operator"][accounts].copy()
    of_scenario = scenario >= 0
    lone = _mark_offenders(state, rng, post_rate, operator, of_scenario)
    is_run = operator >= 0

    bad_rate = rng.beta(0.5, 20.0, count)
    bad_rate = np.where(lone, rng.uniform(0.25, 0.55, count), bad_rate)
    bad_rate = np.where(is_run, rng.uniform(0.4, 0.7, count), bad_rate)
    # They turn bad one after the other, or all would be banned in the first weeks.
    turns_at = np.maximum(registered, world.start) + (rng.uniform(-0.3, 0.75, count) * turns_over * DAY).astype(
        np.int64
    )
    turns_at = np.where(of_scenario, registered, turns_at)
    quality = np.clip(rng.beta(5.0, 3.0, count) + 0.05 * talent - np.where(is_run | lone, 0.12, 0.0), 0.02, 0.98)

    standing = np.argsort(np.argsort(audience)) / count
    tier = np.select([standing < 0.58, standing < 0.87], [1, 2], 3).astype(np.int64)
    has_agency = (rng.random(count) < np.array([0.0, 0.08, 0.3, 0.55])[tier]) & ~of_scenario
    agency = np.where(has_agency, rng.integers(0, max(2, world.scale.creators // 40), count), NONE)
    quits = rng.random(count) < 0.22
    quits_at = np.maximum(registered, world.start) + draw_delays(rng, count, 0.5 * world.scale.days * DAY, 0.7)
    returns = quits & (rng.random(count) < 0.35)
    returns_at = quits_at + draw_delays(rng, count, 24 * DAY, 0.6)

    numbers = state.creators.append(
        account=accounts,
        category=rng.integers(0, len(CATEGORIES), count),
        post_rate=post_rate * np.where(is_run | lone, 1.3, 1.0),
        audience=audience * np.where(is_run, 0.6, 1.0),
        quality=quality,
        bad_rate=bad_rate,
        operator=operator,
        turns_at=np.where(is_run | lone, turns_at, NONE),
        # The first 30 days everybody is new.
        tier=np.where(registered > world.start - 30 * DAY, 0, tier),
        agency=agency,
        quits_at=np.where(quits, quits_at, NEVER),
        returns_at=np.where(returns, returns_at, NEVER),
        violation_count=0,
        limited_at=NEVER,
        limited_until=NEVER,
        suspended_at=NEVER,
        suspended_until=NEVER,
        banned_at=NEVER,
        banned_until=NEVER,
        favour=1.0,
    )
    state.accounts["creator"][accounts] = numbers
    _move_in(world, state, rng, accounts, operator, agency, of_scenario)


def _draw_audience(rng: np.random.Generator, talent: Floats) -> Floats:
    """Return reach with mean about 1: log-normal in the middle, a Pareto tail for one in twenty."""
    count = len(talent)
    body = np.exp(0.8 * talent + 0.7 * rng.standard_normal(count) - 1.1)
    star = (1.0 - rng.random(count)) ** (-1.0 / _PARETO_TAIL)
    reach: Floats = np.minimum(body * np.where(rng.random(count) < 0.05, 4.0 * star, 1.0), 2000.0)
    return reach


def _mark_offenders(
    state: State,
    rng: np.random.Generator,
    post_rate: Floats,
    operator: Ints,
    of_scenario: Bools,
) -> Bools:
    """Mark some creators as offenders: every other one gets a standing operator, the others stand alone.

    They are taken at even steps along activity, so that a small world has its share of each.
    """
    count = len(post_rate)
    wanted = int(np.floor(count * _OFFENDER_SHARE + rng.random()))
    lone = np.zeros(count, dtype=bool)
    if wanted:
        steps = np.floor((np.arange(wanted) + rng.random()) * count / wanted).astype(np.int64)
        chosen = np.argsort(post_rate)[steps]
        chosen = chosen[~of_scenario[chosen]]
        operator[chosen[::2]] = (np.arange(len(chosen[::2])) + rng.integers(0, 2**20)) % state.numbers["standing"]
        lone[chosen[1::2]] = True
    return lone


def _move_in(
    world: World,
    state: State,
    rng: np.random.Generator,
    accounts: Ints,
    operator: Ints,
    agency: Ints,
    of_scenario: Bools,
) -> None:
    """Put operators' creators on their farms and agencies' creators into their studios."""
    region = state.accounts["region"][accounts]
    farm = draw_farm_origins(world, rng, np.maximum(operator, 0), region)
    runs = (operator >= 0) & ~of_scenario
    state.accounts["operator"][accounts] = operator
    for name in ("device", "network", "payment", "email"):
        state.accounts[name][accounts[runs]] = getattr(farm, name)[runs]
    placed = agency >= 0
    state.accounts["network"][accounts[placed]] = name_studio_networks(world, agency[placed])
