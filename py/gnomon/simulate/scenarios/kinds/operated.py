"""Kinds with an operator behind them: spam, matrix accounts, farms, floods, false claims, registration attacks."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Push
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.policies import COUNTERFEIT, LOW_QUALITY, MISLEADING, SPAM, UNDISCLOSED
from gnomon.simulate.scenarios.actions import (
    Store,
    find_eagerness,
    find_paid_rate,
    find_posting_rate,
    find_recent,
    post_items,
    visit_items,
)
from gnomon.simulate.scenarios.crew import (
    CLIENT,
    MEMBER,
    find_members,
    gather_accounts,
    gather_ahead,
    open_crew,
    take_clients,
)
from gnomon.simulate.scenarios.kinds.kind import Kind
from gnomon.simulate.scenarios.rhythm import draw_counts, round_up_by_luck
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, NONE, Ints, draw_delays

_SPAM_STORE = Store(captions=6, links=3, media=8, reuse=0.95)
_MATRIX_STORE = Store(captions=20, links=4, media=30, reuse=0.7)
_CLAIM_STORE = Store(captions=10, links=2, media=12, reuse=0.7)
_FLOOD_STORE = Store(captions=60, links=4, media=200, reuse=0.4)


def _gather_posters(turn: Turn, viewers_each: float) -> None:
    """Gather enough creators for the scenario's share of the day's uploads, and viewers beside them."""
    wanted = turn.scenario.size * turn.posts_per_day / find_posting_rate(turn)
    creators = max(2, round(wanted))
    gather_ahead(turn, round(creators * viewers_each), creators)


def _send_own_viewers(turn: Turn) -> None:
    """Send the crew's viewers to the crew's items."""
    members = open_crew(turn)
    creators = members["creator"][(members["role"] == MEMBER) & (members["creator"] >= 0)]
    items, weight = find_recent(turn, creators, 4)
    visit_items(turn, items, weight, find_paid_rate(turn), find_eagerness(turn), "own items")


def _recruit_spammers(turn: Turn) -> None:
    _gather_posters(turn, 0.0)


def _spam(turn: Turn) -> None:
    plain = 0.75 - 0.45 * turn.stealth
    post_items(turn, np.array([SPAM, LOW_QUALITY, NONE]), np.array([plain, 0.8 - plain, 0.2]), _SPAM_STORE)


def _recruit_matrix(turn: Turn) -> None:
    turn.state.numbers[f"{turn.key}.pays"] = 1
    creators = max(3, round(turn.scenario.size * turn.day.world.scale.creators))
    gather_ahead(turn, 2 * creators, creators)


def _run_matrix(turn: Turn) -> None:
    policies = np.array([SPAM, COUNTERFEIT, MISLEADING, LOW_QUALITY, NONE])
    bad = 0.6 - 0.35 * turn.stealth
    shares = np.append(bad * np.array([0.45, 0.1, 0.2, 0.25]), 1.0 - bad)
    post_items(turn, policies, shares, _MATRIX_STORE, choose_products(turn, 3))
    _send_own_viewers(turn)


def _recruit_farm(turn: Turn) -> None:
    turn.state.numbers[f"{turn.key}.pays"] = 1
    paid = turn.scenario.size * turn.impressions_per_day
    gather_ahead(turn, max(8, round(paid / find_paid_rate(turn))), 0)
    take_clients(turn, max(2, round(paid / (4.0 + 30.0 * (1.0 - turn.stealth)))))


def _run_farm(turn: Turn) -> None:
    """Visit the clients' items: the new ones at once, the less stealth the more, the others over days."""
    crew = open_crew(turn)
    clients = crew["creator"][crew["role"] == CLIENT]
    items, weight = find_recent(turn, clients, 5)
    rate = find_paid_rate(turn)
    at_once = (1.0 - turn.stealth) * 0.7
    visit_items(turn, items, np.sqrt(weight), rate * (1.0 - at_once), find_eagerness(turn), "paid visits")
    rng = turn.draw_stream("paid pushes")
    rows = find_members(turn, creators=False)
    counts = draw_counts(rng.random(len(rows)), at_once * rate * crew["volume"][rows])
    viewer = crew["account"][np.repeat(rows, counts)]
    whose = rng.integers(0, max(len(clients), 1), len(viewer))
    for place, client in enumerate(clients):
        chosen = viewer[whose == place]
        if len(chosen):
            after = draw_delays(rng, len(chosen), 240, 0.8)
            turn.effects.pushes.append(Push(turn.number, int(client), False, 0.0, chosen, after, find_eagerness(turn)))


def _attack_registration(turn: Turn) -> None:
    """Gather accounts day by day; nobody is gathered ahead, for the registrations are the attack."""
    rng = turn.draw_stream("attack")
    count = round_up_by_luck(turn.scenario.size * turn.registrations_per_day, rng.random())
    share = turn.stealth + (1.0 - turn.stealth) * (0.1 + 0.9 * rng.random())
    gather_accounts(turn, count, 0, turn.day.begins_at, turn.day.begins_at + round(share * DAY), may_buy=False)


def _flood(turn: Turn) -> None:
    policies = np.array([UNDISCLOSED, LOW_QUALITY, NONE])
    postings = post_items(turn, policies, np.array([0.3, 0.3, 0.4]), _FLOOD_STORE)
    rng = turn.draw_stream("generated")
    count = len(postings.creator)
    made = (rng.random(count) < 1.0 - 0.85 * turn.stealth) | (postings.policy == UNDISCLOSED) & (turn.stealth < 0.5)
    # An item that is not generated cannot hide that it is.
    postings.policy[:] = np.where((postings.policy == UNDISCLOSED) & ~made, LOW_QUALITY, postings.policy)
    says = (rng.random(count) < 0.25 + 0.3 * turn.stealth) & (postings.policy != UNDISCLOSED)
    postings.aigc[:] = made
    postings.declared[:] = made & says
    turn.effects.quality[postings.creator] *= 0.7


def _recruit_sellers(turn: Turn) -> None:
    _gather_posters(turn, 0.0)
    choose_products(turn, max(1, round(0.002 * turn.state.products.count)))


def _claim(turn: Turn) -> None:
    """Claim falsely for a few products; who buys them is disappointed, whoever showed them."""
    products = choose_products(turn, 1)
    post_items(turn, np.array([MISLEADING, NONE]), np.array([0.85, 0.15]), _CLAIM_STORE, products)
    for product in products.tolist():
        turn.effects.deceptive_products[product] = 0.35


def choose_products(turn: Turn, count: int) -> Ints:
    """Return the operator's products: some that its region's sellers list, the same on every day."""
    name, state = f"{turn.key}.products", turn.state
    if name not in state.others:
        is_there = state.products["listed_at"] < turn.day.begins_at
        sold = np.flatnonzero(turn.regions[state.products["region"]] & is_there)
        luck = turn.draw_stream("products").random(len(sold))
        state.others[name] = Ledger(product=np.int64)
        state.others[name].append(product=np.sort(sold[np.argsort(luck, kind="stable")][:count]))
    return state.others[name]["product"].copy()


KINDS = (
    Kind(
        name="spam_burst",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=0.5,
        recruit=_recruit_spammers,
        act=_spam,
        has_operator=True,
    ),
    Kind(
        name="matrix_accounts",
        size="creator accounts, as a share of the world's creators; twice as many viewers serve them",
        least=0.0001,
        most=0.3,
        recruit=_recruit_matrix,
        act=_run_matrix,
        has_operator=True,
    ),
    Kind(
        name="engagement_farm",
        size="paid visits a day, as a share of the usual day's impressions",
        least=0.0001,
        most=0.3,
        recruit=_recruit_farm,
        act=_run_farm,
        has_operator=True,
    ),
    Kind(
        name="registration_attack",
        size="fake registrations a day, as a multiple of the usual day's registrations",
        least=0.01,
        most=50.0,
        act=_attack_registration,
        has_operator=True,
    ),
    Kind(
        name="aigc_flood",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=1.0,
        recruit=_recruit_spammers,
        act=_flood,
        has_operator=True,
    ),
    Kind(
        name="misleading_claims",
        size="posts a day, as a share of the usual day's uploads",
        least=0.0001,
        most=0.3,
        recruit=_recruit_sellers,
        act=_claim,
        has_operator=True,
    ),
)
