"""An operator's accounts: gathered ahead of its attack, registered or bought, and remembered."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Registrations
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.scenarios.disguise import draw_blocks, draw_channels, draw_disguise, draw_volumes
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import (
    DAY,
    MINUTE,
    NEVER,
    NONE,
    REGION_SHARES,
    Bools,
    Floats,
    Ints,
    draw_choices,
    draw_moments,
)

# What an account is in a scenario: the operator's own, a customer of it, or somebody it happens to.
MEMBER, CLIENT, TOUCHED = 0, 1, 2
ROLES = np.array(["member", "client", "touched"])
# Of the accounts of a fully hidden operator, this share is bought from people who no longer use them.
_BOUGHT_SHARE = 0.75
_BOUGHT_AGE = 30 * DAY


def open_crew(turn: Turn) -> Ledger:
    """Return the scenario's ledger of accounts; made on first use."""
    if turn.key not in turn.state.others:
        turn.state.others[turn.key] = Ledger(
            account=np.int64,
            creator=np.int64,
            role=np.int64,
            since=np.int64,
            hit_at=np.int64,  # of the last action against it that the operator has noticed, NEVER if none
            gone_at=np.int64,  # since when it is banned or closed
            volume=float,  # how much it does, mean about 1
        )
    return turn.state.others[turn.key]


def note_accounts(turn: Turn, accounts: Ints, role: int, volume: Floats | float = 1.0, since: Ints | int = 0) -> None:
    """Write accounts into the scenario's ledger; they are the scenario's from `since` on."""
    open_crew(turn).append(
        account=accounts,
        creator=turn.state.accounts["creator"][accounts],
        role=role,
        since=np.maximum(turn.state.accounts["registered_at"][accounts], since),
        hit_at=int(NEVER),
        gone_at=int(NEVER),
        volume=volume,
    )


def name_operator(turn: Turn) -> int:
    """Return the number of the scenario's operator; it gets one on first use."""
    name = f"{turn.key}.operator"
    if name not in turn.state.numbers:
        turn.state.numbers[name] = int(turn.state.number("operator", 1)[0])
    return turn.state.numbers[name]


def gather_accounts(turn: Turn, viewers: int, creators: int, first: int, last: int, may_buy: bool = True) -> None:
    """Plan the operator's accounts: each is registered or bought at some moment of [first, last).

    Without stealth they come in one go within twenty minutes, with it scattered over the whole
    span as people come. Bought accounts are old and their owners rarely used them.
    """
    wave = int(turn.state.number(f"{turn.key}.waves", 1)[0])
    rng = turn.draw_stream(f"gathering {wave}")
    count = viewers + creators
    is_creator = np.arange(count) < creators
    region = draw_choices(rng, REGION_SHARES * turn.regions, count)
    bought = _find_dormant(turn, rng, region, is_creator, _BOUGHT_SHARE * turn.stealth if may_buy else 0.0)
    region = np.where(bought >= 0, turn.state.accounts["region"][bought], region)
    disguise = draw_disguise(turn, rng, region, wave)
    # An account that was sold often keeps its phone; the operator is on its network.
    keeps = (bought >= 0) & (rng.random(count) < 0.8 * turn.stealth)
    span = max(20 * MINUTE, round(turn.stealth * (last - first)))
    low = np.full(count, max(first, last - span), dtype=np.int64)
    human = draw_moments(rng, low, np.full(count, last, dtype=np.int64), region)
    even = low + (rng.random(count) * np.maximum(last - low, 1)).astype(np.int64)
    turn.state.agenda.plan(
        turn.key,
        np.where(rng.random(count) < turn.stealth, human, even),
        is_creator=is_creator,
        bought=bought,
        region=region,
        channel=draw_channels(rng, count, turn.stealth),
        device=np.where(keeps, turn.state.accounts["device"][bought], disguise.device),
        network=disguise.network,
        payment=disguise.payment,
        email=disguise.email,
        volume=draw_volumes(rng, count, turn.stealth),
        blocked=draw_blocks(rng, count, turn.stealth),
    )


def _find_dormant(turn: Turn, rng: np.random.Generator, region: Ints, is_creator: Bools, share: float) -> Ints:
    """Return for a share of the wanted accounts an old, rarely used one to buy, -1: register one.

    One draw per account of the world decides who would sell.
    """
    accounts, creators = turn.state.accounts, turn.state.creators
    wants = rng.random(len(region)) < share
    luck = rng.random(accounts.count)
    sells = (accounts["operator"] < 0) & ~accounts["is_fake"] & (accounts["left_at"] >= NEVER)
    sells &= accounts["registered_at"] < turn.day.begins_at - _BOUGHT_AGE
    sells &= (accounts["weight"] < 0.7) | accounts["is_creator"]
    rarely = (creators["post_rate"] < 0.5) & (creators["agency"] < 0) & (creators["banned_at"] >= NEVER)
    sells[creators["account"]] &= rarely
    bought = np.full(len(region), NONE)
    for place in np.unique(region):
        for kind in (True, False):
            wanted = np.flatnonzero(wants & (region == place) & (is_creator == kind))
            offered = np.flatnonzero(sells & (accounts["region"] == place) & (accounts["is_creator"] == kind))
            offered = offered[np.argsort(luck[offered], kind="stable")][: len(wanted)]
            bought[wanted[: len(offered)]] = offered
    return bought


def gather_ahead(turn: Turn, viewers: int, creators: int) -> None:
    """Plan the operator's accounts for the days between its start and its attack."""
    start = turn.day.world.start
    first = start + turn.scenario.starts_on * DAY
    # Done by some hour of the day before.
    early = (1.0 - turn.stealth) * turn.draw_stream("hour").random() * DAY / 2
    last = max(start + turn.scenario.begins_on * DAY, first + DAY) - round(early)
    gather_accounts(turn, viewers, creators, first, last)


def join_crew(turn: Turn) -> None:
    """Register and take over the accounts that come today."""
    due = turn.state.agenda.take(turn.key, turn.day.ends_at)
    if len(due["at"]) == 0:
        return
    accounts = turn.state.accounts
    operator = name_operator(turn)
    bought = np.flatnonzero(due["bought"] >= 0)
    # Somebody else's, or closed, by now.
    still = (accounts["operator"][due["bought"][bought]] < 0) & (accounts["left_at"][due["bought"][bought]] >= NEVER)
    bought = bought[still]
    rows = due["bought"][bought]
    accounts["operator"][rows] = operator
    for name in ("device", "network", "payment"):
        accounts[name][rows] = due[name][bought]
    note_accounts(turn, rows, MEMBER, due["volume"][bought], since=turn.day.begins_at)

    at = np.maximum(due["at"], turn.day.begins_at)
    for is_creator in (False, True):
        new = np.flatnonzero((due["bought"] < 0) & (due["is_creator"] == is_creator))
        if len(new) == 0:
            continue
        turn.effects.registrations.append(
            Registrations(
                scenario=turn.number,
                registered_at=at[new],
                region=due["region"][new],
                channel=due["channel"][new],
                is_fake=True,
                operator=np.full(len(new), operator, dtype=np.int64),
                weight=due["volume"][new],
                device=due["device"][new],
                network=due["network"][new],
                payment=due["payment"][new],
                email=due["email"][new],
                blocked=due["blocked"][new],
                is_creator=is_creator,
            )
        )


def remember_crew(turn: Turn) -> None:
    """Write the operator's accounts that registered since the last look into its ledger."""
    state = turn.state
    name = f"{turn.key}.scanned"
    if f"{turn.key}.operator" in state.numbers:
        first = state.numbers.get(name, 0)
        rows = first + np.flatnonzero(state.accounts["operator"][first:] == state.numbers[f"{turn.key}.operator"])
        # Those bought are there already.
        rows = rows[~np.isin(rows, open_crew(turn)["account"])].astype(np.int64)
        note_accounts(turn, rows, MEMBER, state.accounts["weight"][rows])
        made = state.accounts["creator"][rows]
        made = made[made >= 0]
        # Their posts are the scenario's: by themselves they post nothing, and have no habits of a standing operator.
        state.creators["post_rate"][made] = 0.0
        state.creators["operator"][made] = NONE
    state.numbers[name] = state.accounts.count


def find_rest(turn: Turn) -> int:
    """Return for how many days an account rests after it was hit, where the operator pauses: 3 to 7."""
    return 3 + round(4 * turn.stealth) if turn.scenario.adaptation == "pause" else 0


def find_members(turn: Turn, creators: bool | None = None) -> Ints:
    """Return the rows of the crew that can act today: members in use before today, of one kind or of both."""
    crew = open_crew(turn)
    if turn.day.number < turn.state.numbers.get(f"{turn.key}.paused_until", 0):
        return np.zeros(0, dtype=np.int64)
    ready = (crew["role"] == MEMBER) & (crew["gone_at"] >= NEVER) & (crew["since"] < turn.day.begins_at)
    hit = np.where(crew["hit_at"] < NEVER, crew["hit_at"], 0)
    ready &= turn.day.begins_at >= hit + find_rest(turn) * DAY
    if creators is not None:
        ready &= (crew["creator"] >= 0) == creators
    return np.flatnonzero(ready).astype(np.int64)


def take_clients(turn: Turn, count: int) -> None:
    """Choose ordinary creators of middling reach who pay the operator, and note them as clients."""
    creators, accounts = turn.state.creators, turn.state.accounts
    luck = turn.draw_stream("clients").random(creators.count)
    audience, rate = creators["audience"], creators["post_rate"]
    middling = (audience > np.quantile(audience, 0.3)) & (audience < np.quantile(audience, 0.85))
    fits = middling & (rate > np.quantile(rate, 0.4)) & (creators["operator"] < 0) & (creators["quits_at"] >= NEVER)
    fits &= (accounts["operator"][creators["account"]] < 0) & turn.regions[accounts["region"][creators["account"]]]
    found = np.flatnonzero(fits)
    found = np.sort(found[np.argsort(luck[found], kind="stable")][:count])
    note_accounts(turn, creators["account"][found], CLIENT)
