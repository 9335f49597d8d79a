"""Who there is: creators and viewers as they are founded and as they register day by day."""

from __future__ import annotations

import numpy as np

from gnomon.simulate import account_events, traits
from gnomon.simulate.effects import Effects, Registrations
from gnomon.simulate.origins import Origins, draw_farm_origins, draw_origins
from gnomon.simulate.rows import Rows, write_ids, write_moments, write_words
from gnomon.simulate.seasons import HISTORY_DAYS
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    LANGUAGES,
    MINUTE,
    NEVER,
    NONE,
    REGION_SHARES,
    REGIONS,
    SETTLED,
    Day,
    Floats,
    Ints,
    World,
    draw_arrivals,
    draw_choices,
    draw_moments,
)

CHANNELS = np.array(["organic", "referral", "ads", "partner"])
KINDS = np.array(["viewer", "creator"])
_CHANNEL_SHARES = np.array([0.55, 0.20, 0.15, 0.10])
_FAKE_CHANNEL_SHARES = np.array([0.45, 0.30, 0.15, 0.10])
# The share of people who are there before the first day; the others come in the planned days.
_FOUNDING_SHARE = 0.75
# Fake viewers of standing operators, as a share of all viewers.
_FAKE_SHARE = 0.015
_HISTORY = HISTORY_DAYS * DAY
# What a registration says of each account.
_REGISTERED = (
    *("registered_at", "region", "channel", "operator", "weight"),
    *("device", "network", "payment", "email", "blocked"),
)


def found(world: World, state: State) -> None:
    """Fill an empty state with the people who registered in the two years before the start."""
    rng = world.draw_stream("founding")
    state.numbers["standing"] = state.numbers["operator"] = max(2, round(world.scale.creators / 100))
    creators = round(world.scale.creators * _FOUNDING_SHARE)
    viewers = round(world.scale.viewers * _FOUNDING_SHARE)
    fakes = round(viewers * _FAKE_SHARE)
    parts = []
    for count, is_creator, is_fake in ((creators, True, False), (viewers - fakes, False, False), (fakes, False, True)):
        # More and more of them: the platform has grown.
        age = (_HISTORY * rng.random(count) ** 1.5).astype(np.int64)
        parts.append(_draw_people(world, state, rng, world.start - HOUR - age, is_creator, is_fake))
    _admit(world, state, rng, parts, turns_over=world.scale.days)


def live(state: State, day: Day, effects: Effects) -> None:
    """Register the day's newcomers, those of scenarios among them, and write down who logs in."""
    rng = day.draw_stream("registrations")
    world = day.world
    share = (1 - _FOUNDING_SHARE) / world.scale.days
    weights = REGION_SHARES * effects.registrations_factor
    parts = []
    for expected, is_creator, is_fake in (
        (world.scale.creators * share, True, False),
        (world.scale.viewers * share * (1 - _FAKE_SHARE), False, False),
        (world.scale.viewers * share * _FAKE_SHARE, False, True),
    ):
        count = int(rng.poisson(expected * weights.sum()))
        moments = np.full(count, day.begins_at, dtype=np.int64)
        parts.append(_draw_people(world, state, rng, moments, is_creator, is_fake, weights, until=day.ends_at))
    newcomers = [*parts, *effects.registrations]
    numbers, blocked = _admit(world, state, rng, newcomers, turns_over=60)
    account_events.record(state, day, numbers, blocked, effects.signup_blocks)


def _draw_people(
    world: World,
    state: State,
    rng: np.random.Generator,
    registered: Ints,
    is_creator: bool,
    is_fake: bool,
    region_weights: Floats = REGION_SHARES,
    until: int = 0,
) -> Registrations:
    """Return people of one kind; with `until`, each registers at some moment from `registered` to it."""
    count = len(registered)
    region = draw_choices(rng, region_weights, count)
    if until:
        registered = draw_moments(rng, registered, np.full(count, until, dtype=np.int64), region)
    operator = np.full(count, NONE)
    if is_fake:
        operator = rng.integers(0, state.numbers["standing"], count)
    origins: Origins = draw_farm_origins(world, rng, operator, region) if is_fake else draw_origins(world, rng, region)
    return Registrations(
        scenario=int(NONE),
        registered_at=registered,
        region=region,
        channel=draw_choices(rng, _FAKE_CHANNEL_SHARES if is_fake else _CHANNEL_SHARES, count),
        is_fake=is_fake,
        operator=operator,
        weight=np.exp(1.1 * rng.standard_normal(count) - 0.6) * (0.4 if is_fake else 1.0),
        device=origins.device,
        network=origins.network,
        payment=origins.payment,
        email=origins.email,
        # A person is blocked now and then, an operator's script about as often as it gets through.
        blocked=rng.poisson(0.9 if is_fake else 0.12, count),
        is_creator=is_creator,
    )


def _admit(
    world: World, state: State, rng: np.random.Generator, parts: list[Registrations], turns_over: int
) -> tuple[Ints, Ints]:
    """Add newcomers to the ledgers in the order of time and post their rows; return numbers and blocked tries.

    `turns_over` is the number of days over which offenders among the creators turn bad.
    """
    columns = {name: np.concatenate([np.asarray(getattr(part, name)) for part in parts]) for name in _REGISTERED}
    columns |= {
        name: np.concatenate([np.full(len(part.region), getattr(part, name)) for part in parts])
        for name in ("is_fake", "is_creator", "scenario")
    }
    order = np.lexsort((rng.random(len(columns["region"])), columns["registered_at"]))
    columns = {name: values[order] for name, values in columns.items()}
    blocked, scenario = columns.pop("blocked"), columns.pop("scenario")
    accounts = state.accounts.append(**columns, creator=NONE, left_at=NEVER)
    traits.add_creators(world, state, rng, accounts[columns["is_creator"]], scenario[columns["is_creator"]], turns_over)
    state.outbox.post(rng, "accounts", _tabulate(state, rng, accounts))
    return accounts, blocked


def _tabulate(state: State, rng: np.random.Generator, accounts: Ints) -> Rows:
    people = state.accounts.take(accounts)
    registered = people["registered_at"]
    return {
        "account_id": write_ids("a", accounts),
        "account_kind": write_words(KINDS, people["is_creator"].astype(np.int64)),
        "signup_channel": write_words(CHANNELS, people["channel"]),
        "region": write_words(REGIONS, people["region"]),
        "language": write_words(LANGUAGES, people["region"]),
        "registered_at": write_moments(registered),
        "occurred_at": write_moments(registered),
        "ingested_at": write_moments(draw_arrivals(rng, registered, longest=SETTLED - MINUTE)),
    }


def draw_viewers(rng: np.random.Generator, state: State, region: Ints, moments: Ints) -> Ints:
    """Return for each moment a person of that region who has settled in by then, heavy users more often.

    -1 where nobody is. Fake viewers and creators are never drawn, so that the draw is the same
    whatever was decided about them.
    """
    accounts = state.accounts
    ordinary = ~accounts["is_creator"] & ~accounts["is_fake"]
    chosen = np.full(len(moments), NONE)
    luck = rng.random(len(moments))
    for place in range(len(REGIONS)):
        there = np.flatnonzero(region == place)
        people = np.flatnonzero(ordinary & (accounts["region"] == place))
        if len(people) == 0 or len(there) == 0:
            continue
        summed = np.cumsum(accounts["weight"][people])
        known = np.searchsorted(accounts["registered_at"][people], moments[there] - SETTLED, side="right")
        reach = np.where(known > 0, summed[np.maximum(known - 1, 0)], 0.0)
        rank = np.searchsorted(summed, luck[there] * reach, side="right")
        chosen[there] = np.where(known > 0, people[np.minimum(rank, np.maximum(known - 1, 0))], NONE)
    return chosen


def tell_truth(state: State) -> Rows:
    """Return the truth about accounts, one row per account: for evaluation only."""
    operator = state.accounts["operator"]
    names = np.array([f"operator-{n:04d}" for n in range(1, int(operator.max(initial=0)) + 2)])
    return {
        "account_id": write_ids("a", np.arange(state.accounts.count)),
        "operator_id": write_words(names, operator),
        "is_fake": state.accounts["is_fake"].copy(),
    }
