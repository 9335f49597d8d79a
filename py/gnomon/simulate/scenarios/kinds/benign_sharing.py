"""Benign twins of matrix accounts and registration attacks: people who share things, and people who come at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.origins import draw_origins
from gnomon.simulate.scenarios.actions import add_visits, draw_by_weight, find_recent
from gnomon.simulate.scenarios.crew import CLIENT, TOUCHED, note_accounts, open_crew, take_clients
from gnomon.simulate.scenarios.crowds import find_people, register_people
from gnomon.simulate.scenarios.kinds.kind import Kind
from gnomon.simulate.scenarios.rhythm import draw_counts, round_up_by_luck
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, HOUR, REGION_SHARES, draw_choices, draw_moments

_ORGANIC, _REFERRAL = 0, 1
_STAFF_PER_SHOP = 5
_NETWORKS = 3
# How many come through one inviter on average.
_PER_INVITER = 8


def _hire_staff(turn: Turn) -> None:
    """Register the staff of some shops: each shop's people share its tablet and its network."""
    rng, world = turn.draw_stream("staff"), turn.day.world
    shops = max(1, round(turn.scenario.size * world.scale.viewers / _STAFF_PER_SHOP))
    shop = np.repeat(np.arange(shops), _STAFF_PER_SHOP)
    region = draw_choices(rng, REGION_SHARES * turn.regions, shops)[shop]
    own = draw_origins(world, rng, region)
    key = f"scenario {turn.scenario.name}"
    # Two in ten use their own phone, in the shop's network all the same.
    origins = replace(
        own,
        device=np.where(rng.random(len(shop)) < 0.8, make_codes(world, f"{key} device", shop), own.device),
        network=make_codes(world, f"{key} network", shop),
    )
    # In the shop's first hours, one after the other.
    opens = turn.day.begins_at + rng.integers(1, 12, shops)[shop] * HOUR
    moments = opens + rng.integers(0, 2 * HOUR, len(shop))
    register_people(turn, moments, region, np.full(len(shop), _ORGANIC), origins)
    take_clients(turn, shops)


def _serve_shops(turn: Turn) -> None:
    """Let the staff look at their shops' items, and like them more than others do."""
    crew = open_crew(turn)
    rng = turn.draw_stream("visits")
    staff = crew["account"][crew["role"] == TOUCHED]
    items, weight = find_recent(turn, crew["creator"][crew["role"] == CLIENT], 5)
    counts = draw_counts(rng.random(len(staff)), np.full(len(staff), 0.5 * turn.impressions_per_viewer))
    viewer = np.repeat(staff, counts)
    luck = rng.random(len(viewer))
    if len(viewer) == 0 or len(items) == 0:
        return
    low = np.full(len(viewer), turn.day.begins_at, dtype=np.int64)
    shown = draw_moments(rng, low, low + DAY, turn.state.accounts["region"][viewer])
    add_visits(turn, draw_by_weight(items, weight, luck), viewer, shown, 0.35)


def _move_behind_carrier(turn: Turn) -> None:
    """Put a share of the people onto a few networks at once, and leave them there: a carrier changed its addresses."""
    accounts = turn.state.accounts
    people = find_people(turn)
    luck = turn.draw_stream("who").random(accounts.count)[people]
    moved = people[luck < turn.scenario.size]
    which = turn.draw_stream("which").integers(0, _NETWORKS, accounts.count)[moved]
    topic = f"scenario {turn.scenario.name} network"
    accounts["network"][moved] = make_codes(turn.day.world, topic, accounts["region"][moved], which)
    note_accounts(turn, moved, TOUCHED)


def _stay(turn: Turn) -> None:
    """Do nothing more: those who moved stay."""


def _resell_phones(turn: Turn) -> None:
    """Register people on phones that others used before; those have another phone now."""
    rng, accounts = turn.draw_stream("phones"), turn.state.accounts
    count = round_up_by_luck(turn.scenario.size * turn.registrations_per_day, rng.random())
    people = find_people(turn)
    people = people[accounts["registered_at"][people] < turn.day.begins_at - 30 * DAY]
    # Nobody sells twice.
    people = people[~np.isin(people, open_crew(turn)["account"])]
    luck = turn.draw_stream("former owners").random(accounts.count)[people]
    former = people[np.argsort(luck, kind="stable")[:count]]
    region = accounts["region"][former]
    origins = replace(draw_origins(turn.day.world, rng, region), device=accounts["device"][former].copy())
    low = np.full(len(former), turn.day.begins_at, dtype=np.int64)
    moments = draw_moments(rng, low, low + DAY, region)
    register_people(turn, moments, region, np.full(len(former), _ORGANIC), origins)
    accounts["device"][former] = rng.integers(1, 2**48, len(former), dtype=np.int64)
    note_accounts(turn, former, TOUCHED)


def _refer(turn: Turn) -> None:
    """Register people whom others invited: in clusters around an inviter, within hours, some in one home."""
    rng, world = turn.draw_stream("referrals"), turn.day.world
    count = round_up_by_luck(turn.scenario.size * turn.registrations_per_day, rng.random())
    inviters = max(1, count // _PER_INVITER)
    inviter = rng.integers(0, inviters, count)
    region = draw_choices(rng, REGION_SHARES * turn.regions, inviters)[inviter]
    low = np.full(inviters, turn.day.begins_at, dtype=np.int64)
    begins = draw_moments(rng, low, low + 20 * HOUR, draw_choices(rng, REGION_SHARES * turn.regions, inviters))
    moments = begins[inviter] + (rng.random(count) ** 2 * 4 * HOUR).astype(np.int64)
    own = draw_origins(world, rng, region)
    home = make_codes(world, f"scenario {turn.scenario.name} home", turn.day.number, inviter)
    origins = replace(own, network=np.where(rng.random(count) < 0.25, home, own.network))
    channel = np.where(rng.random(count) < 0.95, _REFERRAL, _ORGANIC)
    register_people(turn, moments, region, channel, origins)


KINDS = (
    Kind(
        name="shop_staff",
        size="staff accounts, as a share of the world's viewers",
        least=0.0001,
        most=0.2,
        recruit=_hire_staff,
        act=_serve_shops,
        is_benign=True,
    ),
    Kind(
        name="carrier_nat",
        size="share of the people of its regions who come from a few networks from then on",
        least=0.001,
        most=1.0,
        recruit=_move_behind_carrier,
        act=_stay,
        is_benign=True,
    ),
    Kind(
        name="resold_phones",
        size="registrations a day on used phones, as a multiple of the usual day's registrations",
        least=0.01,
        most=5.0,
        act=_resell_phones,
        is_benign=True,
    ),
    Kind(
        name="referral_surge",
        size="registrations a day by referral, as a multiple of the usual day's registrations",
        least=0.01,
        most=50.0,
        act=_refer,
        is_benign=True,
    ),
)
