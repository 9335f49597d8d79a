"""Honest people in numbers: viewers and creators that a scenario happens to, or that make a benign twin."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Postings, Registrations
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.origins import Origins
from gnomon.simulate.scenarios.crew import TOUCHED, note_accounts, open_crew
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, NEVER, NONE, Bools, Floats, Ints


def find_people(turn: Turn) -> Ints:
    """Return the honest viewers in the scenario's regions who have not left."""
    accounts = turn.state.accounts
    honest = (accounts["operator"] < 0) & ~accounts["is_fake"] & (accounts["left_at"] >= NEVER)
    return np.flatnonzero(honest & ~accounts["is_creator"] & turn.regions[accounts["region"]])


def draw_people(turn: Turn, people: Ints, luck: Floats) -> Ints:
    """Return one of these people for each uniform number, heavy users more often; none if there are none."""
    if len(people) == 0:
        return np.zeros(0, dtype=np.int64)
    summed = np.cumsum(turn.state.accounts["weight"][people])
    place = np.minimum(np.searchsorted(summed, luck * summed[-1], side="right"), len(people) - 1)
    return np.asarray(people[place], dtype=np.int64)


def find_honest_creators(turn: Turn) -> Bools:
    """Return which creators are nobody's, good, in the scenario's regions and still active."""
    creators, accounts = turn.state.creators, turn.state.accounts
    honest = (creators["operator"] < 0) & (accounts["operator"][creators["account"]] < 0)
    honest &= (creators["bad_rate"] < 0.2) & turn.regions[accounts["region"][creators["account"]]]
    honest &= (creators["quits_at"] > turn.day.begins_at) & (creators["banned_at"] >= NEVER)
    return np.asarray(honest)


def choose_creators(turn: Turn, count: int, low: float = 0.0, high: float = 1.0) -> Ints:
    """Return `count` honest creators, the same on every day of the scenario; chosen and noted on first use.

    `low` and `high` bound their audience, as shares of the honest creators below.
    """
    name = f"{turn.key}.chosen"
    if name not in turn.state.others:
        luck = turn.draw_lasting_stream("choice").random(turn.state.creators.count)
        found = np.flatnonzero(find_honest_creators(turn))
        audience = turn.state.creators["audience"][found]
        if len(found):
            edges = np.quantile(audience, [low, high])
            found = found[(audience >= edges[0]) & (audience <= edges[1])]
        found = found[np.argsort(luck[found], kind="stable")][: max(count, 1)]
        turn.state.others[name] = Ledger(creator=np.int64)
        turn.state.others[name].append(creator=np.sort(found))
        note_accounts(turn, turn.state.creators["account"][np.sort(found)], TOUCHED)
    return turn.state.others[name]["creator"].copy()


def make_postings(turn: Turn, creator: Ints, uploaded_at: Ints) -> Postings:
    """Return good items of these creators, all else as usual, added to the day's effects."""
    count = len(creator)
    postings = Postings(
        scenario=turn.number,
        creator=creator,
        uploaded_at=uploaded_at,
        **{name: np.full(count, NONE) for name in ("caption", "audio", "link", "media", "product", "policy")},
        aigc=np.full(count, NONE),
        declared=np.full(count, NONE),
        reach=np.ones(count),
    )
    turn.effects.postings.append(postings)
    return postings


def register_people(turn: Turn, moments: Ints, region: Ints, channel: Ints, origins: Origins) -> None:
    """Register honest viewers today, and remember what they came from: tomorrow they are noted."""
    count = len(moments)
    rng = turn.draw_stream("newcomers")
    turn.effects.registrations.append(
        Registrations(
            scenario=turn.number,
            registered_at=moments,
            region=region,
            channel=channel,
            is_fake=False,
            operator=np.full(count, NONE),
            weight=np.exp(1.1 * rng.standard_normal(count) - 0.6),
            device=origins.device,
            network=origins.network,
            payment=origins.payment,
            email=origins.email,
            blocked=(rng.random(count) < 0.11).astype(np.int64),
        )
    )
    expect_newcomers(turn, origins.device, moments)


def expect_newcomers(turn: Turn, device: Ints, moments: Ints) -> None:
    """Remember what accounts registered today come from, so that tomorrow they are found."""
    expected = turn.state.others.setdefault(f"{turn.key}.expected", Ledger(device=np.int64, at=np.int64))
    expected.append(device=device, at=moments)


def note_newcomers(turn: Turn) -> None:
    """Note yesterday's newcomers of the scenario: the accounts of its devices and moments."""
    state = turn.state
    if f"{turn.key}.expected" not in state.others:
        return
    expected = state.others[f"{turn.key}.expected"]
    first = int(np.searchsorted(state.accounts["registered_at"], turn.day.begins_at - DAY))
    came = np.isin(state.accounts["device"][first:], expected["device"])
    came &= np.isin(state.accounts["registered_at"][first:], expected["at"])
    rows = (first + np.flatnonzero(came)).astype(np.int64)
    note_accounts(turn, rows[~np.isin(rows, open_crew(turn)["account"])], TOUCHED)
    expected.keep(np.zeros(expected.count, dtype=bool))
