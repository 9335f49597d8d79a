"""Who there is: creators, viewers, the operators behind some of them, and the events of their accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.rows import Rows, hide, number_ids, order_by_time, pick, show_hashes, show_moments
from gnomon.simulate.world import (
    CATEGORIES,
    DAY,
    HOUR,
    LANGUAGES,
    MINUTE,
    NEVER,
    NONE,
    REGION_SHARES,
    REGIONS,
    Bools,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
    draw_choices,
    draw_codes,
    draw_delays,
    draw_moments,
)

CHANNELS = np.array(["organic", "referral", "ads", "partner"])
CHANNEL_SHARES = np.array([0.55, 0.20, 0.15, 0.10])
FAKE_CHANNEL_SHARES = np.array([0.25, 0.60, 0.10, 0.05])

OFFENDER_SHARE = 0.08
FAKE_SHARE = 0.06


@dataclass(frozen=True)
class Accounts:
    """All accounts in the order of registration; an account's index here is its index everywhere."""

    account_id: Texts
    is_creator: Bools
    region: Ints
    channel: Ints
    registered_at: Ints
    ingested_at: Ints
    weight: Floats
    operator: Ints
    is_fake: Bools

    @property
    def count(self) -> int:
        """Return how many accounts there are."""
        return len(self.region)


@dataclass(frozen=True)
class Creators:
    """What drives each creator; `account` is its index among the accounts, ascending."""

    account: Ints
    category: Ints
    post_rate: Floats
    audience: Floats
    bad_rate: Floats
    operator: Ints
    turns_at: Ints
    base_tier: Ints
    agency: Ints
    quits_at: Ints

    @property
    def count(self) -> int:
        """Return how many creators there are."""
        return len(self.account)


def draw_accounts(world: World) -> tuple[Accounts, Creators]:
    """Return the accounts, and the creators among them, that are known by the world's end."""
    rng = world.draw_stream("accounts")
    operators = max(2, round(world.creators / 100))
    viewers = round(world.creators * 25 / 3)
    fakes = round(viewers * FAKE_SHARE)
    count = world.creators + viewers
    is_creator = np.arange(count) < world.creators
    # The last viewers are the fake ones; sorting by registration mixes them in.
    is_fake = np.arange(count) >= count - fakes
    in_wave = is_fake & (rng.random(count) < 0.7)

    region = draw_choices(rng, REGION_SHARES, count)
    joins_late = rng.random(count) < 0.25
    old = world.start - (730 * DAY * rng.random(count) ** 1.5).astype(np.int64) - HOUR
    span = np.full(count, world.start, dtype=np.int64), np.full(count, world.end, dtype=np.int64)
    registered = np.where(joins_late | is_fake, draw_moments(rng, *span, region), old)
    wave = tuple(np.full(count, moment, dtype=np.int64) for moment in world.burst)
    registered = np.where(in_wave, draw_moments(rng, wave[0], wave[1], region), registered)
    channel = draw_choices(rng, CHANNEL_SHARES, count)
    channel = np.where(is_fake, draw_choices(rng, FAKE_CHANNEL_SHARES, count), channel)
    weight = np.where(is_fake, 0.15, 1.0) * np.exp(1.1 * rng.standard_normal(count))
    ingested = draw_arrivals(rng, registered)
    operator = np.where(is_fake & (rng.random(count) < 0.8), rng.integers(0, operators, count), NONE)

    traits = _draw_traits(world, registered[: world.creators], region[: world.creators], operators)
    operator[: world.creators] = traits.operator
    order = order_by_time(rng, registered)
    order = order[ingested[order] <= world.end]
    accounts = Accounts(
        account_id=number_ids("a", len(order)),
        is_creator=is_creator[order],
        region=region[order],
        channel=channel[order],
        registered_at=registered[order],
        ingested_at=ingested[order],
        weight=weight[order],
        operator=operator[order],
        is_fake=is_fake[order],
    )
    return accounts, _place_creators(traits, order)


def _draw_traits(world: World, registered: Ints, region: Ints, operators: int) -> Creators:
    """Return the creators' traits in the order they were drawn; `account` is that order."""
    rng = world.draw_stream("creators")
    count = world.creators
    talent = rng.standard_normal(count)
    post_rate = np.exp(0.6 * talent + 0.9 * rng.standard_normal(count))
    audience = np.exp(0.9 * talent + 0.9 * rng.standard_normal(count))
    # Offenders are taken at even steps along activity, so that a small world has its share too.
    offenders = max(2, round(count * OFFENDER_SHARE))
    steps = np.floor((np.arange(offenders) + rng.random()) * count / offenders).astype(np.int64)
    chosen = np.argsort(post_rate)[steps]
    operator = np.full(count, NONE)
    operator[chosen[::2]] = np.arange(len(chosen[::2])) % operators
    is_lone = np.zeros(count, dtype=bool)
    is_lone[chosen[1::2]] = True
    bad_rate = rng.beta(0.5, 20.0, count)
    bad_rate = np.where(is_lone, rng.uniform(0.3, 0.6, count), bad_rate)
    bad_rate = np.where(operator >= 0, rng.uniform(0.5, 0.75, count), bad_rate)
    # They turn bad one after the other, or all would be banned in the first weeks.
    turns_at = world.start + (rng.uniform(-0.3, 0.75, count) * (world.end - world.start)).astype(np.int64)
    turns_at = np.where((operator >= 0) | is_lone, turns_at, NONE)
    audience = audience * np.where(operator >= 0, 0.5, 1.0)
    post_rate = post_rate * np.where((operator >= 0) | is_lone, 1.3, 1.0)

    standing = np.argsort(np.argsort(audience)) / count
    base_tier = np.select([standing < 0.58, standing < 0.87], [1, 2], 3).astype(np.int64)
    has_agency = rng.random(count) < np.array([0.0, 0.08, 0.3, 0.55])[base_tier]
    agency = np.where(has_agency, rng.integers(0, max(2, count // 40), count), NONE)
    quits = rng.random(count) < 0.22
    quits_at = np.maximum(registered, world.start) + draw_delays(rng, count, 0.5 * world.days * DAY, 0.7)
    return Creators(
        account=np.arange(count),
        category=rng.integers(0, len(CATEGORIES), count),
        post_rate=post_rate,
        audience=audience,
        bad_rate=bad_rate,
        operator=operator,
        turns_at=turns_at,
        base_tier=base_tier,
        agency=agency,
        quits_at=np.where(quits, quits_at, NEVER),
    )


def _place_creators(traits: Creators, order: Ints) -> Creators:
    """Return the creators in account order; `order` lists the drawn accounts that are known."""
    account = np.flatnonzero(order < traits.count)
    drawn = order[account]
    return Creators(
        account=account,
        category=traits.category[drawn],
        post_rate=traits.post_rate[drawn],
        audience=traits.audience[drawn],
        bad_rate=traits.bad_rate[drawn],
        operator=traits.operator[drawn],
        turns_at=traits.turns_at[drawn],
        base_tier=traits.base_tier[drawn],
        agency=traits.agency[drawn],
        quits_at=traits.quits_at[drawn],
    )


def draw_viewers(rng: np.random.Generator, accounts: Accounts, region: Ints, moments: Ints) -> Ints:
    """Return for each moment a viewer of that region who is registered by then, heavy ones more often.

    The index is -1 where no viewer of the region is registered yet.
    """
    chosen = np.full(len(moments), NONE)
    luck = rng.random(len(moments))
    for place in range(len(REGIONS)):
        there = np.flatnonzero(region == place)
        people = np.flatnonzero(~accounts.is_creator & (accounts.region == place))
        if len(people) == 0 or len(there) == 0:
            continue
        summed = np.cumsum(accounts.weight[people])
        known = np.searchsorted(accounts.registered_at[people], moments[there], side="left")
        reach = np.where(known > 0, summed[np.maximum(known - 1, 0)], 0.0)
        rank = np.searchsorted(summed, luck[there] * reach, side="right")
        chosen[there] = np.where(known > 0, people[np.minimum(rank, np.maximum(known - 1, 0))], NONE)
    return chosen


def tabulate_accounts(accounts: Accounts) -> Rows:
    """Return the raw table accounts."""
    return {
        "account_id": accounts.account_id,
        "account_kind": np.where(accounts.is_creator, "creator", "viewer"),
        "signup_channel": CHANNELS[accounts.channel],
        "region": REGIONS[accounts.region],
        "language": LANGUAGES[accounts.region],
        "registered_at": show_moments(accounts.registered_at),
        "occurred_at": show_moments(accounts.registered_at),
        "ingested_at": show_moments(accounts.ingested_at),
    }


@dataclass(frozen=True)
class Origins:
    """The fingerprints of each account as 48-bit codes; payment is -1 where there is none."""

    device: Ints
    network: Ints
    payment: Ints
    email: Ints


def draw_origins(world: World, accounts: Accounts, creators: Creators) -> Origins:
    """Return each account's fingerprints: most its own, some shared for good reasons, some by operators."""
    rng = world.draw_stream("origins")
    count = accounts.count
    device, network, payment = draw_codes(rng, count), draw_codes(rng, count), draw_codes(rng, count)
    domains = draw_codes(rng, 36)
    email = domains[draw_choices(rng, np.concatenate([np.full(6, 1.0), np.full(30, 0.03)]), count)]

    # Families share a network and a means of payment, now and then a device.
    household = np.where(rng.random(count) < 0.12, rng.integers(0, max(1, count // 20), count), NONE)
    in_family = household >= 0
    homes = draw_codes(rng, 3 * max(1, count // 20)).reshape(3, -1)
    network = np.where(in_family, homes[0, household], network)
    payment = np.where(in_family, homes[1, household], payment)
    device = np.where(in_family & (rng.random(count) < 0.3), homes[2, household], device)
    # Agencies run studios: their creators share a network.
    studios = draw_codes(rng, max(1, int(creators.agency.max(initial=0)) + 1))
    with_agency = creators.agency >= 0
    network[creators.account[with_agency]] = studios[creators.agency[with_agency]]
    payment = np.where(rng.random(count) < 0.4, payment, NONE)

    # Operators run few devices, two networks and one means of payment.
    run = accounts.operator >= 0
    farms = draw_codes(rng, 15 * (int(accounts.operator.max(initial=0)) + 1)).reshape(-1, 15)
    owned = farms[np.maximum(accounts.operator, 0)]
    rows = np.arange(count)
    device = np.where(run, owned[rows, rng.integers(0, 10, count)], device)
    network = np.where(run, owned[rows, 10 + rng.integers(0, 2, count)], network)
    payment = np.where(run & (rng.random(count) < 0.5), owned[:, 12], payment)
    email = np.where(run & (rng.random(count) < 0.6), owned[:, 13], email)
    return Origins(device=device, network=network, payment=payment, email=email)


def tabulate_account_events(world: World, accounts: Accounts, creators: Creators) -> Rows:
    """Return the raw table account_events: the log begins with the world, so earlier sign-ups are not in it.

    Nobody has an account while attempting to sign up: attempts and blocks name none.
    """
    rng = world.draw_stream("account_events")
    origins = draw_origins(world, accounts, creators)
    joined = np.flatnonzero(accounts.registered_at >= world.start)
    blocked, blocked_at = _draw_blocked(world, rng, accounts, joined)
    visits, visits_at = _draw_visits(world, rng, accounts)
    # Each part: its account, whether it is named, the event, the moment.
    parts = [
        (joined, False, "sign_up_attempt", accounts.registered_at[joined] - rng.integers(5, 120, len(joined))),
        (joined, True, "sign_up", accounts.registered_at[joined]),
        (blocked, False, "sign_up_attempt", blocked_at),
        (blocked, False, "sign_up_blocked", blocked_at + 1),
        (visits, True, "log_in", visits_at),
    ]
    account = np.concatenate([part[0] for part in parts])
    named = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    event = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    occurred = np.maximum(np.concatenate([part[3] for part in parts]), world.start)
    ingested = draw_arrivals(rng, occurred, late_share=0.005)
    # Phones roam: a third of log-ins come through a few carriers' shared addresses.
    carriers = draw_codes(rng, 12)
    roams = (event == "log_in") & (rng.random(len(event)) < 0.33) & (accounts.operator[account] < 0)
    network = np.where(roams, carriers[rng.integers(0, 12, len(event))], origins.network[account])

    order = order_by_time(rng, occurred)
    order = order[ingested[order] <= world.end]
    whose, what = account[order], event[order]
    is_visit = what == "log_in"
    return {
        "account_event_id": number_ids("n", len(order)),
        "account_id": pick(accounts.account_id, np.where(named[order], whose, NONE)),
        "event_type": what,
        "signup_channel": hide(CHANNELS[accounts.channel[whose]], is_visit),
        "region": REGIONS[accounts.region[whose]],
        "device_hash": show_hashes(origins.device[whose]),
        "network_hash": show_hashes(network[order]),
        "payment_hash": show_hashes(np.where(is_visit, origins.payment[whose], NONE)),
        "email_domain_hash": show_hashes(np.where(is_visit, NONE, origins.email[whose])),
        "occurred_at": show_moments(occurred[order]),
        "ingested_at": show_moments(ingested[order]),
    }


def _draw_blocked(world: World, rng: np.random.Generator, accounts: Accounts, joined: Ints) -> tuple[Ints, Ints]:
    """Return blocked attempts: the account whose traits each one has, and its moment.

    A person is blocked now and then, an operator's script about as often as it gets through.
    """
    run = accounts.operator[joined] >= 0
    tries = rng.poisson(np.where(run, 1.2, 0.12))
    whose = np.repeat(joined, tries)
    # Before the success, or the attempt would not have been made again.
    return whose, accounts.registered_at[whose] - rng.integers(3 * MINUTE, 6 * HOUR, len(whose))


def _draw_visits(world: World, rng: np.random.Generator, accounts: Accounts) -> tuple[Ints, Ints]:
    """Return log-ins: account and moment."""
    low = np.maximum(accounts.registered_at + 1, world.start)
    often = np.minimum(accounts.weight, 6.0) * np.where(accounts.is_creator, 0.06, 0.025)
    whose = np.repeat(np.arange(accounts.count), rng.poisson(often * np.maximum(world.end - low, 0) / DAY))
    until = np.full(len(whose), world.end, dtype=np.int64)
    return whose, draw_moments(rng, low[whose], until, accounts.region[whose])


def tell_truth(accounts: Accounts) -> Rows:
    """Return the truth about accounts, one row per account: for evaluation only."""
    operators = np.array([f"operator-{n:02d}" for n in range(1, int(accounts.operator.max(initial=0)) + 2)])
    return {
        "account_id": accounts.account_id,
        "operator_id": pick(operators, accounts.operator),
        "is_fake": accounts.is_fake,
    }
